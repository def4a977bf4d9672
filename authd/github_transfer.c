#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <json-c/json.h>
#include <openssl/ssl.h>

#include "authd/github_internal.h"
#include "common/json.h"
#include "common/log.h"
#include "common/slice.h"

/* A connection that nobody used for so long is closed, in seconds. */
#define IDLE_SECONDS 30L

#define RECEIVE_BUFFER (16L * 1024)

static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct github_request *r = arg;

	if (github_head_add(&r->head, line, size * n, time(NULL)) == 0)
		return size * n;
	r->why = "the head of the answer is too large";
	return 0;
}

static size_t
on_body(char *piece, size_t size, size_t n, void *arg)
{
	struct github_request *r = arg;
	size_t len = size * n;

	if (len > GITHUB_BODY_MAX - evbuffer_get_length(r->body)) {
		r->why = "the answer is too large";
		return 0;
	}
	if (evbuffer_add(r->body, piece, len) == -1) {
		r->why = "out of memory";
		return 0;
	}
	return len;
}

/* curl made a context for a new connection: it is to trust whom we trust. */
static CURLcode
on_context(CURL *easy, void *context, void *arg)
{
	const struct github_request *r = arg;

	(void)easy;
	SSL_CTX_set1_cert_store(
	    context, SSL_CTX_get_cert_store(r->github->site.trust.ctx));
	SSL_CTX_set_options(
	    context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	return CURLE_OK;
}

static int
add_header(struct github_request *r, const char *header)
{
	struct curl_slist *list = curl_slist_append(r->headers, header);

	if (list == NULL)
		return -1;
	r->headers = list;
	return 0;
}

/* Host is all that curl adds to them. */
static int
add_headers(struct github_request *r)
{
	char *authorization;
	int rc;

	if (add_header(r, "Accept: application/vnd.github+json") == -1 ||
	    add_header(r, "X-GitHub-Api-Version: 2022-11-28") == -1 ||
	    add_header(r, "User-Agent: tetherd/" TETHERD_VERSION) == -1 ||
	    asprintf(&authorization, "Authorization: Bearer %s", r->token) ==
		-1)
		return -1;
	rc = add_header(r, authorization);
	freezero(authorization, strlen(authorization));
	freezero(r->token, strlen(r->token));
	r->token = NULL;
	return rc;
}

#define SET(option, value)                                                \
	do {                                                              \
		if (curl_easy_setopt(r->easy, option, value) != CURLE_OK) \
			return -1;                                        \
	} while (0)

static int
set_tls_options(struct github_request *r)
{
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAPATH, NULL);
	/* libcurl 7.88 would keep whom we trusted once, for a day. */
	SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_context);
	SET(CURLOPT_SSL_CTX_DATA, r);
	/* A session that is resumed is not verified again. */
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	return 0;
}

static int
set_options(struct github_request *r)
{
	const struct github_site *site = &r->github->site;
	char url[GITHUB_URL_MAX + GITHUB_PATH_MAX + 1];

	(void)snprintf(url, sizeof(url), "%s%s", site->url, r->path);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, site->tls ? "https" : "http");
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_MAXAGE_CONN, IDLE_SECONDS);
	SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	SET(CURLOPT_ERRORBUFFER, r->error);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, r);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, r);
	SET(CURLOPT_PRIVATE, r);
	if (set_tls_options(r) == -1 || socket_set_options(r) == -1 ||
	    add_headers(r) == -1)
		return -1;
	SET(CURLOPT_HTTPHEADER, r->headers);
	return 0;
}

int
transfer_open(struct github_request *r)
{
	r->body = evbuffer_new();
	r->easy = curl_easy_init();
	if (r->body == NULL || r->easy == NULL || set_options(r) == -1) {
		transfer_close(r);
		return -1;
	}
	return 0;
}

void
transfer_close(struct github_request *r)
{
	struct curl_slist *header;

	curl_easy_cleanup(r->easy);
	r->easy = NULL;
	for (header = r->headers; header != NULL; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(r->headers);
	r->headers = NULL;
	curl_slist_free_all(r->target);
	r->target = NULL;
	if (r->body != NULL)
		evbuffer_free(r->body);
	r->body = NULL;
}

void
transfer_rewind(struct github_request *r)
{
	evbuffer_drain(r->body, evbuffer_get_length(r->body));
	memset(&r->head, 0, sizeof(r->head));
	r->error[0] = '\0';
	r->why = NULL;
	r->wants_socket = false;
}

/* What curl says may have parts of what the other side says. */
static const char *
describe(struct github_request *r, CURLcode code, char why[GITHUB_WHY_SIZE])
{
	if (r->why != NULL)
		return r->why;
	return log_safe(why, GITHUB_WHY_SIZE,
	    r->error[0] != '\0' ? r->error : curl_easy_strerror(code));
}

void
transfer_answer(struct github_request *r, CURLcode code,
    char why[GITHUB_WHY_SIZE], struct github_answer *answer)
{
	long status = 0;

	memset(answer, 0, sizeof(*answer));
	/* To curl, a head may end with the connection. */
	if (code == CURLE_OK && !r->head.whole) {
		code = CURLE_PARTIAL_FILE;
		r->why = "the answer is cut";
	}
	if (code != CURLE_OK) {
		answer->result = GITHUB_FAILED;
		answer->why = describe(r, code, why);
		return;
	}
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int)status;
	answer->json = json_parse_value(r->body, JSON_DEPTH_MAX);
	answer->more = r->head.more;
	answer->result = github_head_is_limit(&r->head, answer->status,
			     time(NULL), &answer->wait_ms)
			     ? GITHUB_LIMITED
			     : GITHUB_ANSWERED;
}
