#include <stdlib.h>
#include <string.h>

#include "proxyd/field.h"
#include "proxyd/rewrite.h"
#include "proxyd/rewrite_css.h"
#include "proxyd/rewrite_html.h"
#include "proxyd/rewrite_js.h"
#include "proxyd/rewrite_manifest.h"
#include "proxyd/text.h"

struct rewrite {
	enum rewrite_kind kind;
	const struct rewrite_insert *insert;
	const struct sink *sink;
	bool begun;
	union {
		struct rewrite_html html;
		struct rewrite_css css;
		struct rewrite_js js;
		struct rewrite_manifest manifest;
	} u;
};

/* Media types by what rewrites them. */
static const struct {
	const char *type;
	enum rewrite_kind kind;
} types[] = {
	{ "text/html", REWRITE_HTML },
	{ "text/css", REWRITE_CSS },
	{ "text/javascript", REWRITE_JS },
	{ "application/javascript", REWRITE_JS },
	{ "application/x-javascript", REWRITE_JS },
	{ "text/x-javascript", REWRITE_JS },
	{ "text/ecmascript", REWRITE_JS },
	{ "application/ecmascript", REWRITE_JS },
	{ "application/manifest+json", REWRITE_MANIFEST },
};

static bool
type_is(const char *content_type, const char *type)
{
	size_t len = strcspn(content_type, ";");

	field_trim(&content_type, &len);
	return len == strlen(type) && strncasecmp(content_type, type, len) == 0;
}

static bool
path_ends(const char *target, const char *end)
{
	size_t len = strcspn(target, "?"), n = strlen(end);

	return len >= n && strncmp(target + len - n, end, n) == 0;
}

/* The app's routes do not mind the case. */
static bool
is_api(const char *target)
{
	return strncasecmp(target, "/api", 4) == 0 &&
	       (target[4] == '/' || target[4] == '?' || target[4] == '\0');
}

enum rewrite_kind
rewrite_kind(const struct rewrite_question *q)
{
	enum rewrite_kind kind = REWRITE_NONE;
	size_t i;

	if (q->status != 200 || q->content_type == NULL ||
	    q->content_encoding != NULL || is_api(q->target) ||
	    !text_type(q->content_type))
		return REWRITE_NONE;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (type_is(q->content_type, types[i].type))
			kind = types[i].kind;
	if (kind == REWRITE_JS &&
	    (q->service_worker || path_ends(q->target, "/sw.js")))
		return REWRITE_WORKER;
	if (kind == REWRITE_NONE &&
	    (type_is(q->content_type, "application/json") ||
		type_is(q->content_type, "text/json")) &&
	    (path_ends(q->target, "/manifest.json") ||
		path_ends(q->target, ".webmanifest")))
		return REWRITE_MANIFEST;
	return kind;
}

struct rewrite *
rewrite_new(enum rewrite_kind kind, const struct prefix *prefix,
    const struct rewrite_insert *insert, const struct sink *sink)
{
	struct rewrite *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->kind = kind;
	r->insert = insert;
	r->sink = sink;
	switch (kind) {
	case REWRITE_HTML:
		rewrite_html_init(
		    &r->u.html, prefix, insert->text, insert->len, sink);
		break;
	case REWRITE_CSS:
		rewrite_css_init(&r->u.css, prefix, sink);
		break;
	case REWRITE_JS:
	case REWRITE_WORKER:
		rewrite_js_init(&r->u.js, prefix, sink);
		break;
	case REWRITE_MANIFEST:
		if (rewrite_manifest_init(&r->u.manifest, prefix, sink) == 0)
			break;
		free(r);
		return NULL;
	case REWRITE_NONE:
		break;
	}
	return r;
}

void
rewrite_free(struct rewrite *r)
{
	if (r != NULL && r->kind == REWRITE_MANIFEST)
		rewrite_manifest_clear(&r->u.manifest);
	free(r);
}

/* A service worker's prologue, which must run before all else. */
static int
begin(struct rewrite *r)
{
	if (r->begun)
		return 0;
	r->begun = true;
	return r->kind != REWRITE_WORKER
		   ? 0
		   : sink_write(r->sink, r->insert->text, r->insert->len);
}

int
rewrite_feed(struct rewrite *r, const void *in, size_t len)
{
	if (begin(r) == -1)
		return -1;
	switch (r->kind) {
	case REWRITE_HTML:
		return rewrite_html_feed(&r->u.html, in, len);
	case REWRITE_CSS:
		return rewrite_css_feed(&r->u.css, in, len);
	case REWRITE_JS:
	case REWRITE_WORKER:
		return rewrite_js_feed(&r->u.js, in, len);
	case REWRITE_MANIFEST:
		return rewrite_manifest_feed(&r->u.manifest, in, len);
	case REWRITE_NONE:
		break;
	}
	return sink_write(r->sink, in, len);
}

int
rewrite_finish(struct rewrite *r)
{
	if (begin(r) == -1)
		return -1;
	switch (r->kind) {
	case REWRITE_HTML:
		return rewrite_html_finish(&r->u.html);
	case REWRITE_CSS:
		return rewrite_css_finish(&r->u.css);
	case REWRITE_JS:
	case REWRITE_WORKER:
		return rewrite_js_finish(&r->u.js);
	case REWRITE_MANIFEST:
		return rewrite_manifest_finish(&r->u.manifest);
	case REWRITE_NONE:
		break;
	}
	return 0;
}
