#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <errno.h>
#include <sha1.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/ws_internal.h"

/* How long the peer may take to answer our close frame. */
static const struct timeval close_timeout = { 2, 0 };

/* libevent's own limits, 16 KiB, cost throughput. */
#define WS_SINGLE_READ	(64 * 1024)
#define WS_SINGLE_WRITE (256 * 1024)

static void ws_wake(evutil_socket_t, short, void *);
static void ws_close_timeout(evutil_socket_t, short, void *);
static void ws_readable(struct bufferevent *, void *);
static void ws_written(struct bufferevent *, void *);
static void ws_event(struct bufferevent *, short, void *);
static void ws_destroy(struct ws *);

struct ws *
ws_new(struct bufferevent *bev, enum ws_role role, size_t message_max,
    const struct ws_ops *ops, void *arg)
{
	struct event_base *base = bufferevent_get_base(bev);
	struct ws *ws;

	if ((ws = calloc(1, sizeof(*ws))) == NULL)
		return NULL;
	ws->role = role;
	ws->message_max = message_max;
	ws->ops = ops;
	ws->arg = arg;
	if (ops->part == NULL)
		ws->message = evbuffer_new();
	ws->frame = evbuffer_new();
	ws->behind = evbuffer_new();
	if ((ops->part == NULL && ws->message == NULL) || ws->frame == NULL ||
	    ws->behind == NULL) {
		ws_destroy(ws);
		return NULL;
	}
	ws->bev = bev;
	(void)event_assign(&ws->wake, base, -1, 0, ws_wake, ws);
	(void)evtimer_assign(&ws->close_timer, base, ws_close_timeout, ws);
	bufferevent_setcb(bev, ws_readable, ws_written, ws_event, ws);
	/* Ask for writable() well before the output runs dry. */
	bufferevent_setwatermark(bev, EV_WRITE, WS_OUTPUT_HIGH / 2, 0);
	bufferevent_setwatermark(bev, EV_READ, 0, 0);
	(void)bufferevent_set_max_single_read(bev, WS_SINGLE_READ);
	(void)bufferevent_set_max_single_write(bev, WS_SINGLE_WRITE);
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
	event_active(&ws->wake, 0, 0);
	return ws;
}

void
ws_free(struct ws *ws)
{
	if (ws == NULL || ws->freed)
		return;
	/* The bufferevent's other owners may close the socket right away. */
	(void)event_del(&ws->wake);
	(void)event_del(&ws->close_timer);
	bufferevent_free(ws->bev);
	ws->bev = NULL;
	ws->state = WS_OVER;
	ws->freed = true;
	if (ws->depth == 0)
		ws_destroy(ws);
}

static void
ws_destroy(struct ws *ws)
{
	if (ws->message != NULL)
		evbuffer_free(ws->message);
	if (ws->frame != NULL)
		evbuffer_free(ws->frame);
	if (ws->behind != NULL)
		evbuffer_free(ws->behind);
	free(ws);
}

/* Callbacks are made between these two: ws_free() is legal in each. */
static void
ws_enter(struct ws *ws)
{
	ws->depth++;
}

static void
ws_leave(struct ws *ws)
{
	if (--ws->depth == 0 && ws->freed)
		ws_destroy(ws);
}

void
ws_over(struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	if (ws->state == WS_OVER)
		return;
	ws->state = WS_OVER;
	ws->code = code;
	ws->clean = clean;
	/* A reason may be ws->reason itself, kept from a close frame. */
	if (reason != ws->reason)
		(void)strlcpy(ws->reason, reason, sizeof(ws->reason));
	(void)event_del(&ws->close_timer);
	(void)bufferevent_disable(ws->bev, EV_READ | EV_WRITE);
	event_active(&ws->wake, 0, 0);
}

static void
ws_wake(evutil_socket_t fd, short what, void *arg)
{
	struct ws *ws = arg;

	(void)fd;
	(void)what;
	ws_enter(ws);
	if (ws->state == WS_OVER)
		ws->ops->closed(ws->arg, ws, ws->code, ws->reason, ws->clean);
	else
		ws_receive(ws);
	ws_leave(ws);
}

static void
ws_readable(struct bufferevent *bev, void *arg)
{
	struct ws *ws = arg;

	(void)bev;
	ws_enter(ws);
	ws_receive(ws);
	ws_leave(ws);
}

