#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "authd/github_internal.h"
#include "common/child.h"
#include "common/http_multi.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/slice.h"
#include "common/timer.h"

static void github_on_done(void *, CURL *, CURLcode);
static void request_on_timer(int, short, void *);

struct github *
github_new(struct child *child, const struct authd_conf *conf)
{
	struct github *g = calloc(1, sizeof(*g));
	const char *why;
	size_t i;

	if (g == NULL)
		fatal("github");
	for (i = 0; i < GITHUB_SOCKETS_MAX; i++)
		g->sockets[i] = -1;
	g->child = child;
	g->conf = conf;
	g->fd = -1;
	TAILQ_INIT(&g->waiting);
	TAILQ_INIT(&g->running);
	TAILQ_INIT(&g->dialing);
	TAILQ_INIT(&g->over);
	trust_read_system(&g->system);
	why = github_site_read(&g->site, conf, &g->system);
	if (why != NULL)
		child_refuse(child, why);
	g->multi = http_multi_new(child->base, github_on_done, g);
	http_multi_keep(g->multi, GITHUB_AT_ONCE);
	return g;
}

static struct github_requests *
list_of(struct github_request *r)
{
	struct github *g = r->github;

	switch (r->state) {
	case GITHUB_WAITS:
		return &g->waiting;
	case GITHUB_RUNS:
		return &g->running;
	case GITHUB_DIALS:
		return &g->dialing;
	case GITHUB_IS_OVER:
		break;
	}
	return &g->over;
}

static void
request_leave(struct github_request *r)
{
	struct github *g = r->github;

	if (r->state == GITHUB_RUNS)
		http_multi_remove(g->multi, r->easy);
	if (r->state == GITHUB_WAITS)
		g->nwaiting--;
	else if (r->state != GITHUB_IS_OVER)
		g->nactive--;
	TAILQ_REMOVE(list_of(r), r, entry);
}

static void
request_enter(struct github_request *r, enum github_state state)
{
	struct github *g = r->github;

	r->state = state;
	if (state == GITHUB_WAITS)
		g->nwaiting++;
	else if (state != GITHUB_IS_OVER)
		g->nactive++;
	TAILQ_INSERT_TAIL(list_of(r), r, entry);
}

static void
request_free(struct github_request *r)
{
	evtimer_del(&r->timer);
	transfer_close(r);
	if (r->token != NULL)
		freezero(r->token, strlen(r->token));
	free(r->path);
	free(r);
}

/* What is to be told from the event loop. */
static void
request_refuse(struct github_request *r, const char *why)
{
	r->why = why;
	request_enter(r, GITHUB_IS_OVER);
	timer_set(&r->timer, 0);
}

/* The owner may cancel others from inside done(), and ask for more. */
static void
request_finish(struct github_request *r, const struct github_answer *answer)
{
	struct github *g = r->github;

	request_leave(r);
	if (answer->result == GITHUB_FAILED)
		g->failed++;
	r->done(r->arg, answer);
	json_object_put(answer->json);
	request_free(r);
}

static void
request_fail(struct github_request *r, const char *why)
{
	const struct github_answer answer = { .result = GITHUB_FAILED,
		.why = why };

	request_finish(r, &answer);
}

/* Hand it to curl, which uses a connection that is free, or asks for one. */
static void
request_run(struct github_request *r)
{
	if (http_multi_add(r->github->multi, r->easy) == -1)
		request_refuse(r, "out of memory");
	else
		request_enter(r, GITHUB_RUNS);
}

static void
request_begin(struct github_request *r)
{
	request_leave(r);
	r->github->asked++;
	if (transfer_open(r) == -1)
		request_refuse(r, "out of memory");
	else
		request_run(r);
}

/* The one that waits longest for a socket gets a chance. */
static void
github_resume(struct github *g)
{
	struct github_request *r = TAILQ_FIRST(&g->dialing);

	if (r == NULL)
		return;
	request_leave(r);
	request_run(r);
}

/* One question at a time is enough: the parent has one dialer for us. */
static void
github_ask_parent(struct github *g)
{
	struct msg_out m;

	if (g->asked_parent || TAILQ_EMPTY(&g->dialing))
		return;
	msg_start(&m, MSG_DIAL_GITHUB, ++g->dial_id);
	g->asked_parent = child_send(g->child, PROGRAM_PARENT, &m);
}

static void
github_drop_socket(struct github *g)
{
	if (g->fd != -1)
		close(g->fd);
	g->fd = -1;
}

/* There is room for another request, or a connection that is free. */
static void
github_continue(struct github *g)
{
	struct github_request *r;

	github_resume(g);
	while (g->nactive < GITHUB_AT_ONCE &&
	       (r = TAILQ_FIRST(&g->waiting)) != NULL)
		request_begin(r);
	if (g->nactive == 0)
		github_drop_socket(g);
}

static void
request_on_timer(int fd, short what, void *arg)
{
	static const char *const late[] = {
		[GITHUB_WAITS] = "too many requests before it",
		[GITHUB_RUNS] = "no answer in time",
		[GITHUB_DIALS] = "no connection in time",
	};
	struct github_request *r = arg;
	struct github *g = r->github;

	(void)fd;
	(void)what;
	request_fail(r, r->state == GITHUB_IS_OVER ? r->why : late[r->state]);
	github_continue(g);
}

