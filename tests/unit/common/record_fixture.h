#ifndef TESTS_UNIT_COMMON_RECORD_FIXTURE_H
#define TESTS_UNIT_COMMON_RECORD_FIXTURE_H

/*
 * Payloads that are made of fields: each comes through as it was sent, and is
 * refused when it is cut at any byte, or has one more.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/msg.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What get reads, 0 or -1, must be what add wrote. */
struct record {
	enum msg_type type;
	enum program from, to;
	enum msg_state state;
	void (*add)(struct msg_out *);
	int (*get)(struct msg *);
};

/* What was written, as it is read. */
static inline struct msg
record_written(const struct msg_out *out)
{
	return (struct msg){
		.type = out->type, .fd = -1, .data = out->data, .len = out->len
	};
}

/* Read exactly n bytes, in memory of their own for the sanitizers. */
static inline int
record_read(const struct record *record, const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + (n == 0));
	struct msg m = { .type = record->type, .fd = -1, .len = n };
	int rc;

	assert_non_null(copy);
	memcpy(copy, data, n);
	m.data = copy;
	rc = record->get(&m);
	free(copy);
	return rc;
}

/* The table of messages lets it through, to get unless that is NULL. */
static inline void
record_assert_legal(const struct record *record, const struct msg_out *out,
    int (*get)(struct msg *))
{
	size_t len = MSG_HEADER_SIZE + out->len;
	uint8_t *datagram = malloc(len);
	const char *why;
	struct msg m;

	assert_non_null(datagram);
	assert_false(out->failed);
	msg_put_header(datagram, out->type, 0, out->id, out->len);
	memcpy(datagram + MSG_HEADER_SIZE, out->data, out->len);
	why = msg_parse(
	    &m, datagram, len, -1, record->from, record->to, record->state);
	if (why != NULL)
		fail_msg(
		    "%s: %zu bytes: %s", msg_name(record->type), out->len, why);
	if (get != NULL)
		assert_int_equal(get(&m), 0);
	free(datagram);
}

static inline void
records_assert_round_trip(const struct record *records, size_t n)
{
	struct msg_out out;
	size_t i;

	for (i = 0; i < n; i++) {
		msg_start(&out, records[i].type, 5);
		records[i].add(&out);
		assert_true(out.len > 0);
		record_assert_legal(&records[i], &out, records[i].get);
		msg_discard(&out);
	}
}

static inline void
records_assert_truncated(const struct record *records, size_t n)
{
	const struct record *record;
	struct msg_out out;
	size_t len;

	for (record = records; record < records + n; record++) {
		msg_start(&out, record->type, 5);
		record->add(&out);
		for (len = 0; len < out.len; len++)
			assert_int_equal(
			    record_read(record, out.data, len), -1);
		assert_int_equal(record_read(record, out.data, len), 0);
		msg_add_u8(&out, 0);
		assert_int_equal(record_read(record, out.data, out.len), -1);
		msg_discard(&out);
	}
}

#endif
