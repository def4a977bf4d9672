/*
 * The control socket with clients that the test plays, in front of children
 * and a reload that it plays, too.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <setjmp.h>
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
#include "common/log.h"
#include "common/msg.h"
#include "common/status.h"
#include "tests/unit/common/descriptors.h"
#include "tetherd/children.h"
#include "tetherd/conf.h"
#include "tetherd/control.h"
#include "tetherd/control_limits.h"
#include "tetherd/control_protocol.h"
#include "tetherd/reload.h"
#include "tetherd/settings.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct event_base *base;
static struct control *control;
static struct conf conf;
static char dir[32], path[64], no_group[1];
static int descriptors;
static uint8_t buffer[MSG_SIZE_MAX];

/* What was asked of the parts that are played here. */
static struct {
	unsigned asked; /* for the status */
	uint64_t id;
	unsigned reloads;
	reload_done done;
	void *arg;
	unsigned forgotten;
	enum msg_type sent;
	enum program level_of;
	enum log_level level;
	const char *state;
	size_t text_len; /* of the configuration */
	struct admin_request request;
} played;

unsigned
children_ask_status(struct children *c, uint64_t id)
{
	(void)c;
	played.asked++;
	played.id = id;
	return 3;
}

bool
children_info(
    const struct children *c, enum program program, struct child_info *info)
{
	(void)c;
	*info = (struct child_info){ .pid = getpid(),
		.state = played.state,
		.uptime = 90,
		.lost = 2,
		.log_level = LOG_LEVEL_DEBUG };
	return program >= PROGRAM_CONNECTOR && program <= PROGRAM_AUTHD;
}

void
children_set_log_level(
    struct children *c, enum program program, enum log_level level)
{
	(void)c;
	played.level_of = program;
	played.level = level;
}

bool
children_ask_admin(
    struct children *c, uint64_t id, const struct admin_request *request)
{
	(void)c;
	played.request = *request;
	played.id = id;
	return true;
}

void
children_send(struct children *c, enum program program, enum msg_type type)
{
	(void)c;
	assert_int_equal(program, PROGRAM_CONNECTOR);
	played.sent = type;
}

const struct settings *
reload_settings(const struct reload *r)
{
	return (const struct settings *)r;
}

void
reload_start(struct reload *r, reload_done done, void *arg)
{
	(void)r;
	played.reloads++;
	played.done = done;
	played.arg = arg;
}

void
reload_forget(struct reload *r, void *arg)
{
	(void)r;
	if (played.done == NULL || arg != played.arg)
		return;
	played.done = NULL;
	played.forgotten++;
}

const struct conf *
settings_conf(const struct settings *s)
{
	(void)s;
	return &conf;
}

void
settings_print(const struct settings *s, FILE *out)
{
	size_t i;

	(void)s;
	for (i = 0; i < played.text_len; i++)
		fputc("0123456789\n"[i % 11], out);
}

static int
begin(void **state)
{
	(void)state;
	memset(&played, 0, sizeof(played));
	played.state = "running";
	descriptors = count_descriptors();
	(void)strlcpy(dir, "/tmp/control.XXXXXX", sizeof(dir));
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	memset(&conf, 0, sizeof(conf));
	conf.parent.socket = path;
	conf.parent.group = no_group;
	conf.connector.enabled = true;
	conf.proxyd.requests_max = 256;
	base = event_base_new();
	assert_non_null(base);
	control = control_new(base, &conf);
	control_start(control, NULL, NULL);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	control_free(control);
	event_base_free(base);
	assert_int_equal(count_descriptors(), descriptors);
	assert_int_equal(rmdir(dir), 0);
	log_set_level(LOG_LEVEL_CRIT);
	return 0;
}

static void
spin(void)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static int
open_client(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	assert_int_not_equal(fd, -1);
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	spin();
	return fd;
}

static void
say(int fd, enum msg_type type, int n, uint32_t a, uint32_t b)
{
	struct msg_out m;

	msg_start(&m, type, 0);
	if (n > 0)
		msg_add_u32(&m, a);
	if (n > 1)
		msg_add_u32(&m, b);
	assert_int_equal(msg_send_now(fd, &m, -1), 0);
	spin();
}

