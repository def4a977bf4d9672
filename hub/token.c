#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "hub/random.h"
#include "hub/secret.h"
#include "hub/token.h"

void
tokens_init(struct tokens *tokens)
{
	TAILQ_INIT(&tokens->list);
	tokens->file = NULL;
}

void
tokens_clear(struct tokens *tokens)
{
	struct token *token;

	while ((token = TAILQ_FIRST(&tokens->list)) != NULL) {
		TAILQ_REMOVE(&tokens->list, token, entry);
		freezero(token, sizeof(*token));
	}
}

static bool
token_is_valid(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	return p > text && p - text < TOKEN_MAX;
}

int
tokens_add(struct tokens *tokens, const char *text)
{
	struct token *token;

	if (!token_is_valid(text))
		return -1;
	if ((token = calloc(1, sizeof(*token))) == NULL)
		return -1;
	(void)strlcpy(token->text, text, sizeof(token->text));
	TAILQ_INSERT_TAIL(&tokens->list, token, entry);
	return 0;
}

int
tokens_load(struct tokens *tokens, const char *file)
{
	FILE *f;
	char *line = NULL;
	size_t size = 0, number = 0;
	int result = 0;

	if ((f = secret_open(file)) == NULL)
		return -1;
	while (result == 0 && getline(&line, &size, f) != -1) {
		number++;
		line[strcspn(line, "#\r\n")] = '\0';
		line[strcspn(line, " \t")] = '\0';
		if (*line != '\0' && tokens_add(tokens, line) == -1) {
			log_warnx("%s:%zu: not a token", file, number);
			result = -1;
		}
	}
	if (ferror(f)) {
		log_warn("%s", file);
		result = -1;
	}
	if (line != NULL)
		freezero(line, size);
	(void)fclose(f);
	tokens->file = file;
	return result;
}

/* Whether something stands on the last line already. */
static bool
token_needs_newline(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last;

	return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

/* Append a line; a file that was there keeps its mode. */
static int
token_append(const char *file, const char *text)
{
	char line[TOKEN_MAX + 2];
	int fd, len, result = 0;

	if ((fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) ==
	    -1)
		return -1;
	len = snprintf(line, sizeof(line), "%s%s\n",
	    token_needs_newline(fd) ? "\n" : "", text);
	if (write(fd, line, (size_t)len) != len)
		result = -1;
	if (close(fd) == -1)
		result = -1;
	explicit_bzero(line, sizeof(line));
	return result;
}

const char *
tokens_grant(struct tokens *tokens)
{
	char id[17], secret[65], text[TOKEN_MAX];

	random_hex(id, sizeof(id));
	random_hex(secret, sizeof(secret));
	(void)snprintf(text, sizeof(text), "ao_%s_%s", id, secret);
	if (tokens->file != NULL && token_append(tokens->file, text) == -1) {
		log_warn("can't keep a token in %s", tokens->file);
		return NULL;
	}
	if (tokens_add(tokens, text) == -1)
		return NULL;
	explicit_bzero(text, sizeof(text));
	return TAILQ_LAST(&tokens->list, token_list)->text;
}

bool
tokens_have(const struct tokens *tokens, const char *text)
{
	struct token *token;
	bool found = false;

	TAILQ_FOREACH (token, &tokens->list, entry)
		found |= secret_equal(token->text, text);
	return found;
}
