#ifndef TESTS_UNIT_COMMON_CHILD_FIXTURE_H
#define TESTS_UNIT_COMMON_CHILD_FIXTURE_H

/*
 * A child as a process of its own, which plays authd and logs whatever its
 * operations are called with; the test is its parent.
 */

#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
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

#include "common/audit.h"
#include "common/child.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/status.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WAIT_MS	 10000

/* What the child of a test is like. */
struct character {
	bool refuses; /* when it starts */
	bool mute;    /* all operations that may be NULL are */
	int records;  /* for the audit log, all at once on LOG_STATUS */
};

struct run {
	int channel;
	int log;
	pid_t pid;
};

static int child_argc;
static char **child_argv;

/* In the child. */
struct played {
	struct child child;
	struct authd_conf conf;
	int records;
};

static const char *
played_check(void *arg, const void *next, uint32_t *flags)
{
	static char why[2 * CHILD_WHY_SIZE];
	const struct authd_conf *conf = next;
	const struct played *p = arg;

	log_infox("check %s %s, has %s", conf->users[0], conf->token,
	    p->conf.users[0]);
	if (strcmp(conf->users[0], "long") == 0) {
		memset(why, 'x', sizeof(why) - 1);
		return why;
	}
	if (strcmp(conf->users[0], "bad") == 0)
		return "bad\nusers";
	if (strcmp(conf->token, p->conf.token) != 0)
		*flags |= CONF_TOKEN;
	if (strcmp(conf->database_path, p->conf.database_path) != 0)
		*flags |= CONF_RESTART;
	return NULL;
}

static void
played_switch(void *arg, void *next, uint32_t flags)
{
	struct played *p = arg;

	slice_free_authd(&p->conf);
	memcpy(&p->conf, next, sizeof(p->conf));
	log_infox("switch to %s %s, flags %u", p->conf.users[0], p->conf.token,
	    (unsigned)flags);
}

static void
played_drop(void *arg)
{
	const struct played *p = arg;

	log_infox("drop, has %s", p->conf.users[0]);
}

static void
played_status(void *arg, struct status *status)
{
	(void)arg;
	status_set_text(status, STATUS_AUTHD_DATABASE, "fine");
	status_set_number(status, STATUS_AUTHD_ASKED, 7);
}

static void
played_log_status(void *arg)
{
	struct audit_record record = { .event = AUDIT_REQUEST };
	struct played *p = arg;
	int i;

	for (i = 0; i < p->records; i++) {
		record.github_id = (uint64_t)i + 1;
		memset(record.path, 'p', sizeof(record.path) - 1);
		child_audit(&p->child, &record);
	}
	log_infox(
	    "%d records, %" PRIu64 " lost", p->records, p->child.audit_lost);
}

static const struct child_ops played_ops = {
	.conf_check = played_check,
	.conf_switch = played_switch,
	.conf_drop = played_drop,
	.status = played_status,
	.log_status = played_log_status,
};

static const struct child_ops mute_ops = { .conf_switch = played_switch };

static void __attribute__((noreturn))
play_child(const struct character *character, int channel, int log)
{
	static struct played p;

	p.records = character->records;
	if (dup2(channel, 30) == -1 || dup2(log, 31) == -1 ||
	    dup2(30, CHILD_FD_PARENT) == -1 || dup2(31, CHILD_FD_LOG) == -1)
		_exit(99);
	child_start(&p.child, PROGRAM_AUTHD, child_argc, child_argv);
	child_configure(&p.child, &slice_authd, &p.conf);
	if (character->refuses)
		child_refuse(&p.child, "no such database");
	child_run(&p.child, character->mute ? &mute_ops : &played_ops, &p);
	slice_free_authd(&p.conf);
	child_finish(&p.child);
	exit(0);
}

/* In the test.  Nothing has been said yet. */
static inline struct run
run_start(const struct character *character)
{
	int channel[2], log[2];
	struct run run;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, log), 0);
	(void)fflush(NULL);
	run.pid = fork();
	assert_int_not_equal(run.pid, -1);
	if (run.pid == 0)
		play_child(character, channel[1], log[1]);
	close(channel[1]);
	close(log[1]);
	run.channel = channel[0];
	run.log = log[0];
	return run;
}

static inline void
run_send(struct run *run, struct msg_out *m, int fd)
{
	/* A child that is at its end already is what the test is about. */
	(void)msg_send_now(run->channel, m, fd);
}

static inline void
run_send_empty(struct run *run, enum msg_type type, uint64_t id)
{
	struct msg_out m;

	msg_start(&m, type, id);
	run_send(run, &m, -1);
}

static inline void
run_send_number(
    struct run *run, enum msg_type type, uint64_t id, uint32_t number)
{
	struct msg_out m;

