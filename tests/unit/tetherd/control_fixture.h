#ifndef TESTS_UNIT_TETHERD_CONTROL_FIXTURE_H
#define TESTS_UNIT_TETHERD_CONTROL_FIXTURE_H

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

static inline int
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

static inline int
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

static inline void
spin(void)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static inline int
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

static inline void
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

static inline bool
has_message(int fd)
{
	return recv(fd, buffer, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static inline bool
is_closed(int fd)
{
	char c;
	ssize_t n;

	do
		n = recv(fd, &c, 1, MSG_DONTWAIT);
	while (n == -1 && errno == ECONNRESET);
	return n == 0;
}

static inline struct msg
hear(int fd, enum msg_type type, enum msg_state state)
{
	struct msg m;

	assert_null(msg_recv_now(
	    fd, &m, buffer, 0, PROGRAM_PARENT, PROGRAM_TETHERCTL, state));
	assert_int_equal(m.type, type);
	return m;
}

static inline void
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
static inline int
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

static inline void
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

static inline void
answer_all(uint64_t id)
{
	answer(PROGRAM_AUTHD, id);
	answer(PROGRAM_CONNECTOR, id);
	answer(PROGRAM_PROXYD, id);
}

/* The rows up to the CTL_DONE as "name=value name=value|...". */
static inline char *
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

static inline void
assert_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
