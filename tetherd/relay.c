#include <sys/socket.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "tetherd/relay.h"

/* More than this in a second from one child is not worth reading. */
#define LINES_PER_SECOND 500

/* Lines handled before other events get their turn. */
#define BATCH 32

struct relay {
	int fd;
	enum program program;
	pid_t pid;
	enum log_level level;
	struct event *readable;
	time_t second;
	unsigned lines;	  /* in this second */
	unsigned dropped; /* in this second */
};

static void
relay_tick(struct relay *r)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec == r->second)
		return;
	if (r->dropped > 0)
		log_warnx("%s[%d]: %u log lines dropped",
		    program_name(r->program), (int)r->pid, r->dropped);
	r->second = now.tv_sec;
	r->lines = r->dropped = 0;
}

static void
relay_line(struct relay *r, enum log_level level, const char *text)
{
	char safe[LOG_LINE_MAX], line[LOG_LINE_MAX + 64];

	relay_tick(r);
	if (++r->lines > LINES_PER_SECOND) {
		r->dropped++;
		return;
	}
	/* crit would page somebody: only our own death is worth that. */
	if (level <= LOG_LEVEL_CRIT)
		level = LOG_LEVEL_WARN;
	if (level > r->level)
		return;
	(void)snprintf(line, sizeof(line), "%s[%d]: %s",
	    program_name(r->program), (int)r->pid,
	    log_safe(safe, sizeof(safe), text));
	log_line(level, line);
}

/* What somebody wrote to standard error: no level, and lines that end. */
static void
relay_text(struct relay *r, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		if (*line != '\0')
			relay_line(r, LOG_LEVEL_WARN, line);
}

static void
relay_datagram(struct relay *r, char *datagram, size_t n)
{
	uint8_t level = (uint8_t)datagram[0];

	datagram[n] = '\0';
	if (level < LOG_LEVEL_COUNT)
		relay_line(r, (enum log_level)level, datagram + 1);
	else
		relay_text(r, datagram);
}

static bool
relay_receive(struct relay *r)
{
	char datagram[1 + LOG_LINE_MAX];
	ssize_t n = recv(r->fd, datagram, sizeof(datagram) - 1, MSG_DONTWAIT);

	if (n > 0)
		relay_datagram(r, datagram, (size_t)n);
	/* The other end is closed, or wants to look like that. */
	if (n == 0)
		event_del(r->readable);
	return n > 0 || (n == -1 && errno == EINTR);
}

static void
relay_on_readable(int fd, short what, void *arg)
{
	int i;

	(void)fd;
	(void)what;
	for (i = 0; i < BATCH && relay_receive(arg); i++)
		continue;
}

struct relay *
relay_new(struct event_base *base, int fd, enum program program, pid_t pid,
    enum log_level level)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		fatal("relay");
	r->fd = fd;
	r->program = program;
	r->pid = pid;
	r->level = level;
	r->readable =
	    event_new(base, fd, EV_READ | EV_PERSIST, relay_on_readable, r);
	if (r->readable == NULL || event_add(r->readable, NULL) == -1)
		fatal("relay");
	return r;
}

void
relay_set_level(struct relay *r, enum log_level level)
{
	r->level = level;
}

void
relay_free(struct relay *r)
{
	int i;

	if (r == NULL)
		return;
	for (i = 0; i < LINES_PER_SECOND && relay_receive(r); i++)
		continue;
	event_free(r->readable);
	close(r->fd);
	free(r);
}
