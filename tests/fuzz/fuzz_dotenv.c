#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tetherd/dotenv.h"

/*
 * Any text as a .env file: names and values are strings inside of it, and
 * the number of the line is one that it has.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct bounds {
	const char *begin;
	const char *end; /* its NUL */
	unsigned lines;
	unsigned last; /* the line before, or 0 */
};

static void
check_line(struct bounds *b, unsigned line)
{
	if (line <= b->last || line > b->lines)
		abort();
	b->last = line;
}

static void
on_found(void *arg, unsigned line, const char *name, const char *value)
{
	struct bounds *b = arg;

	check_line(b, line);
	if (name < b->begin || name + strlen(name) > b->end ||
	    value < b->begin || value + strlen(value) > b->end)
		abort();
	if (name[0] == '\0' || strpbrk(name, "= \t\r\n") != NULL)
		abort();
}

static void
on_wrong(void *arg, unsigned line, const char *why)
{
	check_line(arg, line);
	if (why[0] == '\0')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dotenv_ops ops = { on_found, on_wrong };
	char *text = malloc(size + 1);
	struct bounds bounds = { text, text + size, 1, 0 };
	size_t i;

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	for (i = 0; text[i] != '\0'; i++)
		bounds.lines += text[i] == '\n';
	dotenv_parse(text, &ops, &bounds);
	free(text);
	return 0;
}
