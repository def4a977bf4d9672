#ifndef AUTHD_GITHUB_H
#define AUTHD_GITHUB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * The GitHub REST API: GET requests over TLS, with libcurl on sockets that
 * the parent connects.  Connections are kept for a while and used again.
 *
 * Everything that GitHub answers is bounded, and taken for what it is only if
 * it is JSON; redirections are answers like any other and lead nowhere.
 */

struct authd_conf;
struct child;
struct github;
struct github_request;
struct json_object;

/* Bytes of an answer's body, and of a request's path and query. */
#define GITHUB_BODY_MAX 262144
#define GITHUB_PATH_MAX 512

/* Requests at once, and those that wait for their turn; more are refused. */
#define GITHUB_AT_ONCE 8
#define GITHUB_WAITING 256

enum github_result {
	GITHUB_ANSWERED, /* with any status, whatever the body is */
	GITHUB_LIMITED,	 /* a rate limit of GitHub's: 403 or 429 that says so */
	GITHUB_FAILED	 /* no (whole) answer */
};

struct github_answer {
	enum github_result result;
	int status;		  /* of HTTP, 0 if it failed */
	struct json_object *json; /* the body, NULL for what is no JSON */
	bool more;		  /* there is a next page (RFC 8288, "next") */
	uint32_t wait_ms; /* if limited: how long to ask no more, at least */
	const char *why;  /* if failed, for the log and the operator */
};

/*
 * Fatal when out of memory, or if a library does not work; a conf that is of
 * no use is refused (child_refuse()).  conf and child must outlive it.  Before
 * the sandbox: it reads the system's certificates.
 */
struct github *github_new(struct child *, const struct authd_conf *);
void github_free(struct github *);

/* NULL, or what is wrong with the GitHub settings of a configuration. */
const char *github_check(const struct github *, const struct authd_conf *next);

/* The content of the conf that was given is another one. */
void github_reload(struct github *);

/*
 * Ask for path ("/user", with a query if need be; made by us of checked
 * parts) with a token, which is copied, until the time deadline_ms
 * (monotonic_ms()).  done() is called once, later; what the answer points to
 * lives until it returns.  Never NULL.
 */
struct github_request *github_get(struct github *, const char *path,
    const char *token, int64_t deadline_ms,
    void (*done)(void *arg, const struct github_answer *), void *arg);

/* Forget a request: done() will not be called. */
void github_cancel(struct github_request *);

/* The parent's answers to DIAL_GITHUB. */
int github_on_dialed(struct github *, struct msg *);
int github_on_dial_failed(struct github *, struct msg *);

/* For status.def. */
uint64_t github_asked(const struct github *);  /* requests made */
uint64_t github_failed(const struct github *); /* that failed */

#endif
