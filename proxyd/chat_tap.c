#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "proxyd/chat_peek.h"
#include "proxyd/chat_tap.h"
#include "proxyd/runs.h"

/* What was aborted says once more that it ended, at most so much later. */
#define STRAGGLER_MS 5000

/* One direction. */
struct ear {
	struct chat_peek peek;
	bool in_message;
};

struct chat_tap {
	struct runs *runs;
	struct ear up, down;
	/* Of this one an end more is to come, if it was not long ago. */
	int64_t aborted_ms; /* 0 for none */
	char aborted[CHAT_PEEK_SIZE];
};

enum event {
	EVENT_NONE,
	EVENT_BEGIN,
	EVENT_SUBSCRIBED, /* and is told whether something runs */
	EVENT_CREATED,	  /* the name of a session that began without */
	EVENT_END,
	EVENT_REFUSED, /* what was asked for, mostly */
	EVENT_ABORTED
};

struct rule {
	const char *name;
	enum run_app app;
	enum event event;
};

/* By "type", from the page. */
static const struct rule up_rules[] = {
	{ "chat.send", RUN_APP_NEW, EVENT_BEGIN },
	{ "chat.edit-send", RUN_APP_NEW, EVENT_BEGIN },
	{ "claude-command", RUN_APP_OLD, EVENT_BEGIN },
	{ "cursor-command", RUN_APP_OLD, EVENT_BEGIN },
	{ "codex-command", RUN_APP_OLD, EVENT_BEGIN },
	{ "cursor-resume", RUN_APP_OLD, EVENT_BEGIN },
	{ NULL, RUN_APP_NONE, EVENT_NONE },
};

/* By "kind", from the new app. */
static const struct rule kind_rules[] = {
	{ "chat_subscribed", RUN_APP_NEW, EVENT_SUBSCRIBED },
	{ "complete", RUN_APP_NEW, EVENT_END },
	{ "protocol_error", RUN_APP_NEW, EVENT_REFUSED },
	{ NULL, RUN_APP_NONE, EVENT_NONE },
};

/* By "type", from the old one. */
static const struct rule type_rules[] = {
	{ "session-created", RUN_APP_OLD, EVENT_CREATED },
	{ "claude-complete", RUN_APP_OLD, EVENT_END },
	{ "claude-error", RUN_APP_OLD, EVENT_END },
	{ "cursor-complete", RUN_APP_OLD, EVENT_END },
	{ "cursor-result", RUN_APP_OLD, EVENT_END },
	{ "cursor-error", RUN_APP_OLD, EVENT_END },
	{ "codex-complete", RUN_APP_OLD, EVENT_END },
	{ "codex-error", RUN_APP_OLD, EVENT_END },
	{ "session-aborted", RUN_APP_OLD, EVENT_ABORTED },
	{ NULL, RUN_APP_NONE, EVENT_NONE },
};

struct chat_tap *
chat_tap_new(struct runs *runs)
{
	struct chat_tap *tap = calloc(1, sizeof(*tap));

	if (tap == NULL)
		fatal("chat_tap");
	tap->runs = runs;
	return tap;
}

void
chat_tap_free(struct chat_tap *tap)
{
	if (tap == NULL)
		return;
	runs_disown(tap->runs, tap);
	free(tap);
}

static const struct rule *
find_rule(const struct rule *rule, const char *name)
{
	while (rule->name != NULL && strcmp(rule->name, name) != 0)
		rule++;
	return rule;
}

static void
begin(struct chat_tap *tap, enum run_app app, const char *session)
{
	/* The new app needs a name. */
	if (session[0] == '\0' && app == RUN_APP_NEW) {
		runs_doubt(tap->runs);
		return;
	}
	runs_begin(tap->runs, app, tap, session);
}

/* Whether that is another word about what was aborted. */
static bool
is_straggler(struct chat_tap *tap, const char *session)
{
	if (tap->aborted_ms == 0 ||
	    (session[0] != '\0' && strcmp(session, tap->aborted) != 0))
		return false;
	if (monotonic_ms() - tap->aborted_ms > STRAGGLER_MS)
		return false;
	tap->aborted_ms = 0;
	return true;
}

static void
end(struct chat_tap *tap, enum run_app app, const char *session)
{
	if (app == RUN_APP_OLD && is_straggler(tap, session))
		runs_doubt(tap->runs);
	else
		runs_end(tap->runs, app, tap, session);
}

static void
abort_session(struct chat_tap *tap, const char *session)
{
	tap->aborted_ms = 0;
	end(tap, RUN_APP_OLD, session);
	tap->aborted_ms = monotonic_ms();
	(void)strlcpy(tap->aborted, session, sizeof(tap->aborted));
}

static void
take(struct chat_tap *tap, const struct rule *rule, const struct chat_peek *p)
{
	switch (rule->event) {
	case EVENT_NONE:
		break;
	case EVENT_BEGIN:
		begin(tap, rule->app, p->session);
		break;
	case EVENT_SUBSCRIBED:
		if (p->is_processing)
			begin(tap, rule->app, p->session);
		else
			runs_deny(tap->runs, p->session);
		break;
	case EVENT_CREATED:
		runs_name(tap->runs, tap, p->session);
		break;
	case EVENT_REFUSED:
		if (strcmp(p->code, "RUN_IN_PROGRESS") != 0)
			end(tap, rule->app, p->session);
		break;
	case EVENT_END:
		end(tap, rule->app, p->session);
		break;
	case EVENT_ABORTED:
		abort_session(tap, p->session);
		break;
	}
}

/* True at the end of a message, which the ear has looked at. */
static bool
listen(struct ear *ear, const void *data, size_t len, bool fin)
{
	if (!ear->in_message)
		chat_peek_start(&ear->peek);
	ear->in_message = !fin;
	chat_peek_feed(&ear->peek, data, len);
	return fin;
}

/* The apps do not care for the type. */
void
chat_tap_up(struct chat_tap *tap, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	const struct chat_peek *p = &tap->up.peek;

	(void)type;
	if (listen(&tap->up, data, len, fin))
		take(tap, find_rule(up_rules, p->type), p);
}

void
chat_tap_down(struct chat_tap *tap, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	const struct chat_peek *p = &tap->down.peek;

	(void)type;
	if (!listen(&tap->down, data, len, fin))
		return;
	if (p->kind[0] != '\0')
		take(tap, find_rule(kind_rules, p->kind), p);
	else
		take(tap, find_rule(type_rules, p->type), p);
}

bool
chat_tap_is_running(const struct chat_tap *tap)
{
	return runs_has(tap->runs, tap);
}
