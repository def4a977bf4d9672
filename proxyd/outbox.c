#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/log.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"

/*
 * An answer of up to this many bytes goes before larger ones that have not
 * begun, but only so many times before the same one.
 */
#define SMALL	     (64 * 1024)
#define OVERTAKE_MAX 64

struct answer {
	TAILQ_ENTRY(answer) entry;
	enum msg_type type; /* ANSWER, REPLY or REPLY_LAST */
	uint64_t number;
	char *request_id; /* NULL for a reply */
	struct evbuffer *data;
	size_t len;
	size_t sent;
	struct evbuffer_ptr at; /* where sent is */
	unsigned overtaken;
};

TAILQ_HEAD(answer_list, answer);

struct outbox {
	struct proxyd *proxyd;
	struct answer_list waiting; /* the first one may be half sent */
	struct answer_list handed;  /* all with the connector */
	size_t replies;		    /* what they weigh */
};

struct outbox *
outbox_new(struct proxyd *proxyd)
{
	struct outbox *ob = calloc(1, sizeof(*ob));

	if (ob == NULL)
		fatal("outbox");
	ob->proxyd = proxyd;
	TAILQ_INIT(&ob->waiting);
	TAILQ_INIT(&ob->handed);
	return ob;
}

void
outbox_free(struct outbox *ob)
{
	outbox_clear(ob);
	free(ob);
}

/* What a reply counts for: a single one is never too many. */
static size_t
answer_weight(const struct answer *a)
{
	if (a->type == MSG_ANSWER)
		return 0;
	return a->len < OUTBOX_REPLIES_HIGH ? a->len : OUTBOX_REPLIES_HIGH;
}

static void
answer_free(struct outbox *ob, struct answer_list *list, struct answer *a)
{
	TAILQ_REMOVE(list, a, entry);
	ob->proxyd->buffered -= a->len;
	ob->replies -= answer_weight(a);
	evbuffer_free(a->data);
	free(a->request_id);
	free(a);
}

static void
answer_rewind(struct answer *a)
{
	a->sent = 0;
	evbuffer_ptr_set(a->data, &a->at, 0, EVBUFFER_PTR_SET);
}

/* Replies of one number keep their order. */
static bool
may_overtake(const struct answer *a, const struct answer *before)
{
	return a->len <= SMALL && before->len > SMALL && before->sent == 0 &&
	       before->overtaken < OVERTAKE_MAX &&
	       (a->type == MSG_ANSWER || before->type == MSG_ANSWER ||
		   a->number != before->number);
}

/* Behind what came first, but before larger ones if it is small. */
static void
insert(struct outbox *ob, struct answer *a)
{
	struct answer *before = TAILQ_LAST(&ob->waiting, answer_list);

	while (before != NULL && may_overtake(a, before)) {
		before->overtaken++;
		before = TAILQ_PREV(before, answer_list, entry);
	}
	if (before == NULL)
		TAILQ_INSERT_HEAD(&ob->waiting, a, entry);
	else
		TAILQ_INSERT_AFTER(&ob->waiting, before, a, entry);
}

static void
add(struct outbox *ob, enum msg_type type, uint64_t number, char *request_id,
    struct evbuffer *data)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		fatal("answer");
	a->type = type;
	a->number = number;
	a->request_id = request_id;
	a->data = data;
	a->len = evbuffer_get_length(data);
	ob->proxyd->buffered += a->len;
	ob->replies += answer_weight(a);
	answer_rewind(a);
	insert(ob, a);
	outbox_continue(ob);
}

void
outbox_add(struct outbox *ob, uint64_t number, const char *request_id,
    struct evbuffer *data)
{
	char *copy = strdup(request_id);

	if (copy == NULL)
		fatal("answer");
	add(ob, MSG_ANSWER, number, copy, data);
}

void
outbox_reply(
    struct outbox *ob, uint64_t number, struct evbuffer *message, bool last)
{
	if (ob->proxyd->link_is_up)
		add(ob, last ? MSG_REPLY_LAST : MSG_REPLY, number, NULL,
		    message);
	else
		evbuffer_free(message);
}

