#ifndef TESTS_UNIT_AUTHD_PEERS_H
#define TESTS_UNIT_AUTHD_PEERS_H

/*
 * In place of the channels to other processes: what is sent there stays here,
 * as do the records for the audit log.
 */

#include "common/audit.h"
#include "common/child.h"
#include "common/session.h"
#include "tests/unit/authd/fixture.h"

#define SENT_MAX   4096
#define AUDITS_MAX 8192

struct sent {
	enum program to;
	enum msg_type type;
	uint64_t id;
	uint8_t *data;
	size_t len;
};

static struct sent sent[SENT_MAX];
static size_t sent_count;
static struct audit_record audits[AUDITS_MAX];
static size_t audit_count;

bool
child_send(struct child *c, enum program to, struct msg_out *m)
{
	struct sent *s = &sent[sent_count++];

	(void)c;
	assert_true(sent_count <= SENT_MAX);
	assert_false(m->failed);
	s->to = to;
	s->type = m->type;
	s->id = m->id;
	s->len = m->len;
	s->data = malloc(m->len + 1);
	assert_non_null(s->data);
	if (m->len > 0)
		memcpy(s->data, m->data, m->len);
	msg_discard(m);
	return true;
}

void
child_audit(struct child *c, const struct audit_record *record)
{
	(void)c;
	assert_true(audit_count < AUDITS_MAX);
	audits[audit_count++] = *record;
}

/* Forget what was sent and recorded. */
static inline void
peers_reset(void)
{
	while (sent_count > 0) {
		sent_count--;
		freezero(sent[sent_count].data, sent[sent_count].len);
	}
	audit_count = 0;
}

/* A message that was sent, as its receiver reads it. */
static inline struct msg
sent_message(size_t i, enum program to, enum msg_type type)
{
	struct msg m = { .fd = -1 };

	assert_true(i < sent_count);
	assert_int_equal(sent[i].to, to);
	assert_string_equal(msg_name(sent[i].type), msg_name(type));
	m.type = type;
	m.id = sent[i].id;
	m.data = sent[i].data;
	m.len = sent[i].len;
	return m;
}

/* What was written, as a message that comes in. */
static inline struct msg
received_message(const struct msg_out *out)
{
	struct msg m = { .fd = -1 };

	m.type = out->type;
	m.id = out->id;
	m.data = out->data;
	m.len = out->len;
	return m;
}

static inline int
peers_teardown(void **state)
{
	peers_reset();
	return teardown(state);
}

#endif
