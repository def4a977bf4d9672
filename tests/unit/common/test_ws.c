#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/ws.h"

#define MESSAGE_MAX 1024

/* A ws on one end of a socket pair, and what it reported. */
struct fixture {
	struct event_base *base;
	struct ws *ws;
	int peer;
	char log[4096]; /* one word for each callback */
	uint16_t code;
	bool clean;
	bool failed;
	bool closed;
	const char *free_in; /* the callback that frees the ws */
	/* of part() */
	struct evbuffer *gathered; /* of a message that is not at its end */
	size_t parts;
	bool pausing; /* in each of them */
};

static void
note(struct fixture *f, const char *callback, const char *text)
{
	size_t len = strlen(f->log);

	(void)snprintf(
	    f->log + len, sizeof(f->log) - len, "%s(%s) ", callback, text);
	if (f->free_in != NULL && strcmp(f->free_in, callback) == 0) {
		ws_free(f->ws);
		f->ws = NULL;
	}
}

static void
on_message(
    void *arg, struct ws *ws, enum ws_type type, struct evbuffer *message)
{
	struct fixture *f = arg;
	char text[MESSAGE_MAX + 1] = "";
	int n = evbuffer_remove(message, text, sizeof(text) - 1);

	assert_ptr_equal(ws, f->ws);
	assert_true(n >= 0);
	note(f, type == WS_TEXT ? "text" : "binary", text);
}

static void
on_part(void *arg, struct ws *ws, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	struct fixture *f = arg;
	char text[MESSAGE_MAX + 1] = "";
	int n;

	assert_ptr_equal(ws, f->ws);
	assert_true(len > 0 || fin);
	f->parts++;
	assert_int_equal(evbuffer_add(f->gathered, data, len), 0);
	if (f->pausing)
		ws_pause(ws);
	if (!fin) {
		if (f->free_in != NULL && strcmp(f->free_in, "part") == 0)
			note(f, "part", "");
		return;
	}
	n = evbuffer_remove(f->gathered, text, sizeof(text) - 1);
	assert_true(n >= 0);
	assert_int_equal(evbuffer_get_length(f->gathered), 0);
	note(f, type == WS_TEXT ? "text" : "binary", text);
}

static void
on_pong(void *arg, struct ws *ws)
{
	(void)ws;
	note(arg, "pong", "");
}

static void
on_writable(void *arg, struct ws *ws)
{
	(void)ws;
	note(arg, "writable", "");
}

static void
on_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	struct fixture *f = arg;

	assert_false(f->closed);
	f->closed = true;
	f->code = code;
	f->clean = clean;
	f->failed = ws_has_failed(ws);
	note(f, "closed", reason);
	if (f->ws != NULL)
		ws_free(ws);
	f->ws = NULL;
}

static const struct ws_ops ops = {
	.message = on_message,
	.pong = on_pong,
	.writable = on_writable,
	.closed = on_closed,
};

static const struct ws_ops part_ops = {
	.part = on_part,
	.pong = on_pong,
	.writable = on_writable,
	.closed = on_closed,
};

static struct bufferevent *
bufferevent_of(struct event_base *base, int fd)
{
	struct bufferevent *bev;

	assert_int_equal(evutil_make_socket_nonblocking(fd), 0);
	bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	assert_non_null(bev);
	return bev;
}

static void
fixture_init_ops(
    struct fixture *f, enum ws_role role, const struct ws_ops *ws_ops)
{
	int fds[2];

	memset(f, 0, sizeof(*f));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(evutil_make_socket_nonblocking(fds[1]), 0);
	f->base = event_base_new();
	f->peer = fds[1];
	f->gathered = evbuffer_new();
	f->ws = ws_new(
	    bufferevent_of(f->base, fds[0]), role, MESSAGE_MAX, ws_ops, f);
	assert_non_null(f->ws);
}

static void
fixture_init(struct fixture *f, enum ws_role role)
{
	fixture_init_ops(f, role, &ops);
}

static void
fixture_clear(struct fixture *f)
{
	ws_free(f->ws);
	if (f->peer != -1)
		close(f->peer);
	/* The bufferevent closes its descriptor from the loop. */
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	event_base_free(f->base);
	evbuffer_free(f->gathered);
}

