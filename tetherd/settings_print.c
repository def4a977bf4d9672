#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/setting.h"
#include "tetherd/settings.h"

/* The column of comments, counted from 0, where there is room. */
#define COMMENT_COLUMN 48

/* A list goes on in another line: a line may not have any number of words. */
#define ITEMS_MAX 32

static void
print_origin(const struct provenance *from, FILE *f)
{
	char file[LOG_LINE_MAX];

	(void)log_safe(
	    file, sizeof(file), from->file == NULL ? "" : from->file);
	switch (from->kind) {
	case ORIGIN_DEFAULT:
		fputs("# default\n", f);
		break;
	case ORIGIN_FILE:
		fprintf(f, "# %s:%u\n", file, from->line);
		break;
	case ORIGIN_ENV_FILE:
		fprintf(f, "# %s:%u, %s\n", file, from->line, from->name);
		break;
	case ORIGIN_ENVIRONMENT:
		fprintf(f, "# environment, %s\n", from->name);
		break;
	case ORIGIN_FLAG:
		fprintf(f, "# flag %s\n", file);
		break;
	}
}

/* Up to ITEMS_MAX values from *at on; returns how many. */
static size_t
print_values(
    const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	size_t n = 0;

	while (*at != SIZE_MAX && n < ITEMS_MAX) {
		if (n > 0)
			fputs(", ", f);
		if (!s->type->print(s, d, at, f))
			break;
		n++;
	}
	return n;
}

/* The text of a line; NULL if there is no value from *at on. */
static char *
make_line(const struct setting *s, const struct draft *d, size_t *at)
{
	char *values = NULL, *line;
	bool list = s->type->is_list, indented = s->block[0] != '\0';
	size_t len, n;
	FILE *f = open_memstream(&values, &len);

	if (f == NULL)
		fatal("settings");
	n = print_values(s, d, at, f);
	if (fclose(f) == EOF ||
	    asprintf(&line, "%s%s%s%s%s", indented ? "\t" : "", s->words,
		list	  ? " { "
		: len > 0 ? " "
			  : "",
		values, list ? " }" : "") == -1)
		fatal("settings");
	free(values);
	if (n > 0)
		return line;
	free(line);
	return NULL;
}

static void
print_line(const char *line, const struct provenance *from, FILE *f)
{
	size_t width = strlen(line) + (line[0] == '\t' ? 7 : 0);

	fputs(line, f);
	do
		fputc(' ', f);
	while (++width < COMMENT_COLUMN);
	print_origin(from, f);
}

/* Returns true if the block has a line with a value now. */
static bool
print_setting(const struct settings *settings, const struct setting *s,
    bool begun, FILE *f)
{
	const struct provenance *from = &settings->from[s - settings_table];
	size_t at = 0;
	char *line;

	while (at != SIZE_MAX) {
		line = make_line(s, &settings->draft, &at);
		if (line == NULL)
			break;
		if (!begun && s->block[0] != '\0')
			fprintf(f, "\n%s {\n", s->block);
		begun = true;
		print_line(line, from, f);
		free(line);
	}
	return begun;
}

void
settings_print(const struct settings *settings, FILE *f)
{
	const struct setting *s;
	const char *const *block;
	bool begun;

	for (block = settings_blocks; *block != NULL; block++) {
		begun = false;
		for (s = settings_table;
		     s < settings_table + settings_table_len; s++)
			if (strcmp(s->block, *block) == 0)
				begun = print_setting(settings, s, begun, f);
		if (begun && (*block)[0] != '\0')
			fputs("}\n", f);
	}
}
