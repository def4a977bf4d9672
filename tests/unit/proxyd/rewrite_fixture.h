#ifndef REWRITE_FIXTURE_H
#define REWRITE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/prefix.h"
#include "proxyd/sink.h"

/*
 * Rewriters in pieces: the same output wherever the input is split.
 */

#define P "/clients/box/proxy"

struct rewrite_row {
	const char *in;
	const char *out; /* NULL if it is the same */
};

/* What is written, and how; refuses the write of the number fail. */
struct output {
	char *text;
	size_t len;
	size_t room;
	unsigned writes;
	unsigned fail;
};

/* Rewrite the text in pieces of a size; false if the sink refused. */
typedef bool (*rewrite_fn)(const struct prefix *, const struct sink *,
    const char *in, size_t len, size_t first, size_t piece);

static inline int
output_write(void *arg, const void *data, size_t len)
{
	struct output *output = arg;

	/* Nothing is written after a failure, and nothing empty ever. */
	if (output->fail != 0 && output->writes >= output->fail)
		fail_msg("write after a failure");
	assert_int_not_equal(len, 0);
	if (++output->writes == output->fail)
		return -1;
	if (len > output->room - output->len) {
		output->room = output->len + len + 4096;
		output->text = realloc(output->text, output->room);
		assert_non_null(output->text);
	}
	memcpy(output->text + output->len, data, len);
	output->len += len;
	return 0;
}

/* A first piece of that size, then others; compare. */
static inline void
rewrite_check(rewrite_fn rewrite, const struct prefix *prefix, const char *in,
    size_t len, const char *out, size_t out_len, size_t first, size_t piece)
{
	struct output output = { 0 };
	struct sink sink = { output_write, &output };
	size_t same = 0, from;

	assert_true(rewrite(prefix, &sink, in, len, first, piece));
	while (same < output.len && same < out_len &&
	       output.text[same] == out[same])
		same++;
	from = same < 100 ? 0 : same - 100;
	if (same < output.len || same < out_len)
		fail_msg("split at %zu, then every %zu, byte %zu:\n%.*s\n"
			 "instead of\n%.*s",
		    first, piece, same,
		    (int)(output.len - from < 200 ? output.len - from : 200),
		    output.text != NULL ? output.text + from : "",
		    (int)(out_len - from < 200 ? out_len - from : 200),
		    out + from);
	free(output.text);
}

/* Whole, byte by byte, and split at each position. */
static inline void
rewrite_check_splits(rewrite_fn rewrite, const struct prefix *prefix,
    const char *in, const char *out)
{
	size_t len = strlen(in), out_len = strlen(out), i;

	for (i = 0; i <= len; i++)
		rewrite_check(rewrite, prefix, in, len, out, out_len, i, len);
	for (i = 1; i <= 3; i++)
		rewrite_check(rewrite, prefix, in, len, out, out_len, i, i);
}

/* Behind something else, where a scanner goes in larger steps. */
static inline void
rewrite_check_behind(rewrite_fn rewrite, const struct prefix *prefix,
    const char *before, const char *in, const char *out)
{
	char *all = NULL, *all_out = NULL;
	size_t len;
	int i;

	assert_int_not_equal(asprintf(&all, "%s%s", before, in), -1);
	assert_int_not_equal(asprintf(&all_out, "%s%s", before, out), -1);
	len = strlen(all);
	for (i = 0; i < 16 && before[i] != '\0'; i++)
		rewrite_check(rewrite, prefix, all + i, len - (size_t)i,
		    all_out + i, strlen(all_out + i), len, len);
	free(all);
	free(all_out);
}

/* Each row as it is, and behind something that does not matter, if any. */
static inline void
rewrite_check_rows(rewrite_fn rewrite, const char *proxy_base,
    const char *before, const struct rewrite_row *rows, size_t n)
{
	struct prefix prefix;
	const char *out;
	size_t i;

	assert_true(prefix_init(&prefix, proxy_base));
	for (i = 0; i < n; i++) {
		out = rows[i].out != NULL ? rows[i].out : rows[i].in;
		rewrite_check_splits(rewrite, &prefix, rows[i].in, out);
		rewrite_check_behind(rewrite, &prefix, before, rows[i].in, out);
	}
}

/* A sink that refuses: at once, and at each later write. */
static inline void
rewrite_check_refusal(rewrite_fn rewrite, const char *in)
{
	struct prefix prefix;
	struct output output = { 0 };
	struct sink sink = { output_write, &output };
	unsigned writes, fail;
	size_t piece, len = strlen(in);

	assert_true(prefix_init(&prefix, P));
	for (piece = 1; piece <= len; piece++) {
		output = (struct output){ 0 };
		assert_true(rewrite(&prefix, &sink, in, len, piece, piece));
		writes = output.writes;
		free(output.text);
		for (fail = 1; fail <= writes; fail++) {
			output = (struct output){ .fail = fail };
			assert_false(
			    rewrite(&prefix, &sink, in, len, piece, piece));
			assert_int_equal(output.writes, fail);
			free(output.text);
		}
	}
}

/* A text of about that size, of n parts in a random but fixed order. */
static inline char *
rewrite_nasty(const char *const parts[], size_t n, size_t size)
{
	char *text = malloc(size + 1);
	unsigned seed = 1;
	size_t len = 0, part;

	assert_non_null(text);
	for (;;) {
		seed = seed * 1103515245 + 12345;
		part = (seed >> 16) % n;
		if (len + strlen(parts[part]) > size)
			break;
		memcpy(text + len, parts[part], strlen(parts[part]));
		len += strlen(parts[part]);
	}
	text[len] = '\0';
	return text;
}

#endif
