#include <event2/buffer.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "proxyd/audit.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/role.h"
#include "proxyd/tunnel.h"
#include "proxyd/tunnel_parts.h"

/* How often a tunnel's messages that are held back are worth a record. */
#define NOTE_MS 60000

/* {"t":"denied",…}, with what the web app might have answered. */
static void
say_denied(struct tunnel *t)
{
	static const char why[] =
	    ROLE_READ_ONLY_REASON ". " ROLE_READ_ONLY_ADVICE;
	struct evbuffer *out, *answer = evbuffer_new();
	const char *text;

	if (answer == NULL)
		fatal("tunnel");
	out = reply_begin(t->id, false);
	if (evbuffer_add_printf(out, "{\"t\":\"denied\"") == -1)
		fatal("tunnel");
	reply_add_text(out, "message", ROLE_READ_ONLY_REASON);
	reply_add_text(out, "advice", ROLE_READ_ONLY_ADVICE);
	if (chat_filter_answer(&t->up.filter, why, answer)) {
		if (evbuffer_add(answer, "", 1) == -1 ||
		    (text = (const char *)evbuffer_pullup(answer, -1)) == NULL)
			fatal("tunnel");
		reply_add_text(out, "answer", text);
	}
	evbuffer_free(answer);
	if (evbuffer_add(out, "}", 1) == -1)
		fatal("tunnel");
	reply_end(t->proxyd, t->number, t->id, out, false);
}

static void
note(const struct tunnel *t)
{
	struct audit_case c = { .event = AUDIT_MESSAGE,
		.verdict = AUDIT_REFUSED,
		.github_id = t->github_id,
		.login = t->login,
		.role = t->role,
		.target = t->path,
		.why = ROLE_READ_ONLY_REASON };

	audit_send(t->proxyd, &c);
}

static void
hold(struct tunnel *t)
{
	int64_t now_ms = monotonic_ms();

	if (t->held_noted == 0 || now_ms - t->held_noted >= NOTE_MS) {
		t->held_noted = now_ms;
		note(t);
	}
	t->proxyd->counts.messages_held++;
	/* A page that floods us need not hear of each. */
	if (outbox_has_room(t->proxyd->outbox))
		say_denied(t);
}

void
tunnel_mute_send(struct tunnel *t, const struct piece *p)
{
	struct chat_filter *filter = &t->up.filter;
	struct piece whole = { .type = WS_TEXT };

	switch (chat_filter_feed(filter, p->type, p->data, p->len, p->more)) {
	case CHAT_MORE:
		return;
	case CHAT_PASSES:
		whole.data = filter->text;
		whole.len = filter->len;
		t->ops->send(t->far, &whole);
		break;
	case CHAT_HELD:
		hold(t);
		break;
	}
	chat_filter_clear(filter);
}
