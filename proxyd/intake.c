#include <stdbool.h>
#include <stdlib.h>

#include <event2/buffer.h>

#include "common/log.h"
#include "proxyd/intake.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/transactions.h"
#include "proxyd/user_requests.h"

/* There is one text at a time: those of two numbers never mix. */
struct intake {
	struct proxyd *proxyd;
	enum msg_type type;
	uint64_t number; /* 0 for none */
	struct evbuffer *text;
	bool refused; /* what still comes of it is dropped */
	bool draining;
};

struct intake *
intake_new(struct proxyd *proxyd)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (in == NULL || (in->text = evbuffer_new()) == NULL)
		fatal("intake");
	in->proxyd = proxyd;
	return in;
}

void
intake_free(struct intake *in)
{
	intake_clear(in);
	evbuffer_free(in->text);
	free(in);
}

static void
drop_text(struct intake *in)
{
	size_t len = evbuffer_get_length(in->text);

	in->proxyd->buffered -= len;
	evbuffer_drain(in->text, len);
}

void
intake_clear(struct intake *in)
{
	drop_text(in);
	in->number = 0;
	in->refused = false;
}

/* Have the connector answer in our place: it knows the request_id. */
static void
refuse(struct intake *in, uint32_t status)
{
	struct msg_out m;

	msg_start(&m, in->type == MSG_REQUEST ? MSG_REFUSE : MSG_USER_REFUSE,
	    in->number);
	msg_add_u32(&m, status);
	(void)child_send(&in->proxyd->child, PROGRAM_CONNECTOR, &m);
}

/* The status to refuse the text with that grows by so much; 0 for none. */
static uint32_t
check_room(const struct intake *in, size_t more)
{
	const struct proxyd *p = in->proxyd;

	if (in->draining || p->buffered + more > p->conf.buffered_max)
		return 503;
	if (in->type == MSG_REQUEST)
		return transactions_count(p->transactions) >=
			       p->conf.requests_max
			   ? 503
			   : 0;
	if (outbox_is_flooded(p->outbox))
		return 503;
	return evbuffer_get_length(in->text) + more > INTAKE_USER_MAX ? 413 : 0;
}

static void
take_chunk(struct intake *in, const struct msg *m)
{
	uint32_t status = check_room(in, m->len);

	if (status != 0) {
		drop_text(in);
		in->refused = true;
		if (in->type == MSG_REQUEST)
			in->proxyd->counts.requests++;
		in->proxyd->counts.busy++;
		refuse(in, status);
		return;
	}
	if (evbuffer_add(in->text, m->data, m->len) == -1)
		fatal("request");
	in->proxyd->buffered += m->len;
}

/* The text is whole. */
static void
begin(struct intake *in)
{
	struct proxyd *p = in->proxyd;
	const char *why;

	p->buffered -= evbuffer_get_length(in->text);
	if (in->type == MSG_REQUEST)
		why = transactions_begin(p->transactions, in->number, in->text);
	else
		why = user_requests_begin(p, in->number, in->text);
	if (why != NULL) {
		log_warnx("request refused: %s", why);
		refuse(in, 400);
	}
}

int
intake_on_chunk(struct intake *in, struct msg *m)
{
	if (m->id == 0 ||
	    (in->number != 0 && (in->number != m->id || in->type != m->type)))
		return -1;
	in->number = m->id;
	in->type = m->type;
	if (!in->refused)
		take_chunk(in, m);
	if ((m->flags & MSG_FLAG_MORE) != 0)
		return 0;
	if (!in->refused)
		begin(in);
	intake_clear(in);
	return 0;
}

void
intake_drain(struct intake *in)
{
	in->draining = true;
}
