#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/takeover/drill.h"

#define FILE_MAX      (256 * 1024)
#define ARGUMENTS_MAX 32

/*
 * ld --wrap has the callers of these functions call __wrap_..., which is ours,
 * and calls the function itself __real_...
 */
void __real_child_configure(
    struct child *, const struct slice_type *, void *conf);
void __wrap_child_configure(
    struct child *, const struct slice_type *, void *conf);
void __real_child_run(struct child *, const struct child_ops *, void *arg);
void __wrap_child_run(struct child *, const struct child_ops *, void *arg);
struct channel *__real_channel_new(struct event_base *, int, enum program,
    enum program, const struct channel_ops *, void *);
struct channel *__wrap_channel_new(struct event_base *, int, enum program,
    enum program, const struct channel_ops *, void *);

static struct drill drill;
static char *plan; /* what is left of our line, or NULL */

void
drill_say(const char *what, long result)
{
	log_infox("drill: %s: %s", what,
	    result == -1 ? strerrorname_np(errno) : "ok");
}

long long
drill_number(const char *s)
{
	const char *why;
	long long n = strtonum(s, LLONG_MIN, LLONG_MAX, &why);

	if (why != NULL)
		fatalx("drill: %s is %s", s, why);
	return n;
}

/* The first line of ours that is not taken; it is, from now on. */
static void
take_line(const char *path, char *text, size_t len, const char *program)
{
	size_t n = strlen(program);
	char *line = text, *end;
	int fd;

	for (; (end = memchr(line, '\n', len - (size_t)(line - text))) != NULL;
	     line = end + 1) {
		*end = '\0';
		if (strncmp(line, program, n) != 0 || line[n] != ' ')
			continue;
		plan = strdup(line + n + 1);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (plan == NULL || fd == -1 ||
		    pwrite(fd, "#", 1, line - text) != 1)
			fatal("drill: %s", path);
		close(fd);
		return;
	}
}

static void
read_plan(const char *program)
{
	char path[PATH_MAX], *text = malloc(FILE_MAX), *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	int fd;

	if (n == -1 || text == NULL)
		fatal("drill");
	path[n] = '\0';
	slash = strrchr(path, '/');
	(void)strlcpy(slash, "/drill", 16);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, text, FILE_MAX);
		if (n == -1)
			fatal("drill: %s", path);
		close(fd);
		take_line(path, text, (size_t)n, program);
	}
	free(text);
}

/* One attack with its arguments, up to a semicolon or the end. */
static void
attack_next(char **rest)
{
	char *argv[ARGUMENTS_MAX], *word;
	int argc = 0;
	attack todo;

	while ((word = strsep(rest, " ")) != NULL && strcmp(word, ";") != 0)
		if (argc < ARGUMENTS_MAX)
			argv[argc++] = word;
	todo = attack_find(argc == 0 ? "" : argv[0]);
	if (todo == NULL)
		fatalx("drill: no such attack");
	todo(&drill, argc - 1, argv + 1);
}

void
drill_run(const char *when)
{
	size_t n = strlen(when);
	char *rest = plan;

	if (plan == NULL || strncmp(plan, when, n) != 0 || plan[n] != ' ')
		return;
	rest += n + 1;
	while (rest != NULL)
		attack_next(&rest);
	log_infox("drill: done");
	free(plan);
	plan = NULL;
}

static void
on_log_status(void *arg)
{
	(void)arg;
	drill_run("go");
}

/* Calls are aimed at it: whoever it is, it has to be tetherd. */
static void
find_parent(void)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(CHILD_FD_PARENT, SOL_SOCKET, SO_PEERCRED, &peer, &len) ==
		-1 ||
	    peer.pid <= 1)
		fatalx("drill: no tetherd");
	drill.parent = peer.pid;
}

void
__wrap_child_configure(
    struct child *c, const struct slice_type *slice, void *conf)
{
	int i;

	for (i = 0; i < PROGRAM_COUNT; i++)
		drill.fds[i] = -1;
	drill.fds[PROGRAM_PARENT] = CHILD_FD_PARENT;
	find_parent();
	read_plan(program_name(c->self));
	__real_child_configure(c, slice, conf);
}

struct channel *
__wrap_channel_new(struct event_base *base, int fd, enum program self,
    enum program peer, const struct channel_ops *ops, void *arg)
{
	drill.fds[peer] = fd;
	return __real_channel_new(base, fd, self, peer, ops, arg);
}

void
__wrap_child_run(struct child *c, const struct child_ops *ops, void *arg)
{
	struct child_ops ours = *ops;

	drill.child = c;
	drill_run("start");
	if (plan != NULL)
		ours.log_status = on_log_status;
	__real_child_run(c, &ours, arg);
	free(plan);
	plan = NULL;
}