/* Let the loop do all that it can do now. */
static void
spin(struct fixture *f)
{
	int i;

	for (i = 0; i < 8; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static void
peer_send(struct fixture *f, const void *data, size_t len)
{
	assert_int_equal(send(f->peer, data, len, MSG_NOSIGNAL), len);
	spin(f);
}

/* What the ws sent, as far as it fits. */
static size_t
peer_read(struct fixture *f, uint8_t *data, size_t size)
{
	ssize_t n;
	size_t len = 0;

	while (len < size && (n = read(f->peer, data + len, size - len)) > 0) {
		len += (size_t)n;
		spin(f);
	}
	return len;
}

/* A frame as a client sends it; the mask is zero. */
static size_t
frame(uint8_t *out, uint8_t first, const char *payload, size_t len)
{
	size_t n = 0;

	out[n++] = first;
	if (len < 126) {
		out[n++] = (uint8_t)(0x80 | len);
	} else {
		out[n++] = 0x80 | 126;
		out[n++] = (uint8_t)(len >> 8);
		out[n++] = (uint8_t)len;
	}
	memset(out + n, 0, 4);
	memcpy(out + n + 4, payload, len);
	return n + 4 + len;
}

#define BYTES(s) s, sizeof(s) - 1
#define FRAME(first, s)                 \
	{                               \
		first, s, sizeof(s) - 1 \
	}

struct piece {
	uint8_t first;
	const char *payload;
	size_t len;
};

static const char x600[601] = { [0 ... 599] = 'x' };

static const struct {
	const char *name;
	struct piece pieces[4];
	const char *log;
	int code;	  /* of closed(), 0 for none */
	const char *sent; /* the beginning of what goes out */
	size_t nsent;
} received[] = {
	{ "text", { FRAME(0x81, "hi") }, "text(hi) ", 0, BYTES("") },
	{ "empty text", { FRAME(0x81, "") }, "text() ", 0, BYTES("") },
	{ "binary", { FRAME(0x82, "\xff\x01") }, "binary(\xff\x01) ", 0,
	    BYTES("") },
	{ "two", { FRAME(0x81, "a"), FRAME(0x81, "b") }, "text(a) text(b) ", 0,
	    BYTES("") },
	{ "fragments", { FRAME(0x01, "a"), FRAME(0x00, ""), FRAME(0x80, "b") },
	    "text(ab) ", 0, BYTES("") },
	{ "ping between fragments",
	    { FRAME(0x01, "a"), FRAME(0x89, "p"), FRAME(0x80, "b") },
	    "text(ab) ", 0, BYTES("\x8a\x01p") },
	{ "pong", { FRAME(0x8a, "") }, "pong() ", 0, BYTES("") },
	{ "character in two fragments",
	    { FRAME(0x01, "\xc3"), FRAME(0x80, "\xa9") }, "text(\xc3\xa9) ", 0,
	    BYTES("") },
	{ "not UTF-8", { FRAME(0x81, "\xc3(") }, "closed(text is not UTF-8) ",
	    1007, BYTES("\x88\x13\x03\xef") },
	{ "unfinished UTF-8", { FRAME(0x81, "\xc3") },
	    "closed(text is not UTF-8) ", 1007, BYTES("\x88\x13\x03\xef") },
	{ "reserved bit", { FRAME(0xc1, "a") }, "closed(bad frame header) ",
	    1002, BYTES("\x88\x12\x03\xea") },
	{ "opcode 3", { FRAME(0x83, "a") }, "closed(unknown opcode) ", 1002,
	    BYTES("\x88\x10\x03\xea") },
	{ "opcode 11", { FRAME(0x8b, "") }, "closed(unknown opcode) ", 1002,
	    BYTES("\x88\x10\x03\xea") },
	{ "continuation of nothing", { FRAME(0x80, "a") },
	    "closed(fragments out of order) ", 1002,
	    BYTES("\x88\x18\x03\xea") },
	{ "text in a message", { FRAME(0x01, "a"), FRAME(0x81, "b") },
	    "closed(fragments out of order) ", 1002,
	    BYTES("\x88\x18\x03\xea") },
	{ "fragmented ping", { FRAME(0x09, "a") }, "closed(bad frame header) ",
	    1002, BYTES("\x88\x12\x03\xea") },
	{ "long ping", { { 0x89, x600, 126 } }, "closed(bad frame header) ",
	    1002, BYTES("\x88\x12\x03\xea") },
	{ "too big in sum", { { 0x01, x600, 600 }, { 0x80, x600, 600 } },
	    "closed(message too big) ", 1009, BYTES("\x88\x11\x03\xf1") },
	{ "close",
	    { FRAME(0x88, "\x03\xe8"
			  "bye"),
		FRAME(0x81, "late") },
	    "closed(bye) ", 1000, BYTES("\x88\x02\x03\xe8") },
	{ "close without code", { FRAME(0x88, "") }, "closed() ", 1005,
	    BYTES("\x88\x00") },
	{ "close 4999", { FRAME(0x88, "\x13\x87") }, "closed() ", 4999,
	    BYTES("\x88\x02\x13\x87") },
	{ "close of one byte", { FRAME(0x88, "\x03") },
	    "closed(bad close frame) ", 1002, BYTES("\x88\x11\x03\xea") },
	{ "close 1005", { FRAME(0x88, "\x03\xed") }, "closed(bad close code) ",
	    1002, BYTES("\x88\x10\x03\xea") },
	{ "close 1006", { FRAME(0x88, "\x03\xee") }, "closed(bad close code) ",
	    1002, BYTES("\x88\x10\x03\xea") },
	{ "close 999", { FRAME(0x88, "\x03\xe7") }, "closed(bad close code) ",
	    1002, BYTES("\x88\x10\x03\xea") },
	{ "close 2999", { FRAME(0x88, "\x0b\xb7") }, "closed(bad close code) ",
	    1002, BYTES("\x88\x10\x03\xea") },
	{ "close, bad reason", { FRAME(0x88, "\x03\xe8\xff") },
	    "closed(close reason is not UTF-8) ", 1007,
	    BYTES("\x88\x1b\x03\xef") },
};
#define NRECEIVED (sizeof(received) / sizeof(received[0]))

static void
check_received(size_t i, const struct ws_ops *ws_ops, bool bytewise)
{
	struct fixture f;
	uint8_t in[2048], out[256];
	size_t len = 0, n, p;

	fixture_init_ops(&f, WS_SERVER, ws_ops);
	for (p = 0; p < 4 && received[i].pieces[p].payload != NULL; p++)
		len += frame(in + len, received[i].pieces[p].first,
		    received[i].pieces[p].payload, received[i].pieces[p].len);
	for (n = 0; n < len && !f.closed; n += bytewise ? 1 : len)
		peer_send(&f, in + n, bytewise ? 1 : len);
	n = peer_read(&f, out, sizeof(out));
	assert_true(n >= received[i].nsent);
	assert_memory_equal(out, received[i].sent, received[i].nsent);
	/* A peer that broke the protocol may hang up; then it is over. */
	shutdown(f.peer, SHUT_WR);
	spin(&f);
	if (received[i].code == 0) {
		assert_int_equal(f.code, WS_CLOSE_ABNORMAL);
		assert_false(f.clean);
		assert_int_equal(
		    strncmp(f.log, received[i].log, strlen(received[i].log)),
		    0);
	} else {
		assert_int_equal(f.code, received[i].code);
		assert_true(f.clean);
		assert_int_equal(f.failed, f.code == WS_CLOSE_PROTOCOL ||
					       f.code == WS_CLOSE_INVALID ||
					       f.code == WS_CLOSE_TOO_BIG);
		assert_string_equal(f.log, received[i].log);
	}
	fixture_clear(&f);
}

static void
test_received(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NRECEIVED; i++) {
		print_message("# %s\n", received[i].name);
		check_received(i, &ops, false);
		check_received(i, &ops, true);
		/* Passed on in parts nothing is too big. */
		if (received[i].code == WS_CLOSE_TOO_BIG)
			continue;
		check_received(i, &part_ops, false);
		check_received(i, &part_ops, true);
	}
}

/* More than is gathered, and more than comes in one piece. */
static void
test_large_parts(void **state)
{
	static const char payload[50000];
	static uint8_t in[sizeof(payload) + 14];
	struct fixture f;
	size_t i, n;

	(void)state;
	fixture_init_ops(&f, WS_SERVER, &part_ops);
	for (i = 0; i < 10; i++) {
		n = frame(in, i == 0 ? 0x02 : 0x00, payload, sizeof(payload));
		peer_send(&f, in, n / 2);
		peer_send(&f, in + n / 2, n - n / 2);
		assert_string_equal(f.log, "");
		assert_int_equal(evbuffer_get_length(f.gathered), 50000);
		(void)evbuffer_drain(f.gathered, 50000);
	}
	assert_true(f.parts >= 20);
	peer_send(&f, in, frame(in, 0x89, "p", 1));
	assert_string_equal(f.log, "");
	peer_send(&f, in, frame(in, 0x80, "", 0));
	assert_string_equal(f.log, "binary() ");
	/* What follows is a message of its own. */
	n = f.parts;
	peer_send(&f, in, frame(in, 0x81, "", 0));
	peer_send(&f, in, frame(in, 0x81, "a", 1));
	assert_string_equal(f.log, "binary() text() text(a) ");
	assert_int_equal(f.parts, n + 2);
	fixture_clear(&f);
}

/* Each part pauses: nothing more comes, nor is lost, until it is resumed. */
static void
test_pausing_parts(void **state)
{
	struct fixture f;
	uint8_t in[256];
	size_t n, parts;

	(void)state;
	fixture_init_ops(&f, WS_SERVER, &part_ops);
	f.pausing = true;
	n = frame(in, 0x01, "a", 1);
	n += frame(in + n, 0x89, "", 0);
	n += frame(in + n, 0x00, "b", 1);
	n += frame(in + n, 0x80, "", 0);
	n += frame(in + n, 0x81, "c", 1);
	n += frame(in + n, 0x8a, "", 0);
	peer_send(&f, in, n);
	for (parts = 1; parts <= 4; parts++) {
		assert_int_equal(f.parts, parts);
		assert_string_equal(f.log, parts < 3   ? ""
					   : parts < 4 ? "text(ab) "
						       : "text(ab) text(c) ");
		ws_resume(f.ws);
		assert_int_equal(f.parts, parts);
		spin(&f);
	}
	assert_string_equal(f.log, "text(ab) text(c) pong() ");
	fixture_clear(&f);
}

/* Bad UTF-8 is found as it comes; the parts before it are not taken back. */
static void
test_bad_parts(void **state)
{
	static const struct {
		const char *end;
		size_t gathered;
	} cases[] = { { "x\xff", 1 }, { "\xc3", 1 }, { "\xe2\x82", 1 } };
	struct fixture f;
	uint8_t in[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_init_ops(&f, WS_SERVER, &part_ops);
		peer_send(&f, in, frame(in, 0x01, "a", 1));
		peer_send(&f, in,
		    frame(in, 0x80, cases[i].end, strlen(cases[i].end)));
		shutdown(f.peer, SHUT_WR);
		spin(&f);
		assert_string_equal(f.log, "closed(text is not UTF-8) ");
		assert_int_equal(f.code, WS_CLOSE_INVALID);
		assert_int_equal(
		    evbuffer_get_length(f.gathered), cases[i].gathered);
		fixture_clear(&f);
	}
	/* An empty last frame may not hide an unfinished character. */
	fixture_init_ops(&f, WS_SERVER, &part_ops);
	peer_send(&f, in, frame(in, 0x01, "\xc3", 1));
	peer_send(&f, in, frame(in, 0x80, "", 0));
	shutdown(f.peer, SHUT_WR);
	spin(&f);
	assert_int_equal(f.code, WS_CLOSE_INVALID);
	fixture_clear(&f);
}

/* After our close frame no part comes any more. */
static void
test_part_after_close(void **state)
{
	struct fixture f;
	uint8_t in[64];

	(void)state;
	fixture_init_ops(&f, WS_SERVER, &part_ops);
	peer_send(&f, in, frame(in, 0x01, "a", 1));
	ws_close(f.ws, WS_CLOSE_NORMAL, "");
	peer_send(&f, in, frame(in, 0x00, "b", 1));
	peer_send(&f, in, frame(in, 0x80, "", 0));
	peer_send(&f, in, frame(in, 0x81, "c", 1));
	assert_int_equal(f.parts, 1);
	peer_send(&f, in, frame(in, 0x88, "", 0));
	shutdown(f.peer, SHUT_WR);
	spin(&f);
	assert_string_equal(f.log, "closed() ");
	fixture_clear(&f);
}

/* Frames that the table cannot write. */
static void
test_headers(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int code;
	} cases[] = {
		{ BYTES("\x81\x02hi"), 1002 }, /* not masked */
		/* announces 2^40 bytes: refused before they come */
		{ BYTES("\x81\xff\0\0\1\0\0\0\0\0mask1"), 1009 },
		/* 2^63 bytes, and lengths that are not minimal */
		{ BYTES("\x81\xff\x80\0\0\0\0\0\0\0mask1"), 1002 },
		{ BYTES("\x81\xfe\0\5mask12345"), 1002 },
		{ BYTES("\x81\xff\0\0\0\0\0\0\0\5mask12345"), 1002 },
	};
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_init(&f, WS_SERVER);
		peer_send(&f, cases[i].bytes, cases[i].len);
		shutdown(f.peer, SHUT_WR);
		spin(&f);
		assert_true(f.closed);
		assert_int_equal(f.code, cases[i].code);
		fixture_clear(&f);
	}
}

