#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "tetherd/notify.h"

/* How long a service manager that takes nothing may hold us up, in seconds. */
#define PATIENCE 1

#define USEC_PER_SEC 1000000

/* No watchdog needs us more often, in microseconds. */
#define PAUSE_MIN 1000

enum notify_state {
	NOTIFY_STARTING,
	NOTIFY_READY,
	NOTIFY_RELOADING,
	NOTIFY_STOPPING,
};

static struct {
	int fd;
	bool warned;
	enum notify_state state;
	struct event *watchdog;
} notify = { .fd = -1 };

/* -1 with errno. */
static int
connect_to(const char *name)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (strlcpy(sun.sun_path, name, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	if (sun.sun_path[0] == '@') /* the abstract namespace */
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, len) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* It is there for good or not at all: it cannot be connected to again. */
static void
give_up(void)
{
	log_warn("NOTIFY_SOCKET");
	notify_finish();
}

static void
tell(const char *text, int flags)
{
	if (notify.fd == -1 ||
	    send(notify.fd, text, strlen(text), MSG_NOSIGNAL | flags) != -1)
		return;
	if (errno != EAGAIN && errno != EINTR) {
		give_up();
		return;
	}
	if (!notify.warned)
		log_warnx("NOTIFY_SOCKET: the service manager takes nothing");
	notify.warned = true;
}

static void
on_watchdog(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	tell("WATCHDOG=1", MSG_DONTWAIT);
}

/* A number of the environment, or 0 if there is none. */
static long long
number_from(const char *name, const char *value)
{
	const char *why;
	long long n;

	if (value == NULL || value[0] == '\0')
		return 0;
	n = strtonum(value, 1, LLONG_MAX, &why);
	if (why != NULL)
		log_warnx("%s: %s", name, why);
	return n;
}

static void
watchdog_start(struct event_base *base)
{
	long long usec = number_from("WATCHDOG_USEC", getenv("WATCHDOG_USEC"));
	long long pid = number_from("WATCHDOG_PID", getenv("WATCHDOG_PID"));
	long long pause = usec / 2;
	struct timeval tv;

	if (usec == 0 || (pid != 0 && pid != getpid()))
		return;
	if (pause < PAUSE_MIN)
		pause = PAUSE_MIN;
	tv = (struct timeval){ .tv_sec = pause / USEC_PER_SEC,
		.tv_usec = pause % USEC_PER_SEC };
	notify.watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, NULL);
	if (notify.watchdog == NULL || event_add(notify.watchdog, &tv) == -1)
		fatalx("no event for the watchdog");
}

void
notify_start(struct event_base *base)
{
	const char *name = getenv("NOTIFY_SOCKET");

	notify.state = NOTIFY_STARTING;
	notify.warned = false;
	if (name == NULL || name[0] == '\0')
		return;
	notify.fd = connect_to(name);
	if (notify.fd == -1)
		log_warn("NOTIFY_SOCKET");
	else
		watchdog_start(base);
}

void
notify_ready(void)
{
	notify.state = NOTIFY_READY;
	tell("READY=1", 0);
}

void
notify_reloading(void)
{
	struct timespec now;
	char text[64];

	if (notify.state != NOTIFY_READY)
		return;
	notify.state = NOTIFY_RELOADING;
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof(text),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    (int64_t)now.tv_sec * USEC_PER_SEC + now.tv_nsec / 1000);
	tell(text, 0);
}

void
notify_reloaded(bool failed)
{
	if (notify.state != NOTIFY_RELOADING)
		return;
	notify.state = NOTIFY_READY;
	/* The manager itself has no notion of one that failed. */
	tell(failed ? "READY=1\nSTATUS=reload failed: the old settings stay "
		      "in force"
		    : "READY=1\nSTATUS=",
	    0);
}

void
notify_stopping(void)
{
	if (notify.state != NOTIFY_STOPPING)
		tell("STOPPING=1", 0);
	notify.state = NOTIFY_STOPPING;
}

void
notify_finish(void)
{
	if (notify.watchdog != NULL)
		event_free(notify.watchdog);
	notify.watchdog = NULL;
	if (notify.fd != -1)
		close(notify.fd);
	notify.fd = -1;
}
