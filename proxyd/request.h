#ifndef PROXYD_REQUEST_H
#define PROXYD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/session.h"

struct evbuffer;
struct json_object;
struct proxyd_conf;

/*
 * One http_proxy_request, parsed and checked (tetherd-protocol(7)): what is
 * in a struct request without an error may be sent to the upstream as it
 * stands.
 */

/* Bounds in bytes, without a NUL; what is over them is a bad request. */
#define REQUEST_ID_MAX	   256 /* a longer one can not be answered */
#define REQUEST_METHOD_MAX 32
#define REQUEST_TARGET_MAX 32768
#define REQUEST_BASE_MAX   1024 /* proxy_base */

struct request {
	/* May hold any character, NUL too; always valid UTF-8. */
	const char *id;
	size_t id_len;

	/*
	 * Why it must be answered with a 400: a constant fit to be shown.
	 * NULL for a good request; otherwise only id means anything.
	 */
	const char *error;

	/* A token; GET, HEAD, POST, PUT, DELETE, OPTIONS in upper case. */
	char method[REQUEST_METHOD_MAX + 1];

	/*
	 * Path and query for the request line: begins with '/' and holds
	 * only printable ASCII other than space.  "//evil" is just a path:
	 * it must go into the request line (CURLOPT_REQUEST_TARGET), never
	 * into a URL of which a part decides about the host.
	 */
	char *target;

	/*
	 * The headers to forward, as CURLOPT_HTTPHEADER takes them:
	 * "Name: value", or "Name;" for one with an empty value.
	 */
	char **headers;
	size_t nheaders;

	/* Who asks, in the orchestrator's words; if false, nobody known. */
	bool identified;
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];

	const char *proxy_base; /* NULL for none; not looked at: prefix.h */
	bool service_worker;	/* asks for a service worker's script */
	bool fetched;		/* by a script, which shows no page */
	bool navigates;		/* the browser shows what comes back */

	/* Never for GET and HEAD; may be empty. */
	bool has_body;
	const uint8_t *body;
	size_t body_len;
	uint8_t *decoded; /* the body, if it came as base64 */

	struct json_object *json; /* owns id, proxy_base, most bodies */
};

/*
 * Parse the text of a message within the limits of the settings; text is
 * drained.  With keep_conditions the headers stay that ask for a 304 or 206;
 * it is for orchestrators that pass these statuses on (capability "status").
 *
 * Returns a request for request_free(), which may have an error set, or
 * NULL for what can not even be answered: *why then says for the log what
 * is wrong with it.
 */
struct request *request_parse(struct evbuffer *text, const struct proxyd_conf *,
    bool keep_conditions, const char **why);

void request_free(struct request *); /* NULL is fine */

/*
 * Make path and query (NULL or "" for none) ready for the request line:
 * what would end it there, or what servers take apart in their own ways, is
 * percent-encoded; '%' and all else is left as it came.  Returns
 * a string to be freed, or NULL with *why set.
 */
char *request_target(const char *path, size_t path_len, const char *query,
    size_t query_len, const char **why);

#endif
