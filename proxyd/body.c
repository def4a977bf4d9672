#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <event2/buffer.h>

#include "proxyd/body.h"

/* What is handled at a time: bounds the stack, and how far a limit slips. */
#define PIECE_MAX 12288

int
body_start(struct body *body, bool text, size_t max)
{
	memset(body, 0, sizeof(*body));
	body->max = max;
	body->base64 = !text;
	if ((body->content = evbuffer_new()) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* Add at most PIECE_MAX bytes as base64. */
static int
body_encode(struct body *body, const uint8_t *piece, size_t len)
{
	char encoded[BASE64_SIZE(PIECE_MAX)];
	size_t n;

	n = base64_feed(&body->encoder, piece, len, encoded);
	if (evbuffer_add(body->content, encoded, n) == -1) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/*
 * Turn the text so far into base64.  Both forms exist at once only for the
 * length of a piece: the text goes as the base64 comes.
 */
static int
body_convert(struct body *body)
{
	struct evbuffer *text = body->content;
	struct unescape undo = { 0 };
	char piece[PIECE_MAX];
	int n, status = 0;
	size_t len;

	body->base64 = true;
	if ((body->content = evbuffer_new()) == NULL) {
		body->content = text;
		errno = ENOMEM;
		return -1;
	}
	while (status == 0 &&
	       (n = evbuffer_remove(text, piece, sizeof(piece))) > 0) {
		len = unescape_feed(&undo, piece, (size_t)n, (uint8_t *)piece);
		status = body_encode(body, (uint8_t *)piece, len);
	}
	evbuffer_free(text);
	return status;
}

/* Add at most PIECE_MAX bytes in whatever form the body has. */
static int
body_add(struct body *body, const uint8_t *piece, size_t len)
{
	ssize_t used = 0;

	if (!body->base64) {
		used = escape_add(&body->escape, body->content, piece, len);
		if (used == -1) {
			errno = ENOMEM;
			return -1;
		}
		if ((size_t)used == len)
			return 0;
		if (body_convert(body) == -1)
			return -1;
	}
	return body_encode(body, piece + used, len - (size_t)used);
}

static int
body_check(const struct body *body)
{
	if (evbuffer_get_length(body->content) > body->max) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

int
body_feed(struct body *body, const void *piece, size_t len)
{
	const uint8_t *p = piece;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = len < PIECE_MAX ? len : PIECE_MAX;
		if (body_add(body, p, n) == -1 || body_check(body) == -1)
			return -1;
	}
	return 0;
}

int
body_finish(struct body *body)
{
	char end[4];
	size_t n;

	if (!body->base64) {
		if (escape_complete(&body->escape))
			return 0;
		if (body_convert(body) == -1)
			return -1;
	}
	n = base64_finish(&body->encoder, end);
	if (evbuffer_add(body->content, end, n) == -1) {
		errno = ENOMEM;
		return -1;
	}
	return body_check(body);
}

bool
body_is_base64(const struct body *body)
{
	return body->base64;
}

size_t
body_length(const struct body *body)
{
	return evbuffer_get_length(body->content);
}

void
body_clear(struct body *body)
{
	if (body->content != NULL)
		evbuffer_free(body->content);
	memset(body, 0, sizeof(*body));
}
