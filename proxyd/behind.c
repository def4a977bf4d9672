#include <string.h>

#include "proxyd/behind.h"

const char *
behind_get(const struct behind *behind, const char *piece, size_t at,
    char *scratch, size_t *len)
{
	size_t old = BEHIND_MAX - at;

	*len = BEHIND_MAX;
	if (at >= BEHIND_MAX)
		return piece + at - BEHIND_MAX;
	if (old > behind->len)
		old = behind->len;
	memcpy(scratch, behind->text + behind->len - old, old);
	memcpy(scratch + old, piece, at);
	*len = old + at;
	return scratch;
}

char
behind_byte(const struct behind *behind, const char *piece, size_t at)
{
	if (at > 0)
		return piece[at - 1];
	return behind->len > 0 ? behind->text[behind->len - 1] : '\0';
}

void
behind_add(struct behind *behind, const char *piece, size_t len)
{
	char scratch[BEHIND_MAX];
	const char *last;
	size_t n;

	last = behind_get(behind, piece, len, scratch, &n);
	memcpy(behind->text, last, n);
	behind->len = n;
}
