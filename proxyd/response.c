#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "proxyd/answer.h"
#include "proxyd/page.h"
#include "proxyd/proxyd.h"
#include "proxyd/request.h"
#include "proxyd/response.h"
#include "proxyd/rewrite_fields.h"
#include "proxyd/text.h"

/* What is decoded at a time. */
#define DECODED_SIZE 16384

/* What a rewriter makes of the body: one more step to the answer. */
static int
on_rewritten(void *arg, const void *data, size_t len)
{
	struct response *r = arg;

	r->length += len;
	return body_feed(&r->body, data, len);
}

void
response_init(struct response *r, const struct proxyd *proxyd,
    const struct request *request, const struct prefix *prefix)
{
	memset(r, 0, sizeof(*r));
	r->proxyd = proxyd;
	r->request = request;
	r->prefix = prefix;
	headers_init(&r->headers, proxyd->conf.headers_max,
	    proxyd->conf.headers_size_max);
}

void
response_reset(struct response *r)
{
	headers_clear(&r->headers);
	body_clear(&r->body);
	decode_free(r->decode);
	rewrite_free(r->rewrite);
	free(r->insert_text);
	response_init(r, r->proxyd, r->request, r->prefix);
}

/* Its Content-Encoding, or NULL once it is decoded. */
static const char *
get_coding(const struct response *r, int status)
{
	enum decode_coding coding = decode_coding(&r->headers, status);

	return coding == DECODE_NONE || decode_is_known(coding)
		   ? NULL
		   : headers_get(&r->headers, "content-encoding");
}

enum rewrite_kind
response_kind(const struct response *r, int status)
{
	struct rewrite_question q = {
		.target = r->target,
		.service_worker = r->request->service_worker,
		.content_type = headers_get(&r->headers, "content-type"),
		.content_encoding = get_coding(r, status),
		.status = status,
	};

	return r->prefix == NULL ? REWRITE_NONE : rewrite_kind(&q);
}

static bool
is_head(const struct response *r)
{
	return strcmp(r->request->method, "HEAD") == 0;
}

/* Make what goes into the body, and the rewriter. */
static int
begin_rewrite(struct response *r, const char *handle)
{
	const struct proxyd *p = r->proxyd;
	struct page page = {
		.prefix = r->prefix,
		.client_id = p->link.client_id,
		.handle = handle,
		.login = handle[0] != '\0' ? r->request->login : "",
		.external = p->conf.page_script_external,
		.base64 = (p->link.capabilities & LINK_BASE64) == 0,
		.callback = p->conf.callback_url,
		.token = r->token,
	};

	if (r->kind == REWRITE_HTML || r->kind == REWRITE_WORKER) {
		r->insert_text = r->kind == REWRITE_HTML ? page_injection(&page)
							 : page_worker(&page);
		if (r->insert_text == NULL)
			return -1;
		r->insert.text = r->insert_text;
		r->insert.len = strlen(r->insert_text);
	}
	r->sink.write = on_rewritten;
	r->sink.arg = r;
	r->rewrite = rewrite_new(r->kind, r->prefix, &r->insert, &r->sink);
	return r->rewrite == NULL ? -1 : 0;
}

int
response_begin(struct response *r, int status, const char *handle)
{
	const struct proxyd *p = r->proxyd;
	bool text = text_type(headers_get(&r->headers, "content-type")) &&
		    get_coding(r, status) == NULL;
	enum decode_coding coding = decode_coding(&r->headers, status);
	size_t max = p->conf.body_max;

	if (max > p->link.message_max)
		max = p->link.message_max;
	r->begun = true;
	r->kind = response_kind(r, status);
	if (body_start(&r->body, text, max) == -1)
		return -1;
	if (decode_is_known(coding) && (r->decode = decode_new(coding)) == NULL)
		return -1;
	/* A HEAD has no body into which anything could go. */
	if (r->kind == REWRITE_NONE || is_head(r))
		return 0;
	return begin_rewrite(r, handle);
}

static int
feed_plain(struct response *r, const void *piece, size_t len)
{
	return r->rewrite == NULL ? on_rewritten(r, piece, len)
				  : rewrite_feed(r->rewrite, piece, len);
}

int
response_feed(struct response *r, const void *piece, size_t len)
{
	const uint8_t *in = piece;
	uint8_t plain[DECODED_SIZE];
	ssize_t n;

	r->received += len;
	if (r->decode == NULL)
		return feed_plain(r, piece, len);
	while (
	    (n = decode_feed(r->decode, &in, &len, plain, sizeof(plain))) > 0)
		if (feed_plain(r, plain, (size_t)n) == -1)
			return -1;
	if (n == -1)
		errno = EBADMSG;
	return (int)n;
}

bool
response_is_coded(const struct response *r)
{
	return r->decode != NULL;
}

bool
response_is_sound(const struct response *r, int status)
{
	if (!r->headers.complete || status < 200)
		return false;
	if (is_head(r) || status == 204 || status == 304)
		return true;
	return headers_length_is(&r->headers, r->received) &&
	       (r->decode == NULL || decode_is_whole(r->decode));
}

int
response_finish(struct response *r)
{
	if (r->rewrite != NULL && rewrite_finish(r->rewrite) == -1)
		return -1;
	return body_finish(&r->body);
}

/* The head as it is under the prefix. */
static int
rewrite_head(struct response *r, int status)
{
	struct rewrite_fields spec = {
		.prefix = r->prefix,
		.upstream = r->base,
		.utf8 = !body_is_base64(&r->body),
		.version = page_version(),
		.script_hash = page_script_hash(),
	};

	if (r->prefix == NULL)
		return 0;
	if (r->kind == REWRITE_HTML)
		spec.body = REWRITE_FIELDS_PAGE;
	else if (r->kind != REWRITE_NONE ||
		 (status == 304 && rewrite_fields_may_change(r->target)))
		spec.body = REWRITE_FIELDS_CHANGED;
	return rewrite_fields(&r->headers, &spec);
}

/* Content-Length as it is now, where there was one and it can be told. */
static int
set_length(struct response *r)
{
	char *length;
	size_t i;

	for (i = 0;
	     (r->rewrite != NULL || r->decode != NULL) && i < r->headers.count;
	     i++) {
		if (strcmp(r->headers.list[i].name, "content-length") != 0)
			continue;
		if (asprintf(&length, "%zu", r->length) == -1)
			return -1;
		headers_replace(&r->headers, i, length);
	}
	return 0;
}

/*
 * An orchestrator that does not undo base64 sends it to the browser as it
 * is, longer than the body was; what a HEAD or 304 leaves out, we did not
 * see; and a 204 has no length (RFC 9110 section 8.6).
 */
static bool
length_is_untrue(const struct response *r, int status)
{
	if (status == 204 || status == 304)
		return true;
	if (is_head(r))
		return r->kind != REWRITE_NONE || r->decode != NULL;
	return body_is_base64(&r->body) && body_length(&r->body) > 0 &&
	       (r->proxyd->link.capabilities & LINK_BASE64) == 0;
}

struct evbuffer *
response_compose(struct response *r, int status)
{
	unsigned flags = 0;

	if ((r->decode != NULL && decode_fields(&r->headers) == -1) ||
	    rewrite_head(r, status) == -1 || set_length(r) == -1)
		return NULL;
	if (length_is_untrue(r, status))
		flags |= HEADERS_NO_LENGTH;
	if (r->decode != NULL)
		flags |= HEADERS_NO_ENCODING;
	return answer_compose(r->request->id, r->request->id_len, status,
	    &r->headers, flags, &r->body);
}