static void
ws_written(struct bufferevent *bev, void *arg)
{
	struct ws *ws = arg;

	ws_enter(ws);
	if (ws->state == WS_ENDING &&
	    evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		ws_over(ws, ws->code, ws->reason, true);
	if (ws->state == WS_OPEN && ws->pong_due) {
		ws->pong_due = false;
		(void)ws_frame(ws, WSLAY_PONG, true, ws->pong, ws->npong);
	}
	if (ws->state == WS_OPEN && ws->blocked && ws_is_writable(ws)) {
		ws->blocked = false;
		if (ws->ops->writable != NULL)
			ws->ops->writable(ws->arg, ws);
	}
	ws_leave(ws);
}

static void
ws_event(struct bufferevent *bev, short what, void *arg)
{
	struct ws *ws = arg;
	const char *reason;
	int error = EVUTIL_SOCKET_ERROR();

	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) == 0)
		return;
	/* Once the close frames are exchanged anybody may hang up. */
	if (ws->state == WS_ENDING || ws->state == WS_FAILED) {
		ws_over(ws, ws->code, ws->reason, true);
		return;
	}
	/* TLS that ends without its farewell is an error without a number. */
	if ((what & BEV_EVENT_EOF) != 0 ||
	    ((what & BEV_EVENT_ERROR) != 0 && error == 0))
		reason = "closed without a close frame";
	else if ((what & BEV_EVENT_TIMEOUT) != 0)
		reason = "timed out";
	else
		reason = evutil_socket_error_to_string(error);
	ws_over(ws, WS_CLOSE_ABNORMAL, reason, false);
}

static void
ws_close_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct ws *ws = arg;

	(void)fd;
	(void)what;
	if (ws->state != WS_CLOSING)
		ws_over(ws, ws->code, ws->reason, true);
	else
		ws_over(
		    ws, WS_CLOSE_ABNORMAL, "close frame not answered", false);
}

void
ws_close(struct ws *ws, uint16_t code, const char *reason)
{
	if (ws->state != WS_OPEN)
		return;
	ws_send_close(ws, code, reason);
	ws->state = WS_CLOSING;
	(void)evtimer_add(&ws->close_timer, &close_timeout);
	/* The peer's close frame must get through. */
	ws_resume(ws);
}

void
ws_fail(struct ws *ws, uint16_t code, const char *reason)
{
	if (ws->state == WS_OPEN) {
		ws_send_close(ws, code, reason);
		(void)evtimer_add(&ws->close_timer, &close_timeout);
	}
	ws->state = WS_FAILED;
	ws->failed = true;
	ws->code = code;
	(void)strlcpy(ws->reason, reason, sizeof(ws->reason));
}

bool
ws_has_failed(const struct ws *ws)
{
	return ws->failed;
}

struct bufferevent *
ws_bufferevent(const struct ws *ws)
{
	return ws->bev;
}

void
ws_close_received(struct ws *ws, uint16_t code, const char *reason)
{
	if (ws->state == WS_OPEN) {
		/* Answered with the same code (section 5.5.1). */
		ws_send_close(ws, code, "");
		(void)evtimer_add(&ws->close_timer, &close_timeout);
	}
	ws->state = WS_ENDING;
	ws->code = code;
	(void)strlcpy(ws->reason, reason, sizeof(ws->reason));
	if (evbuffer_get_length(bufferevent_get_output(ws->bev)) == 0)
		ws_over(ws, ws->code, ws->reason, true);
}

void
ws_pause(struct ws *ws)
{
	if (ws->state != WS_OPEN)
		return;
	ws->paused = true;
	(void)bufferevent_disable(ws->bev, EV_READ);
}

void
ws_resume(struct ws *ws)
{
	if (!ws->paused || ws->state == WS_OVER)
		return;
	ws->paused = false;
	(void)bufferevent_enable(ws->bev, EV_READ);
	/* What is buffered already makes no event. */
	event_active(&ws->wake, 0, 0);
}

void
ws_accept(char accept[WS_ACCEPT_SIZE], const char *key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t digest[SHA1_DIGEST_LENGTH];
	char text[BASE64_SIZE(SHA1_DIGEST_LENGTH)];
	struct base64 b = { 0 };
	SHA1_CTX sha;
	size_t n;

	SHA1Init(&sha);
	SHA1Update(&sha, (const uint8_t *)key, strlen(key));
	SHA1Update(&sha, (const uint8_t *)guid, sizeof(guid) - 1);
	SHA1Final(digest, &sha);
	n = base64_feed(&b, digest, sizeof(digest), text);
	n += base64_finish(&b, text + n);
	memcpy(accept, text, n);
	accept[n] = '\0';
}
