#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "authd/github.h"
#include "authd/health.h"
#include "authd/membership.h"
#include "common/log.h"
#include "common/slice.h"

/*
 * Any bytes as GitHub's answers: the questions come to an end, and nobody is
 * let in of whom GitHub did not say that they are a member.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define LOGIN "octocat"
#define ID    "583231"

struct github_request {
	bool open;
	char path[GITHUB_PATH_MAX];
	void (*done)(void *, const struct github_answer *);
	void *arg;
};

static struct github_request request;
static struct finding found;
static int ends, asked;

struct github_request *
github_get(struct github *github, const char *path, const char *token,
    int64_t deadline_ms, void (*done)(void *, const struct github_answer *),
    void *arg)
{
	(void)github;
	(void)token;
	(void)deadline_ms;
	if (request.open || strstr(path, "..") != NULL ||
	    strpbrk(path, " %#\\\r\n") != NULL ||
	    strlcpy(request.path, path, sizeof(request.path)) >=
		sizeof(request.path))
		abort();
	request.open = true;
	request.done = done;
	request.arg = arg;
	asked++;
	return &request;
}

void
github_cancel(struct github_request *r)
{
	r->open = false;
}

static uint32_t
on_limited(void *arg)
{
	(void)arg;
	return 0;
}

static void
on_done(void *arg, const struct finding *f)
{
	(void)arg;
	found = *f;
	ends++;
}

/* In any case; and escapes may hide a word from the search. */
static bool
may_say(const uint8_t *data, size_t size, const char *text)
{
	size_t i, len = strlen(text);

	for (i = 0; i < size; i++)
		if (data[i] == '\\' ||
		    (len <= size - i &&
			strncasecmp((const char *)data + i, text, len) == 0))
			return true;
	return false;
}

/* Answer with a status and a body, up to a byte 0xff. */
static bool
answer(const uint8_t **data, size_t *size)
{
	static const int statuses[] = { 200, 200, 200, 200, 401, 403, 404,
		500 };
	struct github_answer a = { .result = GITHUB_ANSWERED };
	struct json_tokener *tokener;
	const uint8_t *body, *end;
	uint8_t head = 0x80;
	size_t len = 0;

	if (*size > 0) {
		head = **data;
		++*data;
		--*size;
	}
	body = *data;
	if ((head & 0x80) != 0) {
		a.result = (head & 1) != 0 ? GITHUB_LIMITED : GITHUB_FAILED;
		a.wait_ms = head;
	} else {
		end = memchr(body, 0xff, *size);
		len = end != NULL ? (size_t)(end - body) : *size;
		*data += len + (end != NULL);
		*size -= len + (end != NULL);
		a.status = statuses[head & 7];
		a.more = (head & 8) != 0;
		tokener = json_tokener_new_ex(64);
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
		a.json = json_tokener_parse_ex(
		    tokener, (const char *)body, (int)len);
		json_tokener_free(tokener);
	}
	request.open = false;
	request.done(request.arg, &a);
	json_object_put(a.json);
	return a.status == 200 &&
	       (may_say(body, len, "active") || may_say(body, len, "acme") ||
		   may_say(body, len, "beta"));
}

static void
check(bool own, bool said, bool named)
{
	if (ends != 1 || request.open)
		abort();
	if (found.kind != FINDING_ALLOWED)
		return;
	if (own ? found.github_id == 0 || found.login[0] == '\0'
		: found.github_id != 583231 || strcmp(found.login, LOGIN) != 0)
		abort();
	if (strcmp(found.rule, "users") != 0 && !said)
		abort();
	if (strcmp(found.rule, "users") == 0 &&
	    (!own || strcasecmp(found.login, "alice") != 0))
		abort();
	if (!own && !named)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char users[] = "alice", teams[] = "acme/staff", none[] = "",
		    orgs[] = "acme beta";
	struct authd_conf conf = { .users = { users, none },
		.teams = { none, teams },
		.orgs = { orgs, none } };
	struct health health = { .asked = false };
	struct membership_question q = { .conf = &conf,
		.health = &health,
		.token = "t",
		.github_id = 583231,
		.login = LOGIN,
		.deadline_ms = INT64_MAX,
		.limited = on_limited,
		.done = on_done };
	const uint8_t *before;
	struct membership *m;
	bool said = false, named = false;

	log_set_level(LOG_LEVEL_CRIT);
	q.own = size > 0 && (data[0] & 1) != 0;
	ends = asked = 0;
	memset(&found, 0, sizeof(found));
	m = membership_ask(&q);
	while (request.open) {
		before = data;
		if (answer(&data, &size))
			said = true;
		if (may_say(before, (size_t)(data - before), ID))
			named = true;
		if (asked > 40)
			abort();
	}
	check(q.own, said, named);
	membership_free(m);
	return 0;
}
