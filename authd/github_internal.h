#ifndef AUTHD_GITHUB_INTERNAL_H
#define AUTHD_GITHUB_INTERNAL_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>
#include <event2/event_struct.h>

#include "authd/github.h"
#include "authd/github_head.h"
#include "authd/github_site.h"

/* What github.c, github_socket.c and github_transfer.c share. */

struct evbuffer;
struct http_multi;

/* Room for why a request failed, with what others said of it. */
#define GITHUB_WHY_SIZE 512

/* Connections: of transfers, and kept ones. */
#define GITHUB_SOCKETS_MAX (2 * GITHUB_AT_ONCE)

/* This long a socket may lie idle before the first request goes over it. */
#define GITHUB_SOCKET_AGE_MS 4000

enum github_state {
	GITHUB_WAITS,  /* for its turn */
	GITHUB_RUNS,   /* curl has it */
	GITHUB_DIALS,  /* no connection was free: it waits for a socket */
	GITHUB_IS_OVER /* before it began; done() is to be called */
};

struct github_request {
	TAILQ_ENTRY(github_request) entry;
	struct github *github;
	enum github_state state;
	int64_t deadline_ms;
	struct event timer; /* to end it */
	char *path;
	char *token; /* wiped once it is in a header */
	void (*done)(void *, const struct github_answer *);
	void *arg;

	/* github_transfer.c */
	CURL *easy; /* NULL until its turn */
	struct curl_slist *headers;
	struct curl_slist *target; /* see transfer_open() */
	char error[CURL_ERROR_SIZE];
	struct github_head head;
	struct evbuffer *body;
	bool wants_socket;
	const char *why; /* what is wrong with the answer, or NULL */
};

TAILQ_HEAD(github_requests, github_request);

struct github {
	struct child *child;
	const struct authd_conf *conf;
	struct http_multi *multi;
	struct github_site site;
	struct trust system; /* the system's certificates */
	/* By state. */
	struct github_requests waiting, running, dialing, over;
	size_t nwaiting;
	size_t nactive; /* running or dialing */
	/* The question to the parent, and a socket that nobody uses yet. */
	bool asked_parent;
	uint64_t dial_id;
	int fd;
	int64_t fd_ms; /* when it came */
	/* Those that curl has; -1 for none. */
	int sockets[GITHUB_SOCKETS_MAX];
	uint64_t asked;
	uint64_t failed;
};

/*
 * github_socket.c: how curl comes by a socket, as options of a handle.  One
 * that finds none ends with CURLE_COULDNT_CONNECT, wants_socket being true.
 */
int socket_set_options(struct github_request *);

/* No byte goes over the connections that there are any more. */
void socket_shutdown_all(struct github *);

/* github_transfer.c: 0, or -1 when out of memory or for what cannot be sent. */
int transfer_open(struct github_request *);
void transfer_close(struct github_request *);

/* Forget what an attempt left behind, for another one. */
void transfer_rewind(struct github_request *);

/*
 * What the answer is, or why there is none: text, where one is needed, goes
 * into a buffer.  answer->json is the caller's to free.
 */
void transfer_answer(struct github_request *, CURLcode,
    char why[GITHUB_WHY_SIZE], struct github_answer *);

#endif
