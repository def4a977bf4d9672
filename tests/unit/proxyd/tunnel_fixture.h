#ifndef TUNNEL_FIXTURE_H
#define TUNNEL_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/utf8.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/tunnel.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * The outbox, in front of the real one: every reply is checked, and kept
 * until the test takes it.
 */

#define REPLIES_MAX 20000

struct reply {
	uint64_t number;
	bool last;
	char *text;
	struct json_object *json;
	struct json_object *data;
};

static struct reply replies[REPLIES_MAX];
static size_t nreplies, taken_replies;
static bool outbox_is_full;

void
outbox_reply(
    struct outbox *ob, uint64_t number, struct evbuffer *message, bool last)
{
	size_t len = evbuffer_get_length(message);
	struct reply *r = &replies[nreplies];
	const char *type;

	(void)ob;
	assert_in_range(nreplies, 0, REPLIES_MAX - 1);
	r->number = number;
	r->last = last;
	r->text = NULL;
	r->json = r->data = NULL;
	if (len == 0) { /* a silent end */
		assert_true(last);
		nreplies++;
		evbuffer_free(message);
		return;
	}
	assert_in_range(len, 2, OUTBOX_REPLY_MAX);
	assert_true(utf8_valid(evbuffer_pullup(message, -1), len));
	r->text = strndup((char *)evbuffer_pullup(message, -1), len);
	r->json = json_parse(message, JSON_DEPTH_MAX);
	assert_non_null(r->json);
	type = json_string(r->json, "type", NULL);
	/* "error" messages come before the last reply. */
	if (strcmp(type, "error") != 0) {
		assert_string_equal(
		    type, last ? "response_complete" : "response_chunk");
		assert_true(
		    json_object_object_get_ex(r->json, "data", &r->data));
	}
	nreplies++;
	evbuffer_free(message);
}

bool
outbox_has_room(const struct outbox *ob)
{
	(void)ob;
	return !outbox_is_full;
}

static void
clear_replies(void)
{
	while (nreplies > 0) {
		json_object_put(replies[--nreplies].json);
		free(replies[nreplies].text);
	}
	taken_replies = 0;
}

/* The next reply, which must be for that number. */
static struct json_object *
next_reply(uint64_t number, bool last)
{
	struct reply *r = &replies[taken_replies];

	if (taken_replies == nreplies)
		fail_msg("no reply for %llu", (unsigned long long)number);
	if (r->number != number || r->last != last)
		fail_msg("reply for %llu, not %llu: %s",
		    (unsigned long long)r->number, (unsigned long long)number,
		    json_object_to_json_string(r->json));
	taken_replies++;
	return r->data;
}

/* The next reply is exactly that. */
static void
expect_reply(uint64_t number, bool last, const char *wanted)
{
	struct json_object *data = next_reply(number, last);
	const char *text = json_object_to_json_string_ext(
	    data, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	assert_string_equal(text, wanted);
}

static inline void
expect_error(uint64_t number)
{
	struct json_object *error, *data = next_reply(number, true);

	if (!json_object_object_get_ex(data, "error", &error) ||
	    !json_object_get_boolean(error) ||
	    json_string(data, "message", NULL) == NULL)
		fail_msg("no error: %s", json_object_to_json_string(data));
}

static void
expect_no_reply(void)
{
	if (taken_replies != nreplies)
		fail_msg("reply for %llu: %s",
		    (unsigned long long)replies[taken_replies].number,
		    json_object_to_json_string(replies[taken_replies].json));
}

/* A far end that does what the test says. */
struct fake_far {
	struct evbuffer *got; /* messages, each behind "T" or "B" */
	bool in_message;
	bool writable;
	bool paused;
	bool closed;
	uint16_t code;
	char reason[TUNNEL_REASON_MAX + 1];
	bool goes_at_once;
	bool freed;
	size_t held; /* parts that came while paused are kept by the test */
};

static void
far_send(void *arg, const struct piece *p)
{
	struct fake_far *f = arg;

	if (!f->in_message)
		evbuffer_add(f->got, p->type == WS_TEXT ? "T" : "B", 1);
	evbuffer_add(f->got, p->data, p->len);
	if (!p->more)
		evbuffer_add(f->got, ";", 1);
	f->in_message = p->more;
}

static bool
far_is_writable(const void *arg)
{
	const struct fake_far *f = arg;

	return f->writable;
}

static void
far_pause(void *arg)
{
	struct fake_far *f = arg;

	assert_false(f->paused);
	f->paused = true;
}

static void
far_resume(void *arg)
{
	struct fake_far *f = arg;

	assert_true(f->paused);
	f->paused = false;
}

static bool
far_close(void *arg, uint16_t code, const char *reason)
{
	struct fake_far *f = arg;

	f->closed = true;
	f->code = code;
	(void)strlcpy(f->reason, reason, sizeof(f->reason));
	return f->goes_at_once;
}

static void
far_free(void *arg)
{
	struct fake_far *f = arg;

	f->freed = true;
}

static const struct tunnel_far_ops fake_far_ops = {
	.send = far_send,
	.is_writable = far_is_writable,
	.pause = far_pause,
	.resume = far_resume,
	.close = far_close,
	.free = far_free,
};

#endif
