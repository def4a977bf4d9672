#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/utf8.h"
#include "tetherd/ctl_json.h"

#define REPLACEMENT 0xfffd

/* The length of the character at s, of a text that is valid. */
static size_t
decode(const uint8_t *s, uint32_t *c)
{
	size_t len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4, i;

	*c = s[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++)
		*c = *c << 6 | (s[i] & 0x3f);
	return len;
}

static void
put_escape(FILE *out, uint32_t c)
{
	if (c < 0x10000) {
		fprintf(out, "\\u%04" PRIx32, c);
		return;
	}
	c -= 0x10000;
	fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (c >> 10),
	    0xdc00 + (c & 0x3ff));
}

void
ctl_json_string(FILE *out, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;
	bool valid = utf8_valid(at, strlen(text));
	uint32_t c;

	fputc('"', out);
	while (*at != '\0') {
		size_t len = 1;

		c = *at;
		if (c >= 0x80 && valid)
			len = decode(at, &c);
		else if (c >= 0x80)
			c = REPLACEMENT;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (int)c);
		else if (c >= 0x20 && c < 0x7f)
			fputc((int)c, out);
		else
			put_escape(out, c);
		at += len;
	}
	fputc('"', out);
}

static void
put_name(FILE *out, const char *name)
{
	char key[CONTROL_NAME_SIZE];
	size_t i;

	(void)strlcpy(key, name, sizeof(key));
	for (i = 0; key[i] != '\0'; i++)
		if (key[i] == ' ')
			key[i] = '_';
	ctl_json_string(out, key);
	fputs(": ", out);
}

static void
put_value(FILE *out, const struct ctl_field *f)
{
	switch (f->kind) {
	case CONTROL_KIND_TEXT:
		ctl_json_string(out, f->text);
		return;
	case CONTROL_KIND_NUMBER:
	case CONTROL_KIND_BYTES:
	case CONTROL_KIND_TIME:
	case CONTROL_KIND_SINCE:
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
	ctl_json_string(out, text);
	fputs("\n}\n", out);
}
