#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "tetherd/ctl_json.h"
#include "tetherd/json_string.h"

static void
put_name(FILE *out, const char *name)
{
	char key[CONTROL_NAME_SIZE];
	size_t i;

	(void)strlcpy(key, name, sizeof(key));
	for (i = 0; key[i] != '\0'; i++)
		if (key[i] == ' ')
			key[i] = '_';
	json_string(out, key);
	fputs(": ", out);
}

static void
put_value(FILE *out, const struct ctl_field *f)
{
	switch (f->kind) {
	case CONTROL_KIND_TEXT:
		json_string(out, f->text);
		return;
	case CONTROL_KIND_NUMBER:
	case CONTROL_KIND_BYTES:
	case CONTROL_KIND_TIME:
	case CONTROL_KIND_SINCE:
	case CONTROL_KIND_DATE:
		fprintf(out, "%" PRIu64, f->number);
		return;
	case CONTROL_KIND_MS:
		fprintf(out, "%" PRIu64 ".%03" PRIu64, f->number / 1000,
		    f->number % 1000);
		return;
	case CONTROL_KIND_FLAG:
		fputs(f->number == 0 ? "false" : "true", out);
		return;
	case CONTROL_KIND_NONE:
	case CONTROL_KIND_COUNT:
		break;
	}
	fputs("null", out);
}

/* The fields of n rows as one object. */
static void
put_object(FILE *out, const struct ctl_row *rows, size_t n, const char *indent)
{
	bool first = true;
	size_t i, k;

	fputs("{", out);
	for (i = 0; i < n; i++)
		for (k = 0; k < rows[i].nfields; k++) {
			fprintf(out, "%s\n%s\t", first ? "" : ",", indent);
			put_name(out, rows[i].fields[k].name);
			put_value(out, &rows[i].fields[k]);
			first = false;
		}
	fprintf(out, "\n%s}", indent);
}

void
ctl_json_list(FILE *out, const struct ctl_answer *a)
{
	put_object(out, a->rows, a->nrows, "");
	fputc('\n', out);
}

void
ctl_json_table(FILE *out, const struct ctl_answer *a)
{
	size_t i;

	fputs("[", out);
	for (i = 0; i < a->nrows; i++) {
		fputs(i == 0 ? "\n\t" : ",\n\t", out);
		put_object(out, &a->rows[i], 1, "\t");
	}
	fputs("\n]\n", out);
}

void
ctl_json_text(FILE *out, const char *name, const char *text)
{
	fputs("{\n\t", out);
	put_name(out, name);
	json_string(out, text);
	fputs("\n}\n", out);
}
