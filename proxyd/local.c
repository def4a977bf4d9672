#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/handle.h"
#include "proxyd/answer.h"
#include "proxyd/local.h"
#include "proxyd/page.h"
#include "proxyd/request.h"

#define LOCAL_PATH "/__tether/"

enum local
local_find(const struct request *r)
{
	static const struct {
		const char *path;
		const char *method;
		enum local local;
	} table[] = {
		{ PAGE_SCRIPT_PATH, "GET", LOCAL_SCRIPT },
		{ LOCAL_PATH "handle", "POST", LOCAL_HANDLE },
	};
	size_t i, len = strcspn(r->target, "?");

	if (strncmp(r->target, LOCAL_PATH, strlen(LOCAL_PATH)) != 0)
		return LOCAL_NONE;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (len == strlen(table[i].path) &&
		    strncmp(r->target, table[i].path, len) == 0)
			return strcmp(r->method, table[i].method) == 0
				   ? table[i].local
				   : LOCAL_METHOD;
	return LOCAL_UNKNOWN;
}

/* Pages name the version; one of another tetherd gets what there is. */
static bool
is_current(const struct request *r)
{
	const char *query = strchr(r->target, '?');

	return query != NULL && strncmp(query, "?v=", 3) == 0 &&
	       strcmp(query + 3, page_version()) == 0;
}

struct evbuffer *
local_script(const struct request *r)
{
	const char *const lines[] = {
		"Content-Type: text/javascript; charset=utf-8",
		is_current(r)
		    ? "Cache-Control: private, max-age=31536000, immutable"
		    : "Cache-Control: no-store",
		NULL
	};
	struct rewrite_insert script = page_script();

	return answer_compose_text(
	    r->id, r->id_len, 200, lines, script.text, script.len);
}

struct evbuffer *
local_handle(const struct request *r, const char *handle)
{
	static const char *const lines[] = { "Content-Type: application/json",
		"Cache-Control: no-store", NULL };
	char text[HANDLE_SIZE + 16];
	struct evbuffer *answer;

	(void)snprintf(text, sizeof(text), "{\"handle\":\"%s\"}", handle);
	answer = answer_compose_text(
	    r->id, r->id_len, 200, lines, text, strlen(text));
	explicit_bzero(text, sizeof(text));
	return answer;
}
