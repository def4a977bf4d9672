#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/log.h"
#include "proxyd/chat_filter.h"
#include "proxyd/chat_scan.h"
#include "proxyd/escape.h"

/*
 * None of them has a member that could change anything: sessionId, provider
 * and sessions say what is asked about, lastSeq from where on.
 */
static const char *const questions[] = {
	"chat.subscribe",
	"check-session-status",
	"get-active-sessions",
	"get-pending-permissions",
};

/*
 * Messages after which a page waits, and what ends that: an error of the
 * protocol that names the session; or, in an app without these, the end of
 * whatever runs.
 */
enum answer { ANSWER_ERROR, ANSWER_END };

static const struct {
	const char *type;
	enum answer answer;
} commands[] = {
	{ "chat.send", ANSWER_ERROR },
	{ "chat.edit-send", ANSWER_ERROR },
	{ "claude-command", ANSWER_END },
	{ "cursor-command", ANSWER_END },
	{ "cursor-resume", ANSWER_END },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Of a session, with its quotes: what is longer is not said again. */
#define SESSION_NAME_MAX 256

static bool
is_type(const char *type, size_t len, const char *wanted)
{
	return len == strlen(wanted) && memcmp(type, wanted, len) == 0;
}

bool
chat_filter_knows(const char *type, size_t len)
{
	size_t i;

	for (i = 0; i < COUNT(questions); i++)
		if (is_type(type, len, questions[i]))
			return true;
	return false;
}

static bool
may_pass(const struct chat_filter *f)
{
	struct chat_scan scan;

	return !f->is_bad && chat_scan(f->text, f->len, &scan) == 0 &&
	       scan.type != NULL && chat_filter_knows(scan.type, scan.type_len);
}

static void
gather(struct chat_filter *f, const uint8_t *data, size_t len)
{
	uint8_t *text;

	if (f->is_bad || len == 0)
		return;
	if (len > CHAT_FILTER_MAX - f->len) {
		chat_filter_clear(f);
		f->is_bad = true;
		return;
	}
	if ((text = realloc(f->text, f->len + len)) == NULL)
		fatal("chat");
	memcpy(text + f->len, data, len);
	f->text = text;
	f->len += len;
}

enum chat_verdict
chat_filter_feed(struct chat_filter *f, enum ws_type type, const uint8_t *data,
    size_t len, bool more)
{
	if (type != WS_TEXT)
		f->is_bad = true;
	gather(f, data, len);
	if (more)
		return CHAT_MORE;
	return may_pass(f) ? CHAT_PASSES : CHAT_HELD;
}

void
chat_filter_clear(struct chat_filter *f)
{
	free(f->text);
	memset(f, 0, sizeof(*f));
}

static bool
say_error(struct evbuffer *out, const struct chat_scan *scan, const char *why)
{
	if (evbuffer_add_printf(out,
		"{\"kind\":\"protocol_error\",\"code\":\"READ_ONLY\","
		"\"sessionId\":") == -1 ||
	    evbuffer_add(out, scan->session, scan->session_len) == -1 ||
	    evbuffer_add_printf(out, ",\"error\":\"") == -1 ||
	    escape_add_text(out, why, strlen(why)) == -1 ||
	    evbuffer_add_printf(out, "\"}") == -1)
		fatal("chat");
	return true;
}

static bool
say_end(struct evbuffer *out)
{
	if (evbuffer_add_printf(
		out, "{\"type\":\"claude-complete\",\"exitCode\":1}") == -1)
		fatal("chat");
	return true;
}

bool
chat_filter_answer(
    const struct chat_filter *f, const char *why, struct evbuffer *out)
{
	struct chat_scan scan;
	size_t i;

	if (f->is_bad || chat_scan(f->text, f->len, &scan) == -1 ||
	    scan.type == NULL)
		return false;
	for (i = 0; i < COUNT(commands); i++)
		if (is_type(scan.type, scan.type_len, commands[i].type))
			break;
	if (i == COUNT(commands))
		return false;
	if (commands[i].answer == ANSWER_END)
		return say_end(out);
	return scan.session != NULL && scan.session_len <= SESSION_NAME_MAX &&
	       say_error(out, &scan, why);
}