	msg_start(&m, type, id);
	msg_add_u32(&m, number);
	run_send(run, &m, -1);
}

/* Users with a t in front have another token, with a d another database. */
static inline void
run_send_conf(struct run *run, uint64_t id, const char *users)
{
	char none[] = "", token[] = "t1", database[] = "/d", copy[64];
	struct authd_conf conf = { .token = token, .users = { copy } };
	struct msg_out m;

	(void)strlcpy(copy, users, sizeof(copy));
	conf.database_path = database;
	if (users[0] == 't')
		token[1] = '2';
	if (users[0] == 'd')
		database[1] = 'e';
	conf.state_dir = conf.jwt_secret = conf.github_token = none;
	conf.github_api = none;
	msg_start(&m, MSG_CONF_AUTHD, id);
	slice_add_authd(&m, &conf);
	run_send(run, &m, -1);
}

/* A file with these contents, of that number. */
static inline void
run_send_file(struct run *run, uint64_t id, uint32_t which, const char *text)
{
	FILE *f = tmpfile();
	struct msg_out m;
	int fd;

	assert_non_null(f);
	assert_int_not_equal(fputs(text, f), EOF);
	assert_int_equal(fflush(f), 0);
	fd = dup(fileno(f));
	assert_int_not_equal(fd, -1);
	(void)fclose(f);
	msg_start(&m, MSG_CONF_FILE, id);
	msg_add_u32(&m, which);
	msg_add_str(&m, "/the/file");
	run_send(run, &m, fd);
}

/* The child's next message, which must be of that type and id. */
static inline struct msg
run_receive(struct run *run, enum msg_type type, uint64_t id)
{
	static uint8_t buffer[MSG_SIZE_MAX];
	struct msg m = { 0 };
	const char *why =
	    msg_recv_now(run->channel, &m, buffer, WAIT_MS, PROGRAM_AUTHD,
		PROGRAM_PARENT, type == MSG_HELLO_BACK ? MSG_START : MSG_RUN);

	if (why != NULL)
		fail_msg("%s: %s", msg_name(type), why);
	assert_string_equal(msg_name(m.type), msg_name(type));
	assert_int_equal(m.id, id);
	return m;
}

static inline void
run_accepted(struct run *run, uint64_t id, uint32_t flags)
{
	struct msg m = run_receive(run, MSG_CONF_ACCEPTED, id);

	assert_int_equal(msg_get_u32(&m), flags);
	assert_true(msg_end(&m));
}

static inline void
run_switched(struct run *run, uint64_t id)
{
	struct msg m = run_receive(run, MSG_CONF_SWITCHED, id);

	assert_true(msg_end(&m));
}

static inline void
run_refused(struct run *run, uint64_t id, const char *why)
{
	struct msg m = run_receive(run, MSG_CONF_REFUSED, id);
	char text[2 * CHILD_WHY_SIZE];

	msg_get_str(&m, text, sizeof(text));
	assert_true(msg_end(&m));
	assert_string_equal(text, why);
}

/* The next line that it logs. */
static inline void
run_logged(struct run *run, const char *text)
{
	char line[1 + LOG_LINE_MAX];
	struct pollfd p = { .fd = run->log, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	n = recv(run->log, line, sizeof(line) - 1, MSG_DONTWAIT);
	if (n < 1)
		fail_msg("not logged: %s", text);
	line[n] = '\0';
	assert_string_equal(line + 1, text);
}

/* It ends by itself, and has nothing more to say. */
static inline void
run_ended(struct run *run, int code)
{
	char rest[256] = "";
	int status;

	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		fail_msg("wait status 0x%x", (unsigned)status);
	if (recv(run->log, rest, sizeof(rest) - 1, MSG_DONTWAIT) > 0 &&
	    code == 0)
		fail_msg("logged: %s", rest + 1);
	close(run->channel);
	close(run->log);
}

static inline void
run_hello(struct run *run)
{
	run_send_number(run, MSG_HELLO, 0, MSG_PROTOCOL_VERSION);
	(void)run_receive(run, MSG_HELLO_BACK, 0);
}

/* From its start until it serves; the users are "first". */
static inline struct run
run_up(const struct character *character)
{
	struct run run = run_start(character);

	run_hello(&run);
	run_send_conf(&run, 0, "first");
	run_send_empty(&run, MSG_CONF_DONE, 0);
	(void)run_receive(&run, MSG_READY, 0);
	return run;
}

/* It is in order: it still answers, and ends when it is told to. */
static inline void
run_down(struct run *run)
{
	run_send_empty(run, MSG_STATUS_GET, 99);
	(void)run_receive(run, MSG_STATUS, 99);
	run_send_empty(run, MSG_SHUTDOWN, 0);
	run_ended(run, 0);
}

#endif
