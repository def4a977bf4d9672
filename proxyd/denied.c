#include <sha2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/base64.h"
#include "common/json.h"
#include "common/log.h"
#include "common/session.h"
#include "common/utf8.h"
#include "proxyd/answer.h"
#include "proxyd/denied.h"
#include "proxyd/request.h"

/* Bytes of a path that a page shows. */
#define PATH_SHOWN 200

#define HASH_SIZE BASE64_SIZE(SHA256_DIGEST_LENGTH)
#define LINES_MAX 8

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:12vh 1.5rem;font:1rem/1.5 system-ui,sans-serif;"
    "color:#1f2328;background:#fff}"
    "main{max-width:34rem;margin:auto}"
    "h1{font-size:1.5rem;margin:0 0 1rem}"
    "p{margin:0 0 1rem;overflow-wrap:anywhere}"
    "h1+p::first-letter{text-transform:uppercase}"
    ".small{color:#59636e;font-size:.875rem}"
    "code{font-family:ui-monospace,monospace}"
    "@media(prefers-color-scheme:dark){"
    "body{color:#f0f6fc;background:#0d1117}.small{color:#9198a1}}";

/* As a Content-Security-Policy names the style. */
static const char *
style_hash(void)
{
	static char text[HASH_SIZE + 1];
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct base64 encoder = { 0 };
	SHA2_CTX sha;
	size_t n;

	if (text[0] != '\0')
		return text;
	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)style, strlen(style));
	SHA256Final(digest, &sha);
	n = base64_feed(&encoder, digest, sizeof(digest), text);
	n += base64_finish(&encoder, text + n);
	text[n] = '\0';
	return text;
}

static const char *
title(int status)
{
	switch (status) {
	case 403:
		return "Access denied";
	case 429:
		return "Too many requests";
	default:
		return "Not available now";
	}
}

/* At most so many bytes of a text, none of which is markup. */
static void
write_html(FILE *out, const char *text, size_t max)
{
	for (; *text != '\0' && max > 0; text++, max--)
		if (strchr("&<>\"'", *text) != NULL)
			(void)fprintf(out, "&#%d;", *text);
		else
			(void)fputc(*text, out);
}

static void
write_paragraph(FILE *out, const char *text)
{
	if (text[0] == '\0')
		return;
	(void)fputs("<p>", out);
	write_html(out, text, SIZE_MAX);
	(void)fputs("</p>\n", out);
}

/* A login may be written from right to left: it turns nothing else round. */
static void
write_who(FILE *out, const struct request *r)
{
	size_t len = strcspn(r->target, "?");

	(void)fputs("<p class=\"small\">", out);
	if (r->identified) {
		(void)fputs("You are <strong><bdi>", out);
		write_html(out, r->login, SIZE_MAX);
		(void)fputs("</bdi></strong>. ", out);
	} else
		(void)fputs("Nobody is signed in. ", out);
	(void)fputs("Refused: <code>", out);
	write_html(out, r->method, SIZE_MAX);
	(void)fputc(' ', out);
	write_html(out, r->target, len < PATH_SHOWN ? len : PATH_SHOWN);
	(void)fprintf(out, "%s</code></p>\n", len > PATH_SHOWN ? "\u2026" : "");
}

static void
write_page(FILE *out, const struct request *r, const struct denied *d)
{
	const char *heading = title(d->status);

	(void)fprintf(out,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n"
	    "<title>%s</title>\n<style>%s</style>\n</head>\n"
	    "<body>\n<main>\n<h1>%s</h1>\n",
	    heading, style, heading);
	write_paragraph(out, d->reason);
	write_paragraph(out, d->advice);
	write_who(out, r);
	(void)fputs("</main>\n</body>\n</html>\n", out);
}

static void
write_object(FILE *out, const struct denied *d)
{
	struct json_object *object = json_object_new_object();
	size_t len;

	if (object == NULL)
		fatalx("json: out of memory");
	json_add_string(object, "error", d->reason);
	if (d->advice[0] != '\0')
		json_add_string(object, "advice", d->advice);
	(void)fputs(json_text(object, &len), out);
	json_object_put(object);
}

static char *
make_text(const struct request *r, const struct denied *d)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	if (r->navigates)
		write_page(out, r, d);
	else
		write_object(out, d);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* What is no UTF-8 says nothing to anybody. */
static const char *
make_safe(char dst[SESSION_REASON_MAX], const char *src)
{
	(void)strlcpy(dst, src, SESSION_REASON_MAX);
	return utf8_valid((const uint8_t *)dst, strlen(dst))
		   ? dst
		   : log_safe(dst, SESSION_REASON_MAX, src);
}

struct evbuffer *
denied_compose(const struct request *r, const struct denied *d)
{
	char reason[SESSION_REASON_MAX], advice[SESSION_REASON_MAX];
	char mark[SESSION_REASON_MAX], policy[HASH_SIZE + 128];
	char denied[sizeof(mark) + 32], retry[32];
	const char *lines[LINES_MAX] = { "Cache-Control: no-store",
		"X-Content-Type-Options: nosniff",
		"Content-Type: application/json" };
	const struct denied safe = { d->status, make_safe(reason, d->reason),
		make_safe(advice, d->advice), d->retry_s, d->untold };
	bool is_head = strcmp(r->method, "HEAD") == 0;
	struct evbuffer *answer;
	size_t n = 3;
	char *text;

	if (r->navigates) {
		(void)snprintf(policy, sizeof(policy),
		    "Content-Security-Policy: default-src 'none'; style-src "
		    "'sha256-%s'; base-uri 'none'; form-action 'none'; "
		    "frame-ancestors 'self'",
		    style_hash());
		lines[2] = "Content-Type: text/html; charset=utf-8";
		lines[n++] = policy;
	}
	if (d->status != 503) {
		(void)snprintf(denied, sizeof(denied), DENIED_FIELD ": %s",
		    log_safe(mark, sizeof(mark), reason));
		lines[n++] = denied;
	}
	if (d->retry_s > 0) {
		(void)snprintf(
		    retry, sizeof(retry), "Retry-After: %u", d->retry_s);
		lines[n++] = retry;
	}
	lines[n] = NULL;
	if ((text = make_text(r, &safe)) == NULL)
		return NULL;
	answer = answer_compose_text(r->id, r->id_len, d->status, lines, text,
	    is_head ? 0 : strlen(text));
	free(text);
	return answer;
}
