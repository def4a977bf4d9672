#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "tetherd/nearest.h"

/* Longer words have no near ones. */
#define LENGTH_MAX 63

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int
same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * The edits between two words of at most LENGTH_MAX letters, where swapping
 * two neighbours is one.  A row holds, for each beginning of b, the edits
 * from as many letters of a as there are rows before it.
 */
static size_t
count_edits(const char *a, const char *b)
{
	size_t rows[3][LENGTH_MAX + 1], *row = rows[0], *above, *two_above;
	size_t i, j, nb = strlen(b);

	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 1; a[i - 1] != '\0'; i++) {
		two_above = rows[(i + 1) % 3];
		above = rows[(i - 1) % 3];
		row = rows[i % 3];
		row[0] = i;
		for (j = 1; j <= nb; j++) {
			row[j] = above[j - 1] + !same(a[i - 1], b[j - 1]);
			row[j] = min(row[j], above[j] + 1);
			row[j] = min(row[j], row[j - 1] + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]))
				row[j] = min(row[j], two_above[j - 2] + 1);
		}
	}
	return row[nb];
}

const char *
nearest(const char *word, const char *const *list)
{
	const char *best = NULL;
	size_t edits, fewest = 0;

	if (strnlen(word, LENGTH_MAX + 1) > LENGTH_MAX)
		return NULL;
	for (; *list != NULL; list++) {
		if (strlen(*list) > LENGTH_MAX)
			continue;
		edits = count_edits(word, *list);
		if (edits > strlen(*list) / 3)
			continue;
		if (best == NULL || edits < fewest) {
			best = *list;
			fewest = edits;
		}
	}
	return best;
}
