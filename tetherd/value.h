#ifndef TETHERD_VALUE_H
#define TETHERD_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Values of tetherd.conf: numbers, durations, sizes, and how they are
 * written so that they read as the same again.
 */

/* Holds every text that is made here, with its NUL. */
#define VALUE_TEXT_MAX 32

/*
 * Decimal digits and nothing else; with a suffix of ms, s, m, h or d, a bare
 * number being seconds; with a suffix of K, M or G (1024 and its powers).
 * False, and *value left alone, for any other text, or one that does not fit.
 */
bool value_number(const char *, uint64_t *value);
bool value_duration(const char *, uint64_t *ms);
bool value_size(const char *, uint64_t *bytes);

/* The same as a text, as short as it can be without a loss.  Return dst. */
char *value_number_text(char dst[VALUE_TEXT_MAX], uint64_t);
char *value_duration_text(char dst[VALUE_TEXT_MAX], uint64_t ms);
char *value_size_text(char dst[VALUE_TEXT_MAX], uint64_t bytes);

/* A string in double quotes. */
void value_quote(FILE *, const char *);

#endif
