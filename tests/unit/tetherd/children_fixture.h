#ifndef TESTS_UNIT_TETHERD_CHILDREN_FIXTURE_H
#define TESTS_UNIT_TETHERD_CHILDREN_FIXTURE_H

/*
 * The three lasting children as the parent sees them.  Their sockets are
 * real, they themselves are played by the test: what stands behind a pid
 * only waits to be killed.
 */

#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/admin.h"
#include "common/audit.h"
#include "common/log.h"
#include "common/msg.h"
#include "common/slice.h"
#include "common/status.h"
#include "tetherd/children.h"
#include "tetherd/draft.h"
#include "tetherd/process.h"

static struct {
	pid_t pid;
	int channel; /* the child's end, or -1 */
	int log;
	unsigned spawned;
} played[PROGRAM_COUNT];

static struct event_base *base;
static struct children *children;
static struct conf *conf;

/* In place of a program: a process without any of our descriptors. */
pid_t
process_spawn(enum program program, struct process_sockets *ours)
{
	int channel[2], log[2], closed[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(closed), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, log), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		closefrom(0);
		for (;;)
			pause();
	}
	close(closed[1]);
	assert_int_equal(read(closed[0], &c, 1), 0);
	close(closed[0]);
	ours->channel = channel[0];
	ours->log = log[0];
	ours->pidfd = pidfd_open(pid, 0);
	assert_int_not_equal(ours->pidfd, -1);
	played[program].pid = pid;
	played[program].channel = channel[1];
	played[program].log = log[1];
	played[program].spawned++;
	return pid;
}

void
process_kill(int pidfd)
{
	assert_int_equal(pidfd_send_signal(pidfd, SIGKILL, NULL, 0), 0);
}

const char *
process_describe_death(
    enum program program, pid_t pid, int status, char *buf, size_t size)
{
	assert_int_equal(pid, played[program].pid);
	(void)snprintf(buf, size, "status %d", status);
	return buf;
}

/* What the parent was told, one after the other. */
static char events[2048];

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	size_t len = strlen(events);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(events + len, sizeof(events) - len, format, ap);
	va_end(ap);
	(void)strlcat(events, "; ", sizeof(events));
}

static inline void
assert_events(const char *expected)
{
	assert_string_equal(events, expected);
	events[0] = '\0';
}

static inline void
on_ready(void *arg)
{
	(void)arg;
	note("ready");
}

static inline void
on_running(void *arg)
{
	(void)arg;
	note("running");
}

static inline void
on_stopped(void *arg, bool failed)
{
	(void)arg;
	note("stopped %d", failed);
}

static inline void
on_dial(void *arg, enum program program, uint64_t id)
{
	(void)arg;
	note("%s dial %" PRIu64, program_name(program), id);
}

/* Comes with every death: noted by those tests that ask for it. */
static bool note_gone;

static inline void
on_gone(void *arg, enum program program)
{
	(void)arg;
	if (note_gone)
		note("gone %s", program_name(program));
}

static inline void
on_lost(void *arg, enum program program)
{
	(void)arg;
	note("lost %s", program_name(program));
}

/* As another user only if somebody is somebody else. */
static bool has_other_owner;

static inline bool
on_restart(void *arg, enum program program, bool owner)
{
	(void)arg;
	note("restart %s%s", program_name(program), owner ? " as other" : "");
	return !owner || has_other_owner;
}

static inline void
on_accepted(void *arg, enum program program, uint64_t id, uint32_t flags)
{
	(void)arg;
	note("%s accepts %" PRIu64 " %u", program_name(program), id,
	    (unsigned)flags);
}

static inline void
on_refused(void *arg, enum program program, uint64_t id, const char *why)
{
	(void)arg;
	note("%s refuses %" PRIu64 " %s", program_name(program), id, why);
}

static inline void
on_switched(void *arg, enum program program, uint64_t id)
{
	(void)arg;
	note("%s has %" PRIu64, program_name(program), id);
}

static inline void
on_status(void *arg, enum program program, uint64_t id, struct status *s)
{
	(void)arg;
	note("status of %s %" PRIu64 " %s", program_name(program), id,
	    program == PROGRAM_AUTHD ? status_text(s, STATUS_AUTHD_DATABASE)
				     : "");
}

static inline void
on_audit(void *arg, enum program program, const struct audit_record *r)
{
	(void)arg;
	note("audit of %s %s", program_name(program), r->login);
}