static void
github_on_done(void *arg, CURL *easy, CURLcode code)
{
	struct github *g = arg;
	struct github_request *r;
	struct github_answer answer;
	char why[GITHUB_WHY_SIZE];

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &r);
	if (code != CURLE_OK && r->wants_socket) {
		request_leave(r);
		transfer_rewind(r);
		request_enter(r, GITHUB_DIALS);
		github_ask_parent(g);
		return;
	}
	transfer_answer(r, code, why, &answer);
	request_finish(r, &answer);
	github_continue(g);
}

static uint32_t
time_left(int64_t deadline_ms)
{
	int64_t left = deadline_ms - monotonic_ms();

	if (left < 0)
		return 0;
	return left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

struct github_request *
github_get(struct github *g, const char *path, const char *token,
    int64_t deadline_ms, void (*done)(void *, const struct github_answer *),
    void *arg)
{
	struct github_request *r = calloc(1, sizeof(*r));

	if (r == NULL || (r->path = strdup(path)) == NULL ||
	    (r->token = strdup(token)) == NULL)
		fatal("github");
	r->github = g;
	r->done = done;
	r->arg = arg;
	evtimer_assign(&r->timer, g->child->base, request_on_timer, r);
	if (strlen(path) > GITHUB_PATH_MAX || path[0] != '/')
		request_refuse(r, "no path of the API");
	else if (token[0] == '\0' || !slice_is_token(token))
		request_refuse(r, "no token that can be sent");
	else if (g->nactive >= GITHUB_AT_ONCE && g->nwaiting >= GITHUB_WAITING)
		request_refuse(r, "too many requests at once");
	else {
		timer_set(&r->timer, time_left(deadline_ms));
		request_enter(r, GITHUB_WAITS);
		if (g->nactive < GITHUB_AT_ONCE)
			request_begin(r);
	}
	return r;
}

void
github_cancel(struct github_request *r)
{
	struct github *g = r->github;

	request_leave(r);
	request_free(r);
	github_continue(g);
}

int
github_on_dialed(struct github *g, struct msg *m)
{
	char peer[256];

	msg_get_str(m, peer, sizeof(peer));
	if (!msg_end(m) || m->id > g->dial_id)
		return -1;
	if (!g->asked_parent || m->id != g->dial_id)
		return 0; /* for an API that was given up */
	log_debugx("connected to GitHub: %s", peer);
	g->asked_parent = false;
	github_drop_socket(g);
	g->fd = msg_take_fd(m);
	g->fd_ms = monotonic_ms();
	github_continue(g);
	github_ask_parent(g);
	return 0;
}

int
github_on_dial_failed(struct github *g, struct msg *m)
{
	struct github_request *r;
	char why[GITHUB_WHY_SIZE];

	msg_get_str(m, why, sizeof(why));
	if (!msg_end(m) || m->id > g->dial_id)
		return -1;
	if (!g->asked_parent || m->id != g->dial_id)
		return 0;
	g->asked_parent = false;
	(void)log_safe(why, sizeof(why), why);
	/* A new one comes to this list from the event loop only. */
	while ((r = TAILQ_FIRST(&g->dialing)) != NULL)
		request_fail(r, why);
	github_continue(g);
	return 0;
}

/* Nothing of them goes to another host. */
static void
github_refuse_all(struct github *g)
{
	struct github_requests *const lists[] = { &g->waiting, &g->running,
		&g->dialing };
	struct github_request *r;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		while ((r = TAILQ_FIRST(lists[i])) != NULL) {
			request_leave(r);
			transfer_close(r);
			request_refuse(r, "the settings changed");
		}
	}
}

const char *
github_check(const struct github *g, const struct authd_conf *next)
{
	struct github_site site;
	const char *why = github_site_read(&site, next, &g->system);

	if (why == NULL)
		github_site_clear(&site);
	return why;
}

void
github_reload(struct github *g)
{
	struct github_site site;
	const char *why = github_site_read(&site, g->conf, &g->system);

	/* It was checked, and its file cannot have changed since. */
	if (why != NULL)
		fatalx("%s", why);
	if (github_site_is_same(&site, &g->site)) {
		github_site_clear(&site);
		return;
	}
	github_refuse_all(g);
	g->asked_parent = false;
	github_drop_socket(g);
	/* To curl, a connection would be as good as before. */
	socket_shutdown_all(g);
	github_site_clear(&g->site);
	g->site = site;
}

void
github_free(struct github *g)
{
	struct github_request *r;

	github_refuse_all(g);
	while ((r = TAILQ_FIRST(&g->over)) != NULL) {
		request_leave(r);
		request_free(r);
	}
	github_drop_socket(g);
	http_multi_free(g->multi);
	github_site_clear(&g->site);
	trust_clear(&g->system);
	free(g);
}

uint64_t
github_asked(const struct github *g)
{
	return g->asked;
}

uint64_t
github_failed(const struct github *g)
{
	return g->failed;
}
