#include <stdlib.h>

#include <event2/event.h>

#include "common/http_multi.h"
#include "common/log.h"

struct http_multi {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	http_multi_done done;
	void *arg;
};

/* A socket that curl watches. */
struct watch {
	struct event *event;
	short what;
};

static int on_curl_socket(CURL *, curl_socket_t, int, void *, void *);
static int on_curl_timer(CURLM *, long, void *);
static void on_timer(int, short, void *);

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

int
http_multi_add(struct http_multi *h, CURL *easy)
{
	return curl_multi_add_handle(h->multi, easy) == CURLM_OK ? 0 : -1;
}

void
http_multi_remove(struct http_multi *h, CURL *easy)
{
	(void)curl_multi_remove_handle(h->multi, easy);
}

/* Tell the owners of transfers that are over. */
static void
report_done(struct http_multi *h)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(h->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE)
			h->done(
			    h->arg, message->easy_handle, message->data.result);
}

static void
on_socket(int fd, short what, void *arg)
{
	struct http_multi *h = arg;
	int action = 0, running;

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

static void
watch_free(struct watch *w)
{
	if (w->event != NULL)
		event_free(w->event);
	free(w);
}

/* curl wants to know when a socket is readable, writable, or no more. */
static int
on_curl_socket(CURL *easy, curl_socket_t fd, int poll, void *arg, void *data)
{
	struct http_multi *h = arg;
	struct watch *w = data;
	short what = EV_PERSIST;

	(void)easy;
	if (poll == CURL_POLL_REMOVE) {
		if (w != NULL)
			watch_free(w);
		return 0;
	}
	if (w == NULL) {
		w = calloc(1, sizeof(*w));
		if (w == NULL)
			return -1;
		check(curl_multi_assign(h->multi, fd, w));
	}
	if ((poll & CURL_POLL_IN) != 0)
		what |= EV_READ;
	if ((poll & CURL_POLL_OUT) != 0)
		what |= EV_WRITE;
	if (w->event != NULL && what == w->what)
		return 0;
	if (w->event != NULL)
		event_free(w->event);
	w->event = NULL;
	w->what = what;
	if (what == EV_PERSIST)
		return 0; /* a transfer that waits */
	w->event = event_new(h->base, fd, what, on_socket, h);
	return w->event == NULL ? -1 : event_add(w->event, NULL);
}
