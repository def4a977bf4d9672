#include <sys/socket.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/http_multi.h"
#include "common/log.h"

/* A socket that curl watches, or left to us. */
struct watch {
	RB_ENTRY(watch) entry;
	struct http_multi *multi;
	int fd;
	struct event *event;
	short what;
	bool idle; /* it belongs to no transfer */
};
RB_HEAD(watches, watch);

struct http_multi {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	http_multi_done done;
	void *arg;
	bool guards;
	struct watches watches;
};

static void on_socket(int, short, void *);
static int on_close(void *, curl_socket_t);
static int on_curl_socket(CURL *, curl_socket_t, int, void *, void *);
static int on_curl_timer(CURLM *, long, void *);
static void on_timer(int, short, void *);

static int
watch_compare(const struct watch *a, const struct watch *b)
{
	return (a->fd > b->fd) - (a->fd < b->fd);
}

RB_PROTOTYPE(watches, watch, entry, watch_compare)
RB_GENERATE(watches, watch, entry, watch_compare)

/* curl reports wrong use only: that would be a bug of ours. */
static void
check(CURLMcode code)
{
	if (code != CURLM_OK)
		fatalx("curl: %s", curl_multi_strerror(code));
}

struct http_multi *
http_multi_new(struct event_base *base, http_multi_done done, void *arg)
{
	struct http_multi *h = calloc(1, sizeof(*h));

	if (h == NULL || curl_global_init(CURL_GLOBAL_NOTHING) != 0 ||
	    (h->multi = curl_multi_init()) == NULL)
		fatalx("curl: no handle");
	h->base = base;
	h->done = done;
	h->arg = arg;
	RB_INIT(&h->watches);
	h->timer = evtimer_new(base, on_timer, h);
	if (h->timer == NULL)
		fatalx("no timer");
	check(curl_multi_setopt(
	    h->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket));
	check(curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h));
	check(
	    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer));
	check(curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h));
	return h;
}

void
http_multi_free(struct http_multi *h)
{
	curl_multi_cleanup(h->multi);
	event_free(h->timer);
	curl_global_cleanup();
	free(h);
}

void
http_multi_keep(struct http_multi *h, long connections)
{
	check(curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, connections));
}

void
http_multi_guard(struct http_multi *h)
{
	h->guards = true;
}

int
http_multi_add(struct http_multi *h, CURL *easy)
{
	if (h->guards &&
	    (curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) !=
		    CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, h) != CURLE_OK))
		return -1;
	return curl_multi_add_handle(h->multi, easy) == CURLM_OK ? 0 : -1;
}

void
http_multi_remove(struct http_multi *h, CURL *easy)
{
	(void)curl_multi_remove_handle(h->multi, easy);
}

/*
 * The other side says something that nobody asked for, or goodbye.  curl
 * looks at the socket before it uses it, and must find it dead: what there is
 * to be read would not tell it so.
 */
static void
discard(struct watch *w)
{
	char bytes[4096];

	(void)shutdown(w->fd, SHUT_RDWR);
	while (recv(w->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	event_free(w->event);
	w->event = NULL;
	w->what = 0;
}

static struct watch *
watch_find(struct http_multi *h, int fd)
{
	struct watch key = { .fd = fd };

	return RB_FIND(watches, &h->watches, &key);
}

static struct watch *
watch_new(struct http_multi *h, int fd)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->multi = h;
	w->fd = fd;
	(void)RB_INSERT(watches, &h->watches, w);
	return w;
}

static void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	(void)RB_REMOVE(watches, &w->multi->watches, w);
	if (w->event != NULL)
		event_free(w->event);
	free(w);
}

/* Watch for what is wanted: 0, or -1. */
static int
watch_for(struct watch *w, short what)
{
	if (w->event != NULL && what == w->what)
		return 0;
	if (w->event != NULL)
		event_free(w->event);
	w->event = NULL;
	w->what = what;
	if (what == EV_PERSIST)
		return 0; /* a transfer that waits */
	w->event = event_new(w->multi->base, w->fd, what, on_socket, w);
	return w->event == NULL ? -1 : event_add(w->event, NULL);
}

/*
 * Look after the connection of a transfer that is over, if it is kept.  It
 * was connected, so that on_close() will be told about its end; of one that
 * never was libcurl 7.88 closes the socket without a word.
 */
static void
guard(struct http_multi *h, CURL *easy)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	struct watch *w;

	if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD || watch_find(h, fd) != NULL)
		return;
	if ((w = watch_new(h, fd)) == NULL)
		return;
	w->idle = true;
	if (watch_for(w, EV_PERSIST | EV_READ) == -1)
		watch_free(w);
}

/* Tell the owners of transfers that are over. */
static void
report_done(struct http_multi *h)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(h->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		if (h->guards && message->data.result == CURLE_OK)
			guard(h, message->easy_handle);
		h->done(h->arg, message->easy_handle, message->data.result);
	}
}

static void
on_socket(int fd, short what, void *arg)
{
	struct watch *w = arg;
	struct http_multi *h = w->multi;
	int action = 0, running;

	if (w->idle) {
		discard(w);
		return;
	}
	if ((what & EV_READ) != 0)
		action |= CURL_CSELECT_IN;
	if ((what & EV_WRITE) != 0)
		action |= CURL_CSELECT_OUT;
	check(curl_multi_socket_action(h->multi, fd, action, &running));
	report_done(h);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct http_multi *h = arg;
	int running;

	(void)fd;
	(void)what;
	check(curl_multi_socket_action(
	    h->multi, CURL_SOCKET_TIMEOUT, 0, &running));
	report_done(h);
}

/* curl wants its timer at another time, or (-1) not at all. */
static int
on_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct http_multi *h = arg;
	struct timeval after = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		return evtimer_del(h->timer);
	return evtimer_add(h->timer, &after);
}

/* curl closes a socket. */
static int
on_close(void *arg, curl_socket_t fd)
{
	watch_free(watch_find(arg, fd));
	return close(fd);
}

/* curl wants to know when a socket is readable, writable, or no more. */
static int
on_curl_socket(CURL *easy, curl_socket_t fd, int poll, void *arg, void *data)
{
	struct http_multi *h = arg;
	struct watch *w = watch_find(h, fd);
	short what = EV_PERSIST;

	(void)easy;
	(void)data;
	if (poll == CURL_POLL_REMOVE) {
		watch_free(w);
		return 0;
	}
	if (w == NULL && (w = watch_new(h, fd)) == NULL)
		return -1;
	w->idle = false;
	if ((poll & CURL_POLL_IN) != 0)
		what |= EV_READ;
	if ((poll & CURL_POLL_OUT) != 0)
		what |= EV_WRITE;
	return watch_for(w, what);
}
