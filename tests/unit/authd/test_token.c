#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/child.h"
#include "common/slice.h"

#define WAIT_MS	 10000
#define QUIET_MS 100

/* The program authd, and its parent and connector: the test. */
static struct {
	pid_t pid;
	int parent, connector, log;
	char directory[64];
} f;

static const char *
authd_path(void)
{
	static char path[4096];
	char *name = strdup(program_invocation_name);

	assert_non_null(name);
	(void)snprintf(path, sizeof(path), "%s/../../../libexec/tetherd/authd",
	    dirname(name));
	free(name);
	return path;
}

static void
start(int channel, int log)
{
	f.pid = fork();
	assert_int_not_equal(f.pid, -1);
	if (f.pid != 0)
		return;
	/* Out of the way of the places where they belong. */
	channel = fcntl(channel, F_DUPFD_CLOEXEC, 64);
	log = fcntl(log, F_DUPFD_CLOEXEC, 64);
	if (dup2(channel, CHILD_FD_PARENT) == -1 ||
	    dup2(log, CHILD_FD_LOG) == -1)
		_exit(99);
	execl(authd_path(), "authd", (char *)NULL);
	_exit(98);
}

static void
send_number(int socket, enum msg_type type, uint64_t id, uint32_t n, int fd)
{
	struct msg_out m;

	msg_start(&m, type, id);
	msg_add_u32(&m, n);
	assert_int_equal(msg_send_now(socket, &m, fd), 0);
}

/* The next message, which must be of that type. */
static struct msg
expect(int socket, enum program to, enum msg_type type)
{
	static uint8_t buffer[MSG_SIZE_MAX];
	struct msg m;
	const char *why = msg_recv_now(socket, &m, buffer, WAIT_MS,
	    PROGRAM_AUTHD, to, type == MSG_HELLO_BACK ? MSG_START : MSG_RUN);

	assert_null(why);
	assert_int_equal(m.type, type);
	return m;
}

static void
send_conf(uint64_t id, const char *token)
{
	struct authd_conf conf = {
		.database_path = f.directory,
		.state_dir = f.directory,
		.jwt_secret = (char *)(uintptr_t) "secret",
		.token = (char *)(uintptr_t)token,
		.adopt = true,
	};
	struct msg_out m;

	msg_start(&m, MSG_CONF_AUTHD, id);
	slice_add_authd(&m, &conf);
	assert_int_equal(msg_send_now(f.parent, &m, -1), 0);
	msg_start(&m, MSG_CONF_DONE, id);
	assert_int_equal(msg_send_now(f.parent, &m, -1), 0);
}

static void
attach_connector(void)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	if (f.connector != -1)
		close(f.connector);
	f.connector = pair[0];
	send_number(f.parent, MSG_PEER, 0, PROGRAM_CONNECTOR, pair[1]);
}

static int
setup(void **state)
{
	int channel[2], logs[2];

	(void)state;
	f.connector = -1;
	(void)strlcpy(
	    f.directory, "/tmp/test_token-XXXXXX", sizeof(f.directory));
	assert_non_null(mkdtemp(f.directory));
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, logs), 0);
	start(channel[1], logs[1]);
	close(channel[1]);
	close(logs[1]);
	f.parent = channel[0];
	f.log = logs[0];
	send_number(f.parent, MSG_HELLO, 0, MSG_PROTOCOL_VERSION, -1);
	(void)expect(f.parent, PROGRAM_PARENT, MSG_HELLO_BACK);
	send_conf(5, "first");
	(void)expect(f.parent, PROGRAM_PARENT, MSG_READY);
	attach_connector();
	return 0;
}

static int
teardown(void **state)
{
	struct msg_out m;
	char command[128];
	int status;

	(void)state;
	msg_start(&m, MSG_SHUTDOWN, 0);
	assert_int_equal(msg_send_now(f.parent, &m, -1), 0);
	assert_int_equal(waitpid(f.pid, &status, 0), f.pid);
	assert_int_equal(status, 0);
	close(f.parent);
	close(f.connector);
	close(f.log);
	(void)snprintf(command, sizeof(command), "%s/tether.db", f.directory);
	(void)unlink(command);
	return rmdir(f.directory);
}

static void
ask(uint64_t id, uint64_t conf_id)
{
	struct msg_out m;

	msg_start(&m, MSG_TOKEN_GET, id);
	msg_add_u64(&m, conf_id);
	assert_int_equal(msg_send_now(f.connector, &m, -1), 0);
}

static void
assert_token(uint64_t id, const char *expected)
{
	char token[64];
	struct msg m = expect(f.connector, PROGRAM_CONNECTOR, MSG_TOKEN);

	assert_int_equal(m.id, id);
	msg_get_str(&m, token, sizeof(token));
	assert_true(msg_end(&m));
	assert_string_equal(token, expected);
}

static void
assert_silent(void)
{
	struct pollfd pfd = { .fd = f.connector, .events = POLLIN };

	assert_int_equal(poll(&pfd, 1, QUIET_MS), 0);
}

static void
stage(uint64_t id, const char *token, uint32_t flags)
{
	struct msg m;

	send_conf(id, token);
	m = expect(f.parent, PROGRAM_PARENT, MSG_CONF_ACCEPTED);
	assert_int_equal(m.id, id);
	assert_int_equal(msg_get_u32(&m), flags);
}

/* Whoever hears of a reload first waits for the other one. */
static void
test_reload(void **state)
{
	(void)state;
	ask(1, 5);
	assert_token(1, "first");

	stage(6, "second", CONF_TOKEN);
	ask(2, 5);
	assert_token(2, "first");
	ask(3, 6);
	assert_silent();
	send_number(f.parent, MSG_CONF_SWITCH, 6, 0, -1);
	assert_token(3, "second");

	/* connector is the one behind, and asks again. */
	ask(4, 5);
	assert_silent();
	ask(4, 6);
	assert_token(4, "second");
}

/* The last question counts. */
static void
test_twice(void **state)
{
	(void)state;
	stage(6, "second", CONF_TOKEN);
	ask(1, 6);
	ask(2, 6);
	assert_silent();
	send_number(f.parent, MSG_CONF_SWITCH, 6, 0, -1);
	assert_token(2, "second");
	assert_silent();
}

/* Another connector gets no answer to what its predecessor asked. */
static void
test_other_connector(void **state)
{
	(void)state;
	stage(6, "second", CONF_TOKEN);
	ask(1, 6);
	assert_silent();
	attach_connector();
	send_number(f.parent, MSG_CONF_SWITCH, 6, 0, -1);
	assert_silent();
	ask(1, 6);
	assert_token(1, "second");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_other_connector, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
