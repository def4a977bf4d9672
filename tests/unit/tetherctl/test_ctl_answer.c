/*
 * Answers as they come: each message whole, cut at every byte, too long, too
 * many of them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/ctl_answer.h"

static struct ctl_answer answer;

/* Add what was written, or its first n bytes; which end where they end. */
static int
add_part(const struct msg_out *out, size_t n)
{
	uint8_t *exact = malloc(n == 0 ? 1 : n);
	struct msg m = { .type = out->type, .fd = -1, .len = n };
	int rc;

	assert_non_null(exact);
	if (n > 0)
		memcpy(exact, out->data, n);
	m.data = exact;
	rc = ctl_answer_add(&answer, &m);
	free(exact);
	return rc;
}

static int
add(struct msg_out *out)
{
	int rc = add_part(out, out->len);

	assert_false(out->failed);
	msg_discard(out);
	return rc;
}

static int
clear(void **state)
{
	(void)state;
	ctl_answer_clear(&answer);
	assert_int_equal(answer.nrows, 0);
	assert_null(answer.rows);
	assert_null(answer.text);
	return 0;
}

static void
start_row(struct msg_out *out)
{
	msg_start(out, MSG_CTL_ROW, 0);
	msg_add_u8(out, CONTROL_KIND_TEXT);
	msg_add_str(out, "program");
	msg_add_str(out, "authd");
	msg_add_u8(out, CONTROL_KIND_NONE);
	msg_add_str(out, "pid");
	msg_add_u8(out, CONTROL_KIND_BYTES);
	msg_add_str(out, "rss");
	msg_add_u64(out, UINT64_MAX);
}

static void
test_row(void **state)
{
	struct msg_out out;
	const struct ctl_row *row;

	(void)state;
	start_row(&out);
	assert_int_equal(add(&out), 0);
	assert_int_equal(answer.nrows, 1);
	row = &answer.rows[0];
	assert_int_equal(row->nfields, 3);
	assert_int_equal(row->fields[0].kind, CONTROL_KIND_TEXT);
	assert_string_equal(row->fields[0].name, "program");
	assert_string_equal(row->fields[0].text, "authd");
	assert_int_equal(row->fields[1].kind, CONTROL_KIND_NONE);
	assert_string_equal(row->fields[1].name, "pid");
	assert_null(row->fields[1].text);
	assert_int_equal(row->fields[2].kind, CONTROL_KIND_BYTES);
	assert_true(row->fields[2].number == UINT64_MAX);
}

/* Where a field ends is an end; everywhere else a row is malformed. */
static void
test_row_cut(void **state)
{
	const size_t first = 1 + 4 + 7 + 4 + 5, second = first + 1 + 4 + 3;
	struct msg_out out;
	size_t n;

	start_row(&out);
	for (n = 0; n < out.len; n++) {
		assert_int_equal(add_part(&out, n),
		    n == 0 || n == first || n == second ? 0 : -1);
		clear(state);
	}
	msg_discard(&out);
}

static void
test_row_wrong(void **state)
{
	char name[CONTROL_NAME_SIZE + 1], value[CONTROL_VALUE_SIZE + 1];
	struct msg_out out;
	int i;

	/* A kind that does not exist. */
	for (i = CONTROL_KIND_COUNT; i <= UINT8_MAX; i++) {
		msg_start(&out, MSG_CTL_ROW, 0);
		msg_add_u8(&out, (uint8_t)i);
		msg_add_str(&out, "x");
		msg_add_u64(&out, 1);
		assert_int_equal(add(&out), -1);
		clear(state);
	}
	/* Names and values as long as they may be, and longer. */
	memset(name, 'n', sizeof(name));
	memset(value, 'v', sizeof(value));
	for (i = 0; i < 4; i++) {
		name[sizeof(name) - 2 + (i & 1)] = '\0';
		value[sizeof(value) - 2 + (i >> 1)] = '\0';
		msg_start(&out, MSG_CTL_ROW, 0);
		msg_add_u8(&out, CONTROL_KIND_TEXT);
		msg_add_str(&out, name);
		msg_add_str(&out, value);
		assert_int_equal(add(&out), i == 0 ? 0 : -1);
		clear(state);
		name[sizeof(name) - 2] = 'n';
		value[sizeof(value) - 2] = 'v';
	}
}