/* What authd must not say. */
#define UNASKED 99

static inline int
on_user(void *arg, uint64_t id, const struct admin_user *u)
{
	(void)arg;
	note("user %" PRIu64 " %s", id, u->login);
	return id == UNASKED ? -1 : 0;
}

static inline int
on_token(void *arg, uint64_t id, const struct admin_token *t)
{
	(void)arg;
	note("token %" PRIu64 " %s", id, t->host);
	return id == UNASKED ? -1 : 0;
}

static inline int
on_done(void *arg, uint64_t id, const struct admin_done *d)
{
	(void)arg;
	note("done %" PRIu64 " %d %s", id, d->good, d->text);
	return id == UNASKED ? -1 : 0;
}

static const struct children_ops ops = {
	.all_ready = on_ready,
	.all_running = on_running,
	.all_stopped = on_stopped,
	.dial = on_dial,
	.gone = on_gone,
	.lost = on_lost,
	.restart = on_restart,
	.conf_accepted = on_accepted,
	.conf_refused = on_refused,
	.conf_switched = on_switched,
	.status = on_status,
	.audit = on_audit,
	.admin_user = on_user,
	.admin_token = on_token,
	.admin_done = on_done,
};

static inline void
spin(void)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* Without the parent reading it yet. */
static inline void
utter(enum program program, struct msg_out *m)
{
	assert_int_equal(msg_send_now(played[program].channel, m, -1), 0);
}

static inline void
say(enum program program, enum msg_type type)
{
	struct msg_out m;

	msg_start(&m, type, 0);
	if (type == MSG_HELLO_BACK)
		msg_add_u32(&m, MSG_PROTOCOL_VERSION);
	utter(program, &m);
	spin();
}

/* From its start until it serves. */
static inline void
bring_up(enum program program)
{
	say(program, MSG_HELLO_BACK);
	say(program, MSG_READY);
}

/* The datagram that count() found last, as far as it matters. */
static uint8_t last[512];

/* How many messages of that type it was sent; all that wait are read. */
static inline unsigned
count(enum program program, enum msg_type type)
{
	static uint8_t datagram[MSG_SIZE_MAX];
	unsigned n = 0;
	uint16_t got;
	int fd;

	while (msg_recv_datagram(played[program].channel, datagram, &fd) > 0) {
		memcpy(&got, datagram, sizeof(got));
		if (got == type) {
			n++;
			memcpy(last, datagram, sizeof(last));
		}
		assert_int_equal(fd != -1, got == MSG_PEER ||
					       got == MSG_DIALED ||
					       got == MSG_GITHUB_DIALED);
		if (fd != -1)
			close(fd);
	}
	return n;
}

static inline void
close_channel(enum program program)
{
	if (played[program].channel != -1)
		close(played[program].channel);
	played[program].channel = -1;
	if (played[program].log != -1)
		close(played[program].log);
	played[program].log = -1;
}

/* All are up, and what they were told so far is read. */
static inline void
bring_all_up(void)
{
	bring_up(PROGRAM_CONNECTOR);
	bring_up(PROGRAM_AUTHD);
	bring_up(PROGRAM_PROXYD);
	(void)count(PROGRAM_CONNECTOR, MSG_HELLO);
	(void)count(PROGRAM_AUTHD, MSG_HELLO);
	(void)count(PROGRAM_PROXYD, MSG_HELLO);
	assert_events("ready; running; ");
}

/* It is dead, and the parent has waited for it. */
static inline void
die(enum program program)
{
	pid_t pid = played[program].pid;
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close_channel(program);
	assert_true(children_reap(children, pid, status));
	spin();
}

static inline int
setup(void **state)
{
	struct draft draft;
	int i;

	(void)state;
	memset(played, 0, sizeof(played));
	for (i = 0; i < PROGRAM_COUNT; i++)
		played[i].channel = played[i].log = -1;
	events[0] = '\0';
	draft_start(&draft);
	conf = draft_take(&draft);
	base = event_base_new();
	assert_non_null(base);
	children = children_new(base, conf, &ops, NULL);
	children_start(children);
	return 0;
}

static inline int
teardown(void **state)
{
	int i;

	(void)state;
	children_free(children); /* kills what is left */
	for (i = 0; i < PROGRAM_COUNT; i++)
		close_channel((enum program)i);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	event_base_free(base);
	conf_free(conf);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
