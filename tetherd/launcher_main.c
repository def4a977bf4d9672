#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "common/slice.h"
#include "sandbox/sandbox.h"
#include "tetherd/spawn.h"

/*
 * The launcher starts programs for tetherd, which has a sandbox that none of
 * them could live in: what a process has given up its descendants never get.
 * They are tetherd's children nevertheless.
 */

struct launcher {
	struct child child;
	char folder[PATH_MAX];
	char *env[2];
	bool drops; /* privileges, so that there is a CHILD_FD_ROOT */
	int log;    /* of the program that is to be started next, or -1 */
	uint8_t buffer[MSG_SIZE_MAX];
};

static void
find_folder(struct launcher *l)
{
	ssize_t n =
	    readlink("/proc/self/exe", l->folder, sizeof(l->folder) - 1);

	if (n == -1)
		fatal("/proc/self/exe");
	l->folder[n] = '\0';
	(void)strlcpy(l->folder, dirname(l->folder), sizeof(l->folder));
}

/* Those that need no file at all. */
static bool
changes_root(enum program program)
{
	return program == PROGRAM_CONNECTOR || program == PROGRAM_PROXYD;
}

static bool
is_known(uint32_t program)
{
	return program == PROGRAM_CONNECTOR || program == PROGRAM_PROXYD ||
	       program == PROGRAM_AUTHD || program == PROGRAM_DIALER;
}

static pid_t
launch(struct launcher *l, enum program program, int channel, int *pidfd)
{
	char path[PATH_MAX];
	struct spawn s = {
		.path = path,
		.env = l->env,
		.channel = channel,
		.log = l->log,
		.root = l->drops && changes_root(program) ? CHILD_FD_ROOT : -1,
		.sibling = true,
	};

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", l->folder,
		program_name(program)) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return spawn(&s, pidfd);
}

static void
answer(uint64_t id, pid_t pid, int pidfd, int error)
{
	struct msg_out m;

	msg_start(&m, pid == -1 ? MSG_LAUNCH_FAILED : MSG_LAUNCHED, id);
	msg_add_u32(&m, (uint32_t)(pid == -1 ? error : pid));
	if (msg_send_now(CHILD_FD_PARENT, &m, pid == -1 ? -1 : pidfd) == -1)
		fatal("can't answer");
}

/* One that was not followed by a LAUNCH could not be: it was given up. */
static void
take_log(struct launcher *l, int fd)
{
	if (l->log != -1)
		close(l->log);
	l->log = fd;
}

static void
take_launch(struct launcher *l, uint64_t id, enum program program, int fd)
{
	int pidfd = -1, error;
	pid_t pid = launch(l, program, fd, &pidfd);

	error = errno;
	close(fd);
	close(l->log);
	l->log = -1;
	answer(id, pid, pidfd, error);
}

static void
take(struct launcher *l, struct msg *m)
{
	uint32_t program = msg_get_u32(m);
	int fd = msg_take_fd(m);

	if (!msg_end(m) || !is_known(program))
		fatalx("malformed %s", msg_name(m->type));
	if (m->type == MSG_LAUNCH_LOG)
		take_log(l, fd);
	else if (m->type == MSG_LAUNCH && l->log != -1)
		take_launch(l, m->id, program, fd);
	else
		fatalx("unexpected %s", msg_name(m->type));
}

static void
run(struct launcher *l)
{
	struct msg_out ready;
	const char *why;
	struct msg m;

	msg_start(&ready, MSG_READY, 0);
	if (msg_send_now(CHILD_FD_PARENT, &ready, -1) == -1)
		fatal("can't answer");
	for (;;) {
		why = msg_recv_now(CHILD_FD_PARENT, &m, l->buffer, -1,
		    PROGRAM_PARENT, PROGRAM_LAUNCHER, MSG_RUN);
		if (why != NULL)
			fatalx("channel to tetherd: %s", why);
		take(l, &m);
	}
}

int
main(int argc, char **argv)
{
	static struct launcher l = { .log = -1 };
	struct launcher_conf conf;

	l.env[0] = spawn_tunables();
	child_start(&l.child, PROGRAM_LAUNCHER, argc, argv);
	child_configure(&l.child, &slice_launcher, &conf);
	/* It needs no events: all that it does is to wait for the parent. */
	child_finish(&l.child);
	l.drops = conf.confinement.drop;
	find_folder(&l);
	sandbox_launcher(&conf.confinement, l.folder);
	run(&l);
	return 0;
}
