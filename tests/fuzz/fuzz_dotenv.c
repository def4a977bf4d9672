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
};

static const char *
on_found(void *arg, const char *name, const char *value)
{
	const struct bounds *b = arg;

	if (name < b->begin || name + strlen(name) > b->end ||
	    value < b->begin || value + strlen(value) > b->end)
		abort();
	if (name[0] == '\0' || strpbrk(name, "= \t\r\n") != NULL)
		abort();
	return value[0] == '!' ? "refused" : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct bounds bounds = { text, text + size };
	unsigned line, lines = 1;
	size_t i;

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	for (i = 0; text[i] != '\0'; i++)
		lines += text[i] == '\n';
	if (dotenv_parse(text, on_found, &bounds, &line) != NULL &&
	    (line < 1 || line > lines))
		abort();
	free(text);
	return 0;
}
