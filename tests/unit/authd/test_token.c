#include <sys/socket.h>
#include <sys/stat.h>
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
#include <sqlite3.h>

#include "common/audit.h"
#include "common/child.h"
#include "common/client_id.h"
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

#define STRING(s) ((char *)(uintptr_t)(s))

static void
send_conf_for(uint64_t id, const char *orchestrator, const char *token)
{
	struct authd_conf conf = {
		.database_path = f.directory,
		.state_dir = f.directory,
		.jwt_secret = STRING("secret"),
		.orchestrator = STRING(orchestrator),
		.token = STRING(token),
		.github_token = STRING(""),
		.github_api = STRING("https://api.github.com"),
		.github_ca_file = STRING(""),
		.github_ca_fd = -1,
		.adopt = true,
	};
	struct msg_out m;
	int role;

	for (role = 0; role < SESSION_ROLE_COUNT; role++) {
		conf.users[role] = STRING("");
		conf.teams[role] = STRING("");
		conf.orgs[role] = STRING("");
	}
	msg_start(&m, MSG_CONF_AUTHD, id);
	slice_add_authd(&m, &conf);
	assert_int_equal(msg_send_now(f.parent, &m, -1), 0);
	msg_start(&m, MSG_CONF_DONE, id);
	assert_int_equal(msg_send_now(f.parent, &m, -1), 0);
}

static void
send_conf(uint64_t id, const char *token)
{
	send_conf_for(id, "hub.example:443", token);
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

static void
start_authd(const char *token)
{
	int channel[2], logs[2];

	f.connector = -1;
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
	send_conf(5, token);
	(void)expect(f.parent, PROGRAM_PARENT, MSG_READY);
	attach_connector();
}

/* Killed: nobody says goodbye. */
static void
end_authd(bool killed)
{
	struct msg_out m;
	int status;

	if (killed)
		assert_int_equal(kill(f.pid, SIGKILL), 0);
	else {
		msg_start(&m, MSG_SHUTDOWN, 0);
		assert_int_equal(msg_send_now(f.parent, &m, -1), 0);
	}
	assert_int_equal(waitpid(f.pid, &status, 0), f.pid);
	assert_int_equal(WIFSIGNALED(status), killed);
	assert_true(killed || status == 0);
	close(f.parent);
	close(f.connector);
	close(f.log);
}

/* Whether a line that was logged has the text; none has a token. */
static bool
was_logged(const char *text)
{
	char line[2048];
	bool found = false;
	ssize_t n;

	while ((n = recv(f.log, line, sizeof(line) - 1, MSG_DONTWAIT)) > 0) {
		line[n] = '\0';
		assert_null(strstr(line, "ao_"));
		found |= strstr(line, text) != NULL;
	}
	return found;
}

/* The same of a line that nothing else tells us of. */
static bool
is_logged(const char *text)
{
	struct pollfd pfd = { .fd = f.log, .events = POLLIN };
	bool found = false;

	while (!found && poll(&pfd, 1, 5000) == 1)
		found = was_logged(text);
	return found;
}

static int
setup(void **state)
{
	(void)state;
	(void)strlcpy(
	    f.directory, "/tmp/test_token-XXXXXX", sizeof(f.directory));
	assert_non_null(mkdtemp(f.directory));
	start_authd("first");
	return 0;
}

static int
setup_without(void **state)
{
	(void)state;
	(void)strlcpy(
	    f.directory, "/tmp/test_token-XXXXXX", sizeof(f.directory));
	assert_non_null(mkdtemp(f.directory));
	start_authd("");
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "", "-journal" };
	char path[128];
	size_t i;

	(void)state;
	end_authd(false);
	for (i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/tether.db%s",
		    f.directory, files[i]);
		(void)unlink(path);
	}
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
assert_granted(uint64_t id, const char *expected, const char *expected_id)
{
	char token[64], client_id[64];
	struct msg m = expect(f.connector, PROGRAM_CONNECTOR, MSG_TOKEN);

	assert_int_equal(m.id, id);
	msg_get_str(&m, token, sizeof(token));
	msg_get_str(&m, client_id, sizeof(client_id));
	assert_true(msg_end(&m));
	assert_string_equal(token, expected);
	assert_string_equal(client_id, expected_id);
}

