#ifndef PROXYD_HEADERS_H
#define PROXYD_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

struct evbuffer;

/*
 * The header fields of the upstream's response, as lines from libcurl's
 * CURLOPT_HEADERFUNCTION.
 */

/*
 * All "connection" lines of a head, in bytes: what each other name is looked
 * for in.
 */
#define HEADERS_CONNECTION_MAX 4096

struct header {
	char *name; /* in lower case */
	char *value;
};

struct headers {
	struct header *list; /* in the order in which they came */
	size_t count;
	size_t lines; /* with those left out and those joined, for the bound */
	size_t size;  /* bytes, for the bound; rewriting may exceed it */
	size_t connection; /* bytes of "connection" lines */
	/* Bounds of a response's head; what is over them is refused. */
	size_t lines_max, size_max;
	int complete; /* the empty line was seen: trailers are ignored */
	int skipped;  /* the last line was left out: so is its continuation */
};

/* Start with bounds of its lines and of their bytes, line ends apart. */
void headers_init(struct headers *, size_t lines_max, size_t size_max);

/* Free all; the bounds stay, and it can be used again. */
void headers_clear(struct headers *);

/*
 * Take one line of the head, with or without its line end.  A status line
 * ("HTTP/…") begins anew, so that 1xx responses and those before a
 * redirection leave nothing behind; an empty line ends the head; folded
 * lines (RFC 9112 section 5.2) are joined by a space.  Lines that HTTP does
 * not allow are left out: an orchestrator might choke on them.  Returns -1
 * over a bound or out of memory.
 */
int headers_line(struct headers *, const char *line, size_t len);

/*
 * The value of the first field of that name, any case, or NULL.  Owned by
 * headers, and valid until the next headers_line().
 */
const char *headers_get(const struct headers *, const char *name);

/*
 * Change what came.  headers_replace() takes a value from malloc() over;
 * headers_remove() moves the fields behind it forward; headers_append()
 * copies both strings, the name in lower case, and returns -1 if out of
 * memory.  No bound is checked: that is the caller's.
 */
void headers_replace(struct headers *, size_t i, char *value);
void headers_remove(struct headers *, size_t i);
int headers_append(struct headers *, const char *name, const char *value);

/*
 * Whether a body of this many bytes is what Content-Length said, if anything
 * (RFC 9112 section 6.3).  Lengths that contradict each other, or are no
 * numbers, make it an answer that two readers may take apart differently.
 */
bool headers_length_is(const struct headers *, size_t received);

/* What headers_write() is to make true. */
#define HEADERS_NO_LENGTH   0x1 /* the body's length is no longer that */
#define HEADERS_NO_ENCODING 0x2 /* nor its Content-Encoding */
#define HEADERS_BASE64	    0x4 /* it travels as base64: say so */

/*
 * Add the fields that go on to the browser, as JSON: [["name","value"],…].
 * Left out are the hop-by-hop ones (RFC 9110 section 7.6.1, with what
 * "connection" names), x-orch-encoding, which is ours to set,
 * x-refreshed-token, a credential of the upstream, and content-length where
 * it stands beside transfer-encoding (RFC 9112 section 6.1) or is repeated.
 * Bytes that are not UTF-8 are taken for Latin-1.  Returns -1 if out of
 * memory.
 */
int headers_write(const struct headers *, unsigned flags, struct evbuffer *out);

#endif