static void
test_too_many_fields(void **state)
{
	struct msg_out out;
	int i, n;

	for (n = CTL_FIELDS_MAX; n <= CTL_FIELDS_MAX + 1; n++) {
		msg_start(&out, MSG_CTL_ROW, 0);
		for (i = 0; i < n; i++) {
			msg_add_u8(&out, CONTROL_KIND_NONE);
			msg_add_str(&out, "x");
		}
		assert_int_equal(add(&out), n <= CTL_FIELDS_MAX ? 0 : -1);
		clear(state);
	}
}

static void
test_too_many_rows(void **state)
{
	struct msg_out out;
	int i;

	(void)state;
	for (i = 0; i <= CONTROL_ROWS_MAX; i++) {
		start_row(&out);
		assert_int_equal(add(&out), i < CONTROL_ROWS_MAX ? 0 : -1);
	}
}

static void
test_text(void **state)
{
	struct msg_out out;

	(void)state;
	msg_start(&out, MSG_CTL_TEXT, 0);
	msg_add_str(&out, "");
	assert_int_equal(add(&out), 0);
	assert_string_equal(answer.text, "");
	msg_start(&out, MSG_CTL_TEXT, 0);
	msg_add_str(&out, "first\n");
	assert_int_equal(add(&out), 0);
	msg_start(&out, MSG_CTL_TEXT, 0);
	msg_add_str(&out, "second");
	assert_int_equal(add(&out), 0);
	assert_string_equal(answer.text, "first\nsecond");
	/* Something behind it. */
	msg_start(&out, MSG_CTL_TEXT, 0);
	msg_add_str(&out, "x");
	msg_add_u8(&out, 0);
	assert_int_equal(add(&out), -1);
	assert_string_equal(answer.text, "first\nsecond");
}

static void
test_text_bound(void **state)
{
	static char piece[CONTROL_TEXT_SIZE];
	struct msg_out out;
	size_t total = 0;
	int rc;

	(void)state;
	memset(piece, 't', sizeof(piece) - 1);
	do {
		msg_start(&out, MSG_CTL_TEXT, 0);
		msg_add_str(&out, piece);
		rc = add(&out);
		if (rc == 0)
			total += sizeof(piece) - 1;
		assert_true(total <= CONTROL_ANSWER_MAX);
	} while (rc == 0);
	assert_true(total > CONTROL_ANSWER_MAX - sizeof(piece));
	assert_int_equal(strlen(answer.text), total);
}

static void
test_done(void **state)
{
	char reason[CONTROL_DONE_SIZE + 1];
	struct msg_out out;
	uint32_t code;

	for (code = 0; code <= CONTROL_REFUSED + 1; code++) {
		msg_start(&out, MSG_CTL_DONE, 0);
		msg_add_u32(&out, code);
		msg_add_str(&out, "why");
		assert_int_equal(add(&out), code <= CONTROL_REFUSED ? 1 : -1);
		if (code <= CONTROL_REFUSED) {
			assert_int_equal(answer.code, code);
			assert_string_equal(answer.reason, "why");
		}
		clear(state);
	}
	memset(reason, 'r', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	msg_start(&out, MSG_CTL_DONE, 0);
	msg_add_u32(&out, CONTROL_OK);
	msg_add_str(&out, reason);
	assert_int_equal(add(&out), -1);
	/* What is no part of an answer. */
	msg_start(&out, MSG_CTL_WELCOME, 0);
	assert_int_equal(add(&out), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_row, clear),
		cmocka_unit_test_teardown(test_row_cut, clear),
		cmocka_unit_test_teardown(test_row_wrong, clear),
		cmocka_unit_test_teardown(test_too_many_fields, clear),
		cmocka_unit_test_teardown(test_too_many_rows, clear),
		cmocka_unit_test_teardown(test_text, clear),
		cmocka_unit_test_teardown(test_text_bound, clear),
		cmocka_unit_test_teardown(test_done, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