bool
outbox_has_room(const struct outbox *ob)
{
	return ob->replies < OUTBOX_REPLIES_HIGH;
}

bool
outbox_is_flooded(const struct outbox *ob)
{
	return ob->replies >= OUTBOX_REPLIES_MAX + ob->proxyd->link.message_max;
}

/*
 * How much of the answer goes into the next message: never a part of a
 * character, so that the WebSocket message can be ended behind it should
 * this process die.
 */
static size_t
slice_length(const struct answer *a)
{
	size_t len = a->len - a->sent;
	struct evbuffer_ptr at;
	uint8_t c;

	if (len <= MSG_PAYLOAD_MAX)
		return len;
	len = MSG_PAYLOAD_MAX;
	while (len > MSG_PAYLOAD_MAX - 3) {
		at = a->at;
		evbuffer_ptr_set(a->data, &at, len, EVBUFFER_PTR_ADD);
		if (evbuffer_copyout_from(a->data, &at, &c, 1) != 1 ||
		    (c & 0xc0) != 0x80)
			break;
		len--;
	}
	return len;
}

/* Send the next message of an answer; false when the channel is full. */
static bool
answer_continue(struct channel *ch, struct answer *a)
{
	size_t len = slice_length(a);
	bool more = a->sent + len < a->len;

	if (!channel_send_slice(ch, a->type, more ? MSG_FLAG_MORE : 0,
		a->number, a->data, &a->at, len))
		return false;
	a->sent += len;
	if (more)
		evbuffer_ptr_set(a->data, &a->at, len, EVBUFFER_PTR_ADD);
	return true;
}

void
outbox_continue(struct outbox *ob)
{
	struct channel *ch = ob->proxyd->child.peers[PROGRAM_CONNECTOR];
	struct answer *a;

	if (ch == NULL || !ob->proxyd->link_is_up)
		return;
	while ((a = TAILQ_FIRST(&ob->waiting)) != NULL) {
		if (!answer_continue(ch, a))
			return;
		if (a->sent < a->len)
			continue;
		if (a->type != MSG_ANSWER) {
			answer_free(ob, &ob->waiting, a);
			continue;
		}
		TAILQ_REMOVE(&ob->waiting, a, entry);
		TAILQ_INSERT_TAIL(&ob->handed, a, entry);
	}
}

void
outbox_on_sent(struct outbox *ob, uint64_t number)
{
	struct answer *a;

	TAILQ_FOREACH (a, &ob->handed, entry) {
		if (a->number == number) {
			answer_free(ob, &ob->handed, a);
			return;
		}
	}
}

void
outbox_rewind(struct outbox *ob)
{
	struct answer *a, *next;

	TAILQ_CONCAT(&ob->handed, &ob->waiting, entry);
	TAILQ_CONCAT(&ob->waiting, &ob->handed, entry);
	for (a = TAILQ_FIRST(&ob->waiting); a != NULL; a = next) {
		next = TAILQ_NEXT(a, entry);
		if (a->type == MSG_ANSWER)
			answer_rewind(a);
		else
			answer_free(ob, &ob->waiting, a);
	}
}

void
outbox_adopt(struct outbox *ob)
{
	struct msg_out m;
	struct answer *a;

	TAILQ_FOREACH (a, &ob->waiting, entry) {
		msg_start(&m, MSG_ADOPT, a->number);
		msg_add_str(&m, a->request_id);
		(void)child_send(&ob->proxyd->child, PROGRAM_CONNECTOR, &m);
	}
}

void
outbox_clear(struct outbox *ob)
{
	struct answer *a;

	while ((a = TAILQ_FIRST(&ob->waiting)) != NULL)
		answer_free(ob, &ob->waiting, a);
	while ((a = TAILQ_FIRST(&ob->handed)) != NULL)
		answer_free(ob, &ob->handed, a);
}

bool
outbox_is_empty(const struct outbox *ob)
{
	return TAILQ_EMPTY(&ob->waiting) && TAILQ_EMPTY(&ob->handed);
}