static void
test_client_refuses_mask(void **state)
{
	struct fixture f;
	uint8_t in[64];

	(void)state;
	fixture_init(&f, WS_CLIENT);
	peer_send(&f, "\x81\x02hi", 4);
	assert_string_equal(f.log, "text(hi) ");
	peer_send(&f, in, frame(in, 0x81, "hi", 2));
	shutdown(f.peer, SHUT_WR);
	spin(&f);
	assert_int_equal(f.code, 1002);
	fixture_clear(&f);
}

/* Both roles against each other, through fragments and a paused reader. */
static void
test_pair(void **state)
{
	struct fixture client, server;
	char large[600];

	(void)state;
	memset(large, 'l', sizeof(large));
	fixture_init(&client, WS_CLIENT);
	memset(&server, 0, sizeof(server));
	server.base = client.base;
	server.peer = -1;
	server.ws = ws_new(bufferevent_of(client.base, client.peer), WS_SERVER,
	    MESSAGE_MAX, &ops, &server);
	client.peer = -1;

	assert_int_equal(
	    ws_send_fragment(client.ws, WS_TEXT, false, "a", 1), 0);
	assert_int_equal(ws_send(client.ws, WS_TEXT, "behind", 6), 0);
	assert_int_equal(ws_ping(client.ws), 0);
	assert_int_equal(
	    ws_send_fragment(client.ws, WS_TEXT, false, "b", 1), 0);
	ws_pause(server.ws);
	assert_int_equal(ws_send_fragment(client.ws, WS_TEXT, true, "c", 1), 0);
	spin(&client);
	assert_string_equal(server.log, "");
	ws_resume(server.ws);
	assert_string_equal(server.log, "");
	spin(&client);
	assert_string_equal(server.log, "text(abc) text(behind) ");
	assert_string_equal(client.log, "pong() ");

	assert_int_equal(ws_send(client.ws, WS_BINARY, large, 600), 0);
	assert_int_equal(ws_send_fragment(server.ws, WS_TEXT, true, "x", 1), 0);
	spin(&client);
	assert_non_null(strstr(server.log, "binary(lll"));
	assert_non_null(strstr(client.log, "text(x)"));

	ws_close(client.ws, 4321, "done");
	assert_int_equal(ws_send(client.ws, WS_TEXT, "late", 4), -1);
	assert_false(client.closed);
	spin(&client);
	assert_int_equal(client.code, 4321);
	assert_true(client.clean);
	assert_int_equal(server.code, 4321);
	assert_true(server.clean);
	assert_non_null(strstr(server.log, "closed(done)"));
	fixture_clear(&client);
}

