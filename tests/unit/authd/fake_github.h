#ifndef TESTS_UNIT_AUTHD_FAKE_GITHUB_H
#define TESTS_UNIT_AUTHD_FAKE_GITHUB_H

#include <event2/event.h>
#include <json-c/json.h>

#include "authd/github.h"
#include "common/monotonic.h"
#include "tests/unit/authd/fixture.h"

/*
 * A GitHub that the test answers for, and a clock that stands still: these
 * stand in front of authd's and common's own.
 */

#define INSTANCE_TOKEN "ghs_instance"
#define USER_TOKEN     "gho_user"

struct github_request {
	TAILQ_ENTRY(github_request) entry;
	char path[GITHUB_PATH_MAX];
	char token[SESSION_TOKEN_MAX + 1];
	int64_t deadline_ms;
	void (*done)(void *, const struct github_answer *);
	void *arg;
};

struct fake_answer {
	enum github_result result;
	int status;
	const char *body; /* NULL if it is no JSON */
	bool more;
	uint32_t wait_ms;
	const char *why;
};

static TAILQ_HEAD(, github_request) fake_requests = TAILQ_HEAD_INITIALIZER(
    fake_requests);
static int64_t fake_now_ms = 1000000;
static int64_t fake_asked_ms; /* when the first of the requests was made */
static size_t fake_open;
/* All requests: "I /path\n", with U for the token of a user. */
static char fake_log[65536];

int64_t
monotonic_ms(void)
{
	return fake_now_ms;
}

struct github_request *
github_get(struct github *github, const char *path, const char *token,
    int64_t deadline_ms, void (*done)(void *, const struct github_answer *),
    void *arg)
{
	struct github_request *r = calloc(1, sizeof(*r));
	char line[GITHUB_PATH_MAX + 8];

	(void)github;
	assert_non_null(r);
	assert_true(strlen(path) < sizeof(r->path));
	assert_int_equal(
	    strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "abcdefghijklmnopqrstuvwxyz0123456789_-/?&="),
	    strlen(path));
	assert_true(deadline_ms > fake_now_ms);
	(void)strlcpy(r->path, path, sizeof(r->path));
	(void)strlcpy(r->token, token, sizeof(r->token));
	r->deadline_ms = deadline_ms;
	r->done = done;
	r->arg = arg;
	(void)snprintf(line, sizeof(line), "%c %s\n",
	    strcmp(token, INSTANCE_TOKEN) == 0 ? 'I' : 'U', path);
	if (fake_log[0] == '\0')
		fake_asked_ms = fake_now_ms;
	(void)strlcat(fake_log, line, sizeof(fake_log));
	TAILQ_INSERT_TAIL(&fake_requests, r, entry);
	fake_open++;
	return r;
}

void
github_cancel(struct github_request *r)
{
	TAILQ_REMOVE(&fake_requests, r, entry);
	fake_open--;
	free(r);
}

/* Parsed once: some are large, and are said often. */
static inline struct json_object *
fake_parse(const char *body)
{
	static struct {
		const char *body;
		struct json_object *json;
	} parsed[256];
	size_t i;

	for (i = 0; i < COUNT(parsed) - 1 && parsed[i].body != NULL; i++)
		if (parsed[i].body == body)
			return json_object_get(parsed[i].json);
	json_object_put(parsed[i].json);
	parsed[i].body = body;
	parsed[i].json = json_tokener_parse(body);
	assert_non_null(parsed[i].json);
	return json_object_get(parsed[i].json);
}

/* Answer the oldest request; the body is a constant. */
static inline void
fake_answer(const struct fake_answer *a)
{
	struct github_answer answer = { .result = a->result,
		.status = a->status,
		.more = a->more,
		.wait_ms = a->wait_ms,
		.why = a->why };
	struct github_request *r = TAILQ_FIRST(&fake_requests);

	assert_non_null(r);
	TAILQ_REMOVE(&fake_requests, r, entry);
	fake_open--;
	if (a->result == GITHUB_ANSWERED && a->body != NULL)
		answer.json = fake_parse(a->body);
	r->done(r->arg, &answer);
	json_object_put(answer.json);
	free(r);
}

static inline void
fake_say(int status, const char *body)
{
	const struct fake_answer a = {
		.result = GITHUB_ANSWERED, .status = status, .body = body
	};

	fake_answer(&a);
}

/* What was asked since the last time. */
static inline void
expect_requests(const char *wanted)
{
	if (strcmp(fake_log, wanted) != 0)
		fail_msg("asked:\n%sand not:\n%s", fake_log, wanted);
	fake_log[0] = '\0';
}

static inline void
make_people_conf(struct authd_conf *conf)
{
	int role;

	memset(conf, 0, sizeof(*conf));
	for (role = 0; role < SESSION_ROLE_COUNT; role++) {
		set_conf(&conf->users[role], "");
		set_conf(&conf->teams[role], "");
		set_conf(&conf->orgs[role], "");
	}
	set_conf(&conf->github_token, INSTANCE_TOKEN);
	set_conf(&conf->github_api, "https://api.github.com");
	conf->cache_allowed_ms = 300000;
	conf->cache_refused_ms = 60000;
}

static inline void
free_people_conf(struct authd_conf *conf)
{
	int role;

	for (role = 0; role < SESSION_ROLE_COUNT; role++) {
		free(conf->users[role]);
		free(conf->teams[role]);
		free(conf->orgs[role]);
	}
	free(conf->github_token);
	free(conf->github_api);
}

#endif