static void
assert_token(uint64_t id, const char *expected)
{
	assert_granted(id, expected, "");
}

static void
grant(uint64_t conf_id, const char *token, const char *client_id)
{
	struct msg_out m;

	msg_start(&m, MSG_TOKEN_GRANTED, 0);
	msg_add_u64(&m, conf_id);
	msg_add_str(&m, token);
	msg_add_str(&m, client_id);
	assert_int_equal(msg_send_now(f.connector, &m, -1), 0);
}

/* The record of it, which has no token. */
static void
assert_audited(const char *why)
{
	struct msg m = expect(f.parent, PROGRAM_PARENT, MSG_AUDIT);
	struct audit_record record;

	assert_int_equal(audit_read(&m, &record), 0);
	assert_int_equal(record.event, AUDIT_TOKEN);
	assert_int_equal(record.verdict, AUDIT_ALLOWED);
	assert_string_equal(record.method, "grant");
	assert_string_equal(record.why, why);
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

static void
switch_to(uint64_t id, const char *orchestrator, const char *token)
{
	send_conf_for(id, orchestrator, token);
	(void)expect(f.parent, PROGRAM_PARENT, MSG_CONF_ACCEPTED);
	send_number(f.parent, MSG_CONF_SWITCH, id, 0, -1);
	(void)expect(f.parent, PROGRAM_PARENT, MSG_CONF_SWITCHED);
}

/* Kept, whatever happens to us, for the host that granted it. */
static void
test_granted(void **state)
{
	(void)state;
	ask(1, 5);
	assert_token(1, "");
	grant(5, "ao_1_x", "box");
	ask(2, 5);
	assert_granted(2, "ao_1_x", "box");
	assert_audited("hub.example:443, for box");
	assert_true(was_logged("orchestrator token granted by hub.example:443, "
			       "kept in tether.db"));
	end_authd(true);
	start_authd("");
	ask(3, 5);
	assert_granted(3, "ao_1_x", "box");
	/* It stays so for that host, until somebody has it forgotten. */
	grant(5, "ao_2", "box2");
	ask(3, 5);
	assert_granted(3, "ao_1_x", "box");
	assert_true(was_logged("granted by hub.example:443 not kept: there is "
			       "one"));
	switch_to(6, "other.example:443", "");
	ask(4, 6);
	assert_token(4, "");
	grant(6, "ao_3", "box3");
	assert_audited("other.example:443, for box3");
	ask(5, 6);
	assert_granted(5, "ao_3", "box3");
	switch_to(7, "hub.example:443", "");
	ask(6, 7);
	assert_granted(6, "ao_1_x", "box");
	/* What is configured comes first, and takes nothing away. */
	switch_to(8, "hub.example:443", "configured");
	ask(7, 8);
	assert_token(7, "configured");
	switch_to(9, "hub.example:443", "");
	ask(8, 9);
	assert_granted(8, "ao_1_x", "box");
}

/* For another configuration, or where one is configured: not kept. */
static void
test_not_kept(void **state)
{
	(void)state;
	grant(4, "ao_1", "box");
	ask(1, 5);
	assert_token(1, "");
	switch_to(6, "hub.example:443", "configured");
	grant(6, "ao_1", "box");
	ask(2, 6);
	assert_token(2, "configured");
	assert_true(was_logged("granted by hub.example:443 not kept: one is "
			       "configured"));
	switch_to(7, "hub.example:443", "");
	ask(3, 7);
	assert_token(3, "");
}

/* A connector that sends such a thing is not ours any more. */
static void
test_malformed(void **state)
{
	static const char *const bad[][2] = {
		{ "", "box" },
		{ "a b", "box" },
		{ "a\n", "box" },
		{ "\xc3\xa9", "box" },
		{ "ao_1", "" },
		{ "ao_1", "../x" },
		{ "ao_1", ".." },
		{ "ao_1", "a/b" },
		{ "ao_1", "a\x1b[2J" },
	};
	char long_id[CLIENT_ID_MAX + 2];
	struct msg m;
	size_t i;

	(void)state;
	memset(long_id, 'x', sizeof(long_id));
	long_id[CLIENT_ID_MAX + 1] = '\0';
	for (i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		if (i == sizeof(bad) / sizeof(bad[0]))
			grant(5, "ao_1", long_id);
		else
			grant(5, bad[i][0], bad[i][1]);
		m = expect(f.parent, PROGRAM_PARENT, MSG_PEER_BROKEN);
		assert_int_equal(msg_get_u32(&m), PROGRAM_CONNECTOR);
		attach_connector();
		ask(i, 5);
		assert_token(i, "");
	}
}

/* Somebody else's lock on tether.db, until it is closed. */
static sqlite3 *
hold(const char *begin)
{
	char path[128];
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s/tether.db", f.directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, begin, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

/* While the database does not say, nobody does; then it is asked again. */
static void
test_locked(void **state)
{
	sqlite3 *db;

	(void)state;
	grant(5, "ao_1", "box");
	assert_audited("hub.example:443, for box");
	db = hold("BEGIN EXCLUSIVE");
	ask(1, 5);
	assert_silent();
	/* Nor if it is connector that has gone. */
	attach_connector();
	ask(2, 5);
	(void)poll(NULL, 0, 1500);
	assert_silent();
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_granted(2, "ao_1", "box");
	assert_silent();
}

/* Where it cannot be stored it is good for as long as we live. */
static void
test_not_stored(void **state)
{
	sqlite3 *db = hold("BEGIN IMMEDIATE");

	(void)state;
	grant(5, "ao_1", "box");
	assert_audited("hub.example:443, for box; not stored");
	ask(1, 5);
	assert_granted(1, "ao_1", "box");
	assert_true(was_logged("orchestrator token granted by hub.example:443 "
			       "can't be stored: kept in memory until authd "
			       "ends"));
	/* It is tried again. */
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	ask(2, 5);
	assert_granted(2, "ao_1", "box");
	assert_true(was_logged("is kept in tether.db now"));
	end_authd(true);
	start_authd("");
	ask(3, 5);
	assert_granted(3, "ao_1", "box");
}

#define CANNOT_TELL                                                       \
	"granted by hub.example:443 not kept: cannot tell whether there " \
	"is one"

/* Nothing takes the place of what may be there and cannot be read. */
static void
test_cannot_tell(void **state)
{
	char path[128];
	sqlite3 *db;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/tether.db", f.directory);
	(void)unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	grant(5, "ao_1", "box");
	assert_true(is_logged(CANNOT_TELL));
	assert_int_equal(rmdir(path), 0);
	ask(1, 5);
	assert_token(1, "");

	grant(5, "ao_2", "box2");
	assert_audited("hub.example:443, for box2");
	db = hold("BEGIN EXCLUSIVE");
	grant(5, "ao_3", "box3");
	assert_true(is_logged(CANNOT_TELL));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	ask(2, 5);
	assert_granted(2, "ao_2", "box2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_other_connector, setup, teardown),
#define WITHOUT(name) \
	cmocka_unit_test_setup_teardown(name, setup_without, teardown)
		WITHOUT(test_granted),
		WITHOUT(test_not_kept),
		WITHOUT(test_malformed),
		WITHOUT(test_locked),
		WITHOUT(test_not_stored),
		WITHOUT(test_cannot_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