static void
test_free_in_callbacks(void **state)
{
	static const struct {
		const char *name;
		const struct ws_ops *ops;
		bool closed;
	} callbacks[] = {
		{ "text", &ops, false },
		{ "pong", &ops, false },
		{ "closed", &ops, true },
		{ "part", &part_ops, false },
		{ "text", &part_ops, false },
	};
	struct fixture f;
	uint8_t in[256];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++) {
		fixture_init_ops(&f, WS_SERVER, callbacks[i].ops);
		f.free_in = callbacks[i].name;
		len = frame(in, 0x8a, "", 0);
		len += frame(in + len, 0x01, "a", 1);
		len += frame(in + len, 0x80, "", 0);
		len += frame(in + len, 0x81, "b", 1);
		len += frame(in + len, 0x88, "", 0);
		peer_send(&f, in, len);
		assert_null(f.ws);
		assert_int_equal(f.closed, callbacks[i].closed);
		fixture_clear(&f);
	}
}

/* The same for what was left in the input by a pause. */
static void
test_free_after_pause(void **state)
{
	struct fixture f;
	uint8_t in[64];
	size_t len;

	(void)state;
	fixture_init_ops(&f, WS_SERVER, &part_ops);
	f.pausing = true;
	len = frame(in, 0x81, "a", 1);
	len += frame(in + len, 0x81, "b", 1);
	peer_send(&f, in, len);
	assert_string_equal(f.log, "text(a) ");
	f.pausing = false;
	f.free_in = "text";
	ws_resume(f.ws);
	spin(&f);
	assert_string_equal(f.log, "text(a) text(b) ");
	assert_null(f.ws);
	fixture_clear(&f);
}

