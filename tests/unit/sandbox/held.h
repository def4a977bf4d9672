#ifndef TESTS_UNIT_SANDBOX_HELD_H
#define TESTS_UNIT_SANDBOX_HELD_H

/*
 * A process that has entered the sandbox of a program and waits there, so
 * that one can look at what the kernel says of it.
 */

#include "tests/unit/sandbox/probe.h"

struct held {
	pid_t pid;
	int go;
	char text[8192]; /* of the file that was looked at last */
};

/* before: what it does first of all, or NULL. */
static inline void
held_start(struct held *h, enum probe_program program, void (*before)(void))
{
	int ready[2], go[2], status;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	(void)fflush(NULL);
	h->pid = fork();
	assert_int_not_equal(h->pid, -1);
	if (h->pid == 0) {
		close(go[1]);
		log_to_socket(probe_world.log_end);
		if (before != NULL)
			before();
		probe_enter(program);
		(void)!write(ready[1], "", 1);
		(void)!read(go[0], &byte, 1);
		_exit(0);
	}
	close(ready[1]);
	close(go[0]);
	h->go = go[1];
	if (read(ready[0], &byte, 1) != 1) {
		(void)waitpid(h->pid, &status, 0);
		probe_explain(program, status);
	}
	close(ready[0]);
}

/* It ends, as it should. */
static inline void
held_end(struct held *h)
{
	int status;

	close(h->go);
	assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
	assert_int_equal(status, 0);
}

static inline const char *
held_path(const struct held *h, const char *name)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)h->pid, name);
	return path;
}

/* Read one of its files in /proc. */
static inline void
held_look(struct held *h, const char *name)
{
	int fd = open(held_path(h, name), O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	assert_int_not_equal(fd, -1);
	while ((n = read(fd, h->text + len, sizeof(h->text) - 1 - len)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	h->text[len] = '\0';
	close(fd);
}

/* What stands behind a name of that file, with single spaces between. */
static inline const char *
held_value(const struct held *h, const char *name)
{
	static char value[256];
	const char *at = strstr(h->text, name);
	size_t n = 0;

	if (at == NULL)
		fail_msg("no %s", name);
	for (at += strlen(name); *at != '\n' && n < sizeof(value) - 1; at++) {
		if (*at != ' ' && *at != '\t')
			value[n++] = *at;
		else if (n > 0 && value[n - 1] != ' ')
			value[n++] = ' ';
	}
	while (n > 0 && value[n - 1] == ' ')
		n--;
	value[n] = '\0';
	return value;
}

#endif