static bool
has_message(int fd)
{
	return recv(fd, buffer, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static bool
is_closed(int fd)
{
	char c;
	ssize_t n;

	do
		n = recv(fd, &c, 1, MSG_DONTWAIT);
	while (n == -1 && errno == ECONNRESET);
	return n == 0;
}

static struct msg
hear(int fd, enum msg_type type, enum msg_state state)
{
	struct msg m;

	assert_null(msg_recv_now(
	    fd, &m, buffer, 0, PROGRAM_PARENT, PROGRAM_TETHERCTL, state));
	assert_int_equal(m.type, type);
	return m;
}

static void
hear_done(int fd, enum msg_state state, uint32_t code, const char *text)
{
	struct msg m = hear(fd, MSG_CTL_DONE, state);
	char reason[CONTROL_DONE_SIZE];

	assert_int_equal(msg_get_u32(&m), code);
	msg_get_str(&m, reason, sizeof(reason));
	assert_true(msg_end(&m));
	assert_string_equal(reason, text);
}

/* One that was welcome. */
static int
open_greeted(void)
{
	int fd = open_client();
	struct msg m;
	char version[64];

	say(fd, MSG_CTL_HELLO, 1, MSG_PROTOCOL_VERSION, 0);
	m = hear(fd, MSG_CTL_WELCOME, MSG_START);
	assert_int_equal(msg_get_u32(&m), MSG_PROTOCOL_VERSION);
	msg_get_str(&m, version, sizeof(version));
	assert_true(msg_end(&m));
	assert_string_equal(version, TETHERD_VERSION);
	return fd;
}

static void
answer(enum program program, uint64_t id)
{
	struct status *s = status_new(program);

	if (program == PROGRAM_CONNECTOR)
		status_set_text(s, STATUS_CONNECTOR_ACTIVITY, "busy");
	if (program == PROGRAM_PROXYD) {
		status_set_number(s, STATUS_PROXYD_TRANSACTIONS, 77);
		status_set_number(s, STATUS_PROXYD_HTTP_REQUESTS, 1234);
	}
	control_on_status(control, program, id, s);
	status_free(s);
	spin();
}

static void
answer_all(uint64_t id)
{
	answer(PROGRAM_AUTHD, id);
	answer(PROGRAM_CONNECTOR, id);
	answer(PROGRAM_PROXYD, id);
}

/* The rows up to the CTL_DONE as "name=value name=value|...". */
static char *
hear_rows(int fd)
{
	static char text[65536];
	char name[CONTROL_NAME_SIZE], value[CONTROL_VALUE_SIZE];
	struct msg m;
	size_t len = 0;

	for (;;) {
		assert_null(msg_recv_now(fd, &m, buffer, 0, PROGRAM_PARENT,
		    PROGRAM_TETHERCTL, MSG_RUN));
		if (m.type != MSG_CTL_ROW)
			break;
		while (!msg_end(&m)) {
			uint8_t kind = msg_get_u8(&m);

			msg_get_str(&m, name, sizeof(name));
			(void)strlcpy(value, "?", sizeof(value));
			if (kind == CONTROL_KIND_TEXT)
				msg_get_str(&m, value, sizeof(value));
			else if (kind != CONTROL_KIND_NONE)
				(void)snprintf(value, sizeof(value), "%llu",
				    (unsigned long long)msg_get_u64(&m));
			assert_false(m.bad);
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s=%s ", name, value);
		}
		len += (size_t)snprintf(text + len, sizeof(text) - len, "|");
		assert_true(len < sizeof(text));
	}
	assert_int_equal(m.type, MSG_CTL_DONE);
	assert_int_equal(msg_get_u32(&m), CONTROL_OK);
	return text;
}

static void
assert_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void
test_greeting(void **state)
{
	int fd;

	(void)state;
	close(open_greeted());
	fd = open_client();
	assert_false(has_message(fd));
	say(fd, MSG_CTL_HELLO, 1, MSG_PROTOCOL_VERSION + 1, 0);
	hear_done(fd, MSG_START, CONTROL_REFUSED,
	    "tetherd " TETHERD_VERSION " is of another version");
	assert_true(is_closed(fd));
	close(fd);
	/* Nothing before it, and not twice. */
	fd = open_client();
	say(fd, MSG_CTL_RELOAD, 0, 0, 0);
	assert_true(is_closed(fd));
	close(fd);
	fd = open_greeted();
	say(fd, MSG_CTL_HELLO, 1, MSG_PROTOCOL_VERSION, 0);
	assert_true(is_closed(fd));
	close(fd);
	assert_int_equal(played.reloads, 0);
}

static void
test_show_status(void **state)
{
	int fd = open_greeted();
	char *text;

	(void)state;
	say(fd, MSG_CTL_SHOW, 1, CONTROL_STATUS, 0);
	assert_int_equal(played.asked, 1);
	answer(PROGRAM_AUTHD, played.id);
	/* Of another inquiry, and twice: that is not all of them. */
	answer(PROGRAM_CONNECTOR, played.id + 1);
	answer(PROGRAM_AUTHD, played.id);
	answer(PROGRAM_AUTHD, played.id);
	answer(PROGRAM_PROXYD, played.id);
	assert_false(has_message(fd));
	answer(PROGRAM_CONNECTOR, played.id);
	text = hear_rows(fd);
	assert_in(text, "version=" TETHERD_VERSION " |");
	assert_in(text, "|mode=client |");
	assert_in(text, "|restarts=6 |");
	assert_in(text, "|activity=busy |");
	assert_null(strstr(text, "requests=1234"));
	assert_null(strstr(text, "no answer"));
	close(fd);
}

/* Some children do not answer: it takes 2 s, and says so. */
static void
test_no_answer(void **state)
{
	const struct timeval almost = { 1, 500000 }, rest = { 1, 0 };
	int fd = open_greeted();
	char *text;

	(void)state;
	say(fd, MSG_CTL_SHOW, 1, CONTROL_STATS, 0);
	answer(PROGRAM_PROXYD, played.id);
	event_base_loopexit(base, &almost);
	event_base_dispatch(base);
	assert_false(has_message(fd));
	event_base_loopexit(base, &rest);
	event_base_dispatch(base);
	text = hear_rows(fd);
	assert_in(text, "connector=no answer |");
	assert_in(text, "authd=no answer |");
	assert_in(text, "|requests=1234 |");
	assert_null(strstr(text, "activity"));
	answer_all(played.id);
	assert_false(has_message(fd));
	close(fd);
}

static void
test_show_others(void **state)
{
	int fd = open_greeted();
	char *text;

	(void)state;
	say(fd, MSG_CTL_SHOW, 1, CONTROL_PROCESSES, 0);
	text = hear_rows(fd);
	assert_in(text, "program=tetherd pid=");
	assert_in(text, "|program=connector pid=");
	assert_in(text, "state=running uptime=90 restarts=2 rss=");
	assert_in(text, " log level=verbose seccomp=");
	say(fd, MSG_CTL_SHOW, 1, CONTROL_LIMITS, 0);
	answer_all(played.id);
	text = hear_rows(fd);
	assert_in(text, "limit=requests value=256 in use=77 adjustable=1 |");
	assert_in(text, "limit=body value=0 in use=? adjustable=1 |");
	assert_in(
	    text, "limit=control clients value=8 in use=1 adjustable=0 |");
	close(fd);
}

static void
test_show_config(void **state)
{
	static const size_t lengths[] = { 0, 1, CONTROL_TEXT_SIZE - 1,
		CONTROL_TEXT_SIZE, 100000 };
	static char all[200001];
	int fd = open_greeted();
	struct msg m;
	size_t i, len;

	(void)state;
	for (i = 0; i < COUNT(lengths); i++) {
		played.text_len = lengths[i];
		say(fd, MSG_CTL_SHOW, 1, CONTROL_CONFIG, 0);
		for (len = 0;; len += strlen(all + len)) {
			assert_null(msg_recv_now(fd, &m, buffer, 0,
			    PROGRAM_PARENT, PROGRAM_TETHERCTL, MSG_RUN));
			if (m.type != MSG_CTL_TEXT)
				break;
			msg_get_str(&m, all + len, CONTROL_TEXT_SIZE);
			assert_true(msg_end(&m));
		}
		assert_int_equal(m.type, MSG_CTL_DONE);
		assert_int_equal(len, lengths[i]);
	}
	for (i = 0; i < 100000; i++)
		assert_int_equal(all[i], "0123456789\n"[i % 11]);
	played.text_len = CONTROL_ANSWER_MAX + 1;
	say(fd, MSG_CTL_SHOW, 1, CONTROL_CONFIG, 0);
	hear_done(
	    fd, MSG_RUN, CONTROL_FAILED, "the text is too long to be shown");
	assert_int_equal(played.asked, 0);
	close(fd);
}

static void
test_reload(void **state)
{
	int fd = open_greeted(), other;
	struct msg m;
	char text[64];

	(void)state;
	say(fd, MSG_CTL_RELOAD, 0, 0, 0);
	assert_int_equal(played.reloads, 1);
	/* The next one waits, whatever it is. */
	say(fd, MSG_CTL_RELOAD, 0, 0, 0);
	assert_int_equal(played.reloads, 1);
	/* Others do not. */
	other = open_greeted();
	say(other, MSG_CTL_DISCONNECT, 0, 0, 0);
	hear_done(other, MSG_RUN, CONTROL_OK, "disconnecting");
	assert_int_equal(played.sent, MSG_DISCONNECT);
	close(other);

	assert_false(has_message(fd));
	played.done(played.arg, NULL);
	hear_done(fd, MSG_RUN, CONTROL_OK, "settings reloaded");
	spin();
	assert_int_equal(played.reloads, 2);
	played.done(played.arg, "a:1: one\nb:2: two\n");
	played.done = NULL;
	m = hear(fd, MSG_CTL_TEXT, MSG_RUN);
	msg_get_str(&m, text, sizeof(text));
	assert_string_equal(text, "a:1: one\nb:2: two\n");
	hear_done(fd, MSG_RUN, CONTROL_FAILED,
	    "reload failed: the old settings stay in force");
	close(fd);
}

/* Who goes while a command is under way is noticed, and forgotten. */
static void
test_gone_while_working(void **state)
{
	const struct timeval time = { 1, 500000 };
	int fd = open_greeted();

	(void)state;
	say(fd, MSG_CTL_RELOAD, 0, 0, 0);
	close(fd);
	event_base_loopexit(base, &time);
	event_base_dispatch(base);
	assert_int_equal(played.forgotten, 1);
	fd = open_greeted();
	say(fd, MSG_CTL_SHOW, 1, CONTROL_STATUS, 0);
	close(fd);
	event_base_loopexit(base, &time);
	event_base_dispatch(base);
	answer_all(played.id);
}

static void
test_connection(void **state)
{
	int fd = open_greeted();

	(void)state;
	say(fd, MSG_CTL_RECONNECT, 0, 0, 0);
	hear_done(fd, MSG_RUN, CONTROL_OK, "reconnecting");
	assert_int_equal(played.sent, MSG_RECONNECT);
	played.sent = MSG_NONE;
	played.state = "starting";
	say(fd, MSG_CTL_RECONNECT, 0, 0, 0);
	hear_done(fd, MSG_RUN, CONTROL_FAILED, "connector does not run");
	played.state = "running";
	conf.connector.enabled = false;
	say(fd, MSG_CTL_DISCONNECT, 0, 0, 0);
	hear_done(fd, MSG_RUN, CONTROL_FAILED,
	    "mode standalone: there is no orchestrator");
	assert_int_equal(played.sent, MSG_NONE);
	close(fd);
}

static void
test_log(void **state)
{
	int fd = open_greeted();

	(void)state;
	say(fd, MSG_CTL_LOG, 2, CONTROL_VERBOSE, PROGRAM_PROXYD);
	hear_done(fd, MSG_RUN, CONTROL_OK, "");
	assert_int_equal(played.level_of, PROGRAM_PROXYD);
	assert_int_equal(played.level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_get_level(), LOG_LEVEL_CRIT);
	played.level_of = PROGRAM_DIALER;
	say(fd, MSG_CTL_LOG, 2, CONTROL_BRIEF, PROGRAM_PARENT);
	hear_done(fd, MSG_RUN, CONTROL_OK, "");
	assert_int_equal(played.level_of, PROGRAM_DIALER);
	assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
	log_set_level(LOG_LEVEL_CRIT);
	say(fd, MSG_CTL_LOG, 2, CONTROL_BRIEF, CONTROL_ALL);
	hear_done(fd, MSG_RUN, CONTROL_OK, "");
	assert_int_equal(played.level_of, PROGRAM_COUNT);
	assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
	close(fd);
}

static void
ask_admin(int fd, enum admin_op op, const char *whom)
{
	struct admin_request request = { .op = op };
	struct msg_out m;

	(void)strlcpy(request.whom, whom, sizeof(request.whom));
	msg_start(&m, MSG_CTL_ADMIN, 0);
	admin_request_add(&m, &request);
	assert_int_equal(msg_send_now(fd, &m, -1), 0);
	spin();
}

/* A list, a change, and the end of authd and of tetherd meanwhile. */
static void
test_admin(void **state)
{
	static const struct admin_user user = { .github_id = 7,
		.login = "mona" };
	static const struct admin_done good = { true, "" },
				       bad = { false, "no such user: x" };
	int fd = open_greeted();

	(void)state;
	ask_admin(fd, ADMIN_USERS, "");
	assert_int_equal(played.request.op, ADMIN_USERS);
	assert_false(has_message(fd));
	assert_int_equal(control_on_admin_user(control, played.id, &user), 0);
	assert_int_equal(control_on_admin_done(control, played.id, &good), 0);
	assert_in(hear_rows(fd), "github id=7 login=mona ");

	ask_admin(fd, ADMIN_USER_DISABLE, "x");
	assert_string_equal(played.request.whom, "x");
	assert_int_equal(control_on_admin_done(control, played.id, &bad), 0);
	hear_done(fd, MSG_RUN, CONTROL_FAILED, "no such user: x");
	assert_int_equal(control_on_admin_user(control, 0, &user), -1);
	assert_int_equal(control_on_admin_done(control, 99, &good), -1);

	ask_admin(fd, ADMIN_TOKENS, "");
	control_on_authd_gone(control);
	hear_done(fd, MSG_RUN, CONTROL_FAILED, "authd did not answer");
	ask_admin(fd, ADMIN_TOKENS, "");
	control_stop(control);
	hear_done(fd, MSG_RUN, CONTROL_FAILED, "tetherd is stopping");
	/* Then nobody is there. */
	assert_int_equal(control_on_admin_user(control, played.id, &user), 0);
	assert_int_equal(control_on_admin_done(control, played.id, &good), 0);
	control_on_authd_gone(control);
	close(fd);
}

/* He hung up before authd answered. */
static void
test_admin_gone(void **state)
{
	static const struct admin_user user = { .login = "mona" };
	int fd = open_greeted();

	(void)state;
	ask_admin(fd, ADMIN_USERS, "");
	close(fd);
	assert_int_equal(
	    event_base_loopexit(base, &(struct timeval){ .tv_sec = 2 }), 0);
	event_base_dispatch(base);
	assert_int_equal(control_on_admin_user(control, played.id, &user), 0);
}

/* Numbers that mean nothing. */
static void
test_wrong_values(void **state)
{
	static const struct {
		enum msg_type type;
		int n;
		uint32_t a, b;
	} wrong[] = {
		{ MSG_CTL_SHOW, 1, CONTROL_VIEW_COUNT, 0 },
		{ MSG_CTL_SHOW, 1, UINT32_MAX, 0 },
		{ MSG_CTL_LOG, 2, CONTROL_LEVEL_COUNT, CONTROL_ALL },
		{ MSG_CTL_LOG, 2, CONTROL_BRIEF, PROGRAM_DIALER },
		{ MSG_CTL_LOG, 2, CONTROL_BRIEF, PROGRAM_TETHERCTL },
		{ MSG_CTL_LOG, 2, CONTROL_BRIEF, CONTROL_ALL + 1 },
		{ MSG_CTL_LOG, 2, UINT32_MAX, UINT32_MAX },
		{ MSG_CTL_ADMIN, 2, ADMIN_USERS, 0 },
	};
	size_t i;
	int fd;

	(void)state;
	played.level_of = PROGRAM_DIALER;
	for (i = 0; i < COUNT(wrong); i++) {
		fd = open_greeted();
		say(fd, wrong[i].type, wrong[i].n, wrong[i].a, wrong[i].b);
		assert_true(is_closed(fd));
		close(fd);
	}
	assert_int_equal(played.level_of, PROGRAM_DIALER);
	assert_int_equal(played.asked, 0);
}

/* Every type, before and after the greeting, cut, and with a descriptor. */
static void
test_garbage(void **state)
{
	uint8_t datagram[MSG_HEADER_SIZE + 16];
	struct iovec iov = { .iov_base = datagram };
	unsigned type;
	size_t n;
	int fd, round;

	(void)state;
	for (type = 0; type <= MSG_TYPE_COUNT; type++)
		for (round = 0; round < 2; round++) {
			fd = round == 0 ? open_client() : open_greeted();
			memset(datagram, 0xff, sizeof(datagram));
			msg_put_header(datagram, (enum msg_type)type, 0, 0, 16);
			iov.iov_len = sizeof(datagram);
			assert_int_not_equal(msg_send_iov(fd, &iov, 1, -1), -1);
			spin();
			assert_true(is_closed(fd));
			close(fd);
		}
	msg_put_header(datagram, MSG_CTL_HELLO, 0, 0, 4);
	for (n = 1; n < MSG_HEADER_SIZE + 4; n++) {
		fd = open_client();
		iov.iov_len = n;
		assert_int_not_equal(msg_send_iov(fd, &iov, 1, -1), -1);
		spin();
		assert_true(is_closed(fd));
		close(fd);
	}
	fd = open_greeted();
	msg_put_header(datagram, MSG_CTL_RELOAD, 0, 0, 0);
	iov.iov_len = MSG_HEADER_SIZE;
	assert_int_not_equal(msg_send_iov(fd, &iov, 1, fd), -1);
	spin();
	assert_true(is_closed(fd));
	close(fd);
	assert_int_equal(played.reloads, 0);
}

static void
test_too_many(void **state)
{
	int fds[CONTROL_CLIENTS_MAX], fd;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(fds); i++)
		fds[i] = open_greeted();
	fd = open_client();
	hear_done(fd, MSG_START, CONTROL_REFUSED, "too many clients");
	assert_true(is_closed(fd));
	close(fd);
	close(fds[3]);
	spin();
	fds[3] = open_greeted();
	say(fds[0], MSG_CTL_SHOW, 1, CONTROL_LIMITS, 0);
	answer_all(played.id);
	assert_in(hear_rows(fds[0]), "limit=control clients value=8 in use=8 ");
	for (i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

/*
 * One that asks and never reads: at some point nobody answers any more, and
 * what it has not read yet comes later.
 */
static void
test_never_reads(void **state)
{
	int fd = open_greeted();
	struct msg_out m;
	unsigned shown = 0, asked = 0;
	struct msg in;
	bool sent;

	(void)state;
	played.text_len = 100000;
	do {
		msg_start(&m, MSG_CTL_SHOW, 0);
		msg_add_u32(&m, CONTROL_CONFIG);
		sent = msg_send_now(fd, &m, -1) == 0;
		asked += sent;
		spin();
	} while (sent && asked < 100000);
	/* Its own socket is full. */
	assert_int_equal(errno, EAGAIN);
	while (msg_recv_now(fd, &in, buffer, 0, PROGRAM_PARENT,
		   PROGRAM_TETHERCTL, MSG_RUN) == NULL) {
		shown += in.type == MSG_CTL_DONE;
		spin();
	}
	assert_int_equal(shown, asked);
	close(fd);
}

static void
test_stop(void **state)
{
	int waiting = open_greeted(), idle = open_greeted();

	(void)state;
	say(waiting, MSG_CTL_RELOAD, 0, 0, 0);
	control_stop(control);
	assert_int_equal(played.forgotten, 1);
	hear_done(waiting, MSG_RUN, CONTROL_FAILED, "tetherd is stopping");
	assert_true(is_closed(waiting));
	assert_true(is_closed(idle));
	assert_int_equal(access(path, F_OK), -1);
	answer_all(1);
	close(waiting);
	close(idle);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_greeting),
		TEST(test_show_status),
		TEST(test_no_answer),
		TEST(test_show_others),
		TEST(test_show_config),
		TEST(test_reload),
		TEST(test_gone_while_working),
		TEST(test_connection),
		TEST(test_log),
		TEST(test_admin),
		TEST(test_admin_gone),
		TEST(test_wrong_values),
		TEST(test_garbage),
		TEST(test_too_many),
		TEST(test_never_reads),
		TEST(test_stop),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