/* Read what was sent until little is left. */
static void
test_writable(void **state)
{
	static char data[WS_OUTPUT_HIGH];
	static uint8_t out[WS_OUTPUT_HIGH * 2];
	struct fixture f;

	(void)state;
	for (int freeing = 0; freeing < 2; freeing++) {
		fixture_init(&f, WS_SERVER);
		f.free_in = freeing ? "writable" : NULL;
		assert_true(ws_is_writable(f.ws));
		ws_send(f.ws, WS_BINARY, data, sizeof(data));
		assert_false(ws_is_writable(f.ws));
		assert_true(ws_output_length(f.ws) > sizeof(data));
		spin(&f);
		assert_true(peer_read(&f, out, sizeof(out)) > 0);
		assert_string_equal(f.log, "writable() ");
		fixture_clear(&f);
	}
}

/* Pings whose answers are not read cost no memory. */
static void
test_ping_flood(void **state)
{
	static char data[WS_OUTPUT_HIGH];
	static uint8_t out[WS_OUTPUT_HIGH * 2];
	struct fixture f;
	uint8_t in[64];
	size_t len = frame(in, 0x89, "0123456789", 10), n, before;
	int i;

	(void)state;
	fixture_init(&f, WS_SERVER);
	ws_send(f.ws, WS_BINARY, data, sizeof(data));
	ws_send(f.ws, WS_BINARY, data, sizeof(data));
	spin(&f);
	before = ws_output_length(f.ws);
	for (i = 0; i < 10000; i++)
		peer_send(&f, in, len);
	assert_int_equal(ws_output_length(f.ws), before);
	n = peer_read(&f, out, sizeof(out));
	n += peer_read(&f, out, sizeof(out));
	/* two frames with a header of ten bytes, and one pong */
	assert_int_equal(n, 2 * (sizeof(data) + 10) + 12);
	fixture_clear(&f);
}

/* A peer that never answers a close frame is dropped after 2 seconds. */
static void
test_close_timeout(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, WS_SERVER);
	ws_close(f.ws, WS_CLOSE_NORMAL, "");
	ws_close(f.ws, WS_CLOSE_NORMAL, "");
	while (!f.closed)
		event_base_loop(f.base, EVLOOP_ONCE);
	assert_int_equal(f.code, WS_CLOSE_ABNORMAL);
	assert_false(f.clean);
	fixture_clear(&f);
}

static void
test_accept(void **state)
{
	char accept[WS_ACCEPT_SIZE];

	(void)state;
	/* the example of RFC 6455 section 1.3 */
	ws_accept(accept, "dGhlIHNhbXBsZSBub25jZQ==");
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_received),
		cmocka_unit_test(test_large_parts),
		cmocka_unit_test(test_pausing_parts),
		cmocka_unit_test(test_bad_parts),
		cmocka_unit_test(test_part_after_close),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_client_refuses_mask),
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_free_in_callbacks),
		cmocka_unit_test(test_free_after_pause),
		cmocka_unit_test(test_writable),
		cmocka_unit_test(test_ping_flood),
		cmocka_unit_test(test_close_timeout),
		cmocka_unit_test(test_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
