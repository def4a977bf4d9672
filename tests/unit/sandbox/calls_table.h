#ifndef TESTS_UNIT_SANDBOX_CALLS_TABLE_H
#define TESTS_UNIT_SANDBOX_CALLS_TABLE_H

/*
 * A table of what is tried, with one column for each program, that says what
 * is to come of it: all results are given, and all are exact.
 */

#include <sys/syscall.h>

#include "tests/unit/sandbox/probe.h"

#define NO "SIGSYS"
#define OK "ok"

struct row {
	const char *what;
	probe_attempt *attempt; /* NULL: the system call */
	long call[7];		/* its number, and arguments */
	const char *results[PROBE_PROGRAMS];
};

/* The first part of a row: a system call with these arguments, or a function. */
#define CALL(name, ...) .what = #name, .call = { SYS_##name, ##__VA_ARGS__ }
#define TRY(function)	.what = #function, .attempt = function

/* The second part: what each program gets, or all of them. */
#define EACH(connector, proxyd, local, authd, dialer, launcher, parent) \
	.results = { (connector), (proxyd), (local), (authd), (dialer), \
		(launcher), (parent) }
#define ALL(result) EACH(result, result, result, result, result, result, result)
#define NOBODY	    ALL(NO)

static const struct row *row_tried;

static int
row_call(void)
{
	const long *c = row_tried->call;

	return (int)syscall(c[0], c[1], c[2], c[3], c[4], c[5], c[6]);
}

/* Returns how many results are not those of the row. */
static int
row_check(const struct row *row)
{
	const char *result, *expected;
	int p, wrong = 0;

	row_tried = row;
	for (p = 0; p < PROBE_PROGRAMS; p++) {
		expected = row->results[p];
		result = probe((enum probe_program)p,
		    row->attempt == NULL ? row_call : row->attempt);
		if (expected != NULL && strcmp(result, expected) == 0)
			continue;
		print_error("%s: %s(%#lx, %#lx, %#lx, %#lx): %s, not %s\n",
		    probe_names[p], row->what, row->call[1], row->call[2],
		    row->call[3], row->call[4], result,
		    expected == NULL ? "(no expectation)" : expected);
		wrong++;
	}
	return wrong;
}

static void
table_check(const struct row *rows, size_t n)
{
	int wrong = 0;
	size_t i;

	if (!probe_possible())
		skip();
	for (i = 0; i < n; i++)
		wrong += row_check(&rows[i]);
	assert_int_equal(wrong, 0);
}

#define CHECK(rows) table_check((rows), sizeof(rows) / sizeof((rows)[0]))

#endif
