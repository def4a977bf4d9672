#ifndef PROXYD_HTML_NAMES_H
#define PROXYD_HTML_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A quick way to say that a name is none of a table's: by its length, and
 * which letters the table's names of that length begin with.
 */

#define HTML_LETTER(c) (1U << ((c) - 'a'))

/* letters has count members, of which [n] is for names of n bytes. */
static inline bool
html_names_may_have(
    const uint32_t *letters, size_t count, const char *name, size_t len)
{
	unsigned letter = (unsigned)name[0] - 'a';

	return len < count && letter < 26 && (letters[len] & 1U << letter) != 0;
}

#endif
