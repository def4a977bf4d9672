#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tetherd/complaints.h"
#include "tetherd/config_file.h"
#include "tetherd/directive.h"
#include "tetherd/parse.h"

/*
 * Any bytes as a tetherd.conf, and as what it includes: a line "%%" ends one
 * file, and they are called 0, 1, 2 …  What is found is made of whole words
 * of lines that are there.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The only files that there are. */
static const uint8_t *input, *input_end;

static const uint8_t *
find_end(const uint8_t *text)
{
	const uint8_t *end =
	    memmem(text, (size_t)(input_end - text), "%%\n", 3);

	return end != NULL ? end : input_end;
}

int
config_file_read(
    struct config_file *file, const char *path, char why[CONFIG_FILE_WHY_MAX])
{
	const uint8_t *text = input;
	char *end;
	unsigned long i, number = strtoul(path, &end, 10);

	memset(file, 0, sizeof(*file));
	(void)strlcpy(why, "refused", CONFIG_FILE_WHY_MAX);
	errno = EINVAL;
	if (path[0] == '\0' || *end != '\0')
		return -1;
	for (i = 0; i < number; i++) {
		text = find_end(text);
		if (text == input_end)
			return -1;
		text += 3;
	}
	file->size = (size_t)(find_end(text) - text);
	file->text = malloc(file->size + 1);
	file->path = strdup(path);
	if (file->text == NULL || file->path == NULL)
		abort();
	memcpy(file->text, text, file->size);
	file->text = realloc(file->text, file->size > 0 ? file->size : 1);
	if (file->text == NULL)
		abort();
	file->mode = number % 2 == 0 ? 0644 : 0600;
	file->ino = number;
	return 0;
}

void
config_file_drop_text(struct config_file *file)
{
	free(file->text);
	file->text = NULL;
	file->size = 0;
}

void
config_file_free(struct config_file *file)
{
	config_file_drop_text(file);
	free(file->path);
	file->path = NULL;
}

bool
config_file_is_exposed(const struct config_file *file)
{
	return (file->mode & 04) != 0;
}

static void
check_word(const struct word *word, unsigned lines)
{
	const char *p;

	if (strlen(word->text) > 4096 || word->line < 1 || word->line > lines)
		abort();
	for (p = word->text; *p != '\0'; p++)
		if ((*p >= 0 && *p < ' ' && *p != '\t') || *p == 0x7f ||
		    (!word->quoted && strchr(" \t\"#{},=$\\", *p) != NULL))
			abort();
}

static void
on_found(void *arg, const struct directive *d, struct complaints *complaints)
{
	unsigned lines = *(unsigned *)arg;
	size_t i;

	if (d->nwords < 1 || d->nwords > DIRECTIVE_WORDS_MAX ||
	    d->words[0].quoted || d->origin.line != d->words[0].line ||
	    d->exposed != (d->exposed_file != NULL))
		abort();
	for (i = 0; i < d->nwords; i++) {
		check_word(&d->words[i], lines);
		if (d->words[i].in_list && (i == 0 || !d->has_list))
			abort();
	}
	if (d->words[0].text[0] == 'W')
		complain(complaints, &d->origin, "wrong");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const blocks[] = { "orchestrator", "upstream", "log",
		NULL };
	static const struct directive_ops ops = { .blocks = blocks,
		.found = on_found };
	struct complaints *complaints = complaints_new();
	struct macros *macros = macros_new();
	unsigned lines = 1;
	char text[4096];
	size_t i;

	input = data;
	input_end = data + size;
	for (i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (macros_define(macros, "d=1 2") != NULL)
		abort();
	(void)parse_file("0", true, macros, &ops, &lines, complaints);
	complaints_text(complaints, text, sizeof(text));
	if (strlen(text) > 0 != (complaints_count(complaints) > 0))
		abort();
	macros_free(macros);
	complaints_free(complaints);
	return 0;
}
