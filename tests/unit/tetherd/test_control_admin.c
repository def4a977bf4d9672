/* The operator's questions about people, with an authd that the test plays. */

#include <sys/socket.h>

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
#include "common/channel.h"
#include "common/log.h"
#include "common/timer.h"
#include "tetherd/children.h"
#include "tetherd/control_admin.h"
#include "tetherd/control_protocol.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct event_base *base;
static struct control_admin *admin;
static bool runs;
static struct admin_request asked;
static uint64_t asked_id;
static int timer_ms;
static uint8_t buffer[MSG_SIZE_MAX];

/* Two who ask, and what they hear. */
static struct client {
	struct channel *channel;
	int fd; /* the other end */
	char heard[256];
	struct client *forgets; /* while he hears it */
	const struct admin_request *again;
} clients[2];

bool
children_ask_admin(
    struct children *c, uint64_t id, const struct admin_request *request)
{
	(void)c;
	asked = *request;
	asked_id = id;
	return runs;
}

/* A hundred times as fast. */
void
timer_set(struct event *event, unsigned ms)
{
	const struct timeval soon = { .tv_usec = ms * 10 };

	timer_ms = ms;
	assert_int_equal(event_add(event, &soon), 0);
}

static const struct admin_request list_users = { .op = ADMIN_USERS };
static const struct admin_request list_tokens = { .op = ADMIN_TOKENS };
static const struct admin_request disable = { .op = ADMIN_USER_DISABLE,
	.whom = "mona" };

static const struct channel_ops no_ops;

static void ask(struct client *, const struct admin_request *);

static void
on_done(void *arg, bool good, const char *text)
{
	struct client *c = arg;

	(void)snprintf(c->heard, sizeof(c->heard), "%d %s", good, text);
	if (c->forgets != NULL)
		control_admin_forget(admin, c->forgets);
	if (c->again != NULL)
		ask(c, c->again);
}

static void
ask(struct client *c, const struct admin_request *request)
{
	c->again = NULL;
	control_admin_start(admin, request, c->channel, on_done, c);
}

static int
setup(void **state)
{
	int pair[2];
	size_t i;

	(void)state;
	base = event_base_new();
	assert_non_null(base);
	admin = control_admin_new(base, NULL);
	runs = true;
	memset(clients, 0, sizeof(clients));
	for (i = 0; i < COUNT(clients); i++) {
		assert_int_equal(socketpair(AF_UNIX,
				     SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
		    0);
		clients[i].channel = channel_new(base, pair[0], PROGRAM_PARENT,
		    PROGRAM_TETHERCTL, &no_ops, NULL);
		clients[i].fd = pair[1];
	}
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	control_admin_free(admin);
	for (i = 0; i < COUNT(clients); i++) {
		channel_free(clients[i].channel);
		close(clients[i].fd);
	}
	event_base_free(base);
	return 0;
}

/* The fields of the next row, with their kinds; "" if there is none. */
static const char *
hear_row(const struct client *c)
{
	static char text[2048];
	char name[CONTROL_NAME_SIZE], value[CONTROL_VALUE_SIZE];
	struct msg m;

	text[0] = '\0';
	if (recv(c->fd, buffer, 1, MSG_PEEK) == -1)
		return text;
	assert_null(msg_recv_now(
	    c->fd, &m, buffer, 0, PROGRAM_PARENT, PROGRAM_TETHERCTL, MSG_RUN));
	assert_int_equal(m.type, MSG_CTL_ROW);
	while (!msg_end(&m)) {
		uint8_t kind = msg_get_u8(&m);

		msg_get_str(&m, name, sizeof(name));
		(void)strlcpy(value, "-", sizeof(value));
		if (kind == CONTROL_KIND_TEXT)
			msg_get_str(&m, value, sizeof(value));
		else if (kind != CONTROL_KIND_NONE)
			(void)snprintf(value, sizeof(value), "%llu%s",
			    (unsigned long long)msg_get_u64(&m),
			    kind == CONTROL_KIND_NUMBER ? "n"
			    : kind == CONTROL_KIND_DATE ? "d"
			    : kind == CONTROL_KIND_FLAG ? "f"
							: "?");
		assert_false(m.bad);
		(void)strlcat(text, name, sizeof(text));
		(void)strlcat(text, "=", sizeof(text));
		(void)strlcat(text, value, sizeof(text));
		(void)strlcat(text, ";", sizeof(text));
	}
	return text;
}

static int
say_user(uint64_t id, const char *login)
{
	struct admin_user u = { .github_id = 7, .last_seen = 9 };

	(void)strlcpy(u.login, login, sizeof(u.login));
	return control_admin_on_user(admin, id, &u);
}

static int
say_token(uint64_t id)
{
	static const struct admin_token t = { .host = "h" };

	return control_admin_on_token(admin, id, &t);
}

static int
say_done(uint64_t id, bool good, const char *text)
{
	struct admin_done d = { .good = good };

	(void)strlcpy(d.text, text, sizeof(d.text));
	return control_admin_on_done(admin, id, &d);
}

static void
test_users(void **state)
{
	static const struct {
		struct admin_user user;
		const char *row;
	} table[] = {
		{ { .github_id = 583231,
		      .login = "octocat",
		      .user_name = "mona",
		      .has_role = true,
		      .role = SESSION_ROLE_READ_ONLY,
		      .last_seen = 1700000000,
		      .handles = 3 },
		    "github id=583231n;login=octocat;user=mona;role=read-only;"
		    "by=operator;state=enabled;handles=3n;"
		    "last seen=1700000000d;" },
		{ { .github_id = UINT64_MAX,
		      .login = "\x1b[31m",
		      .role = SESSION_ROLE_READ_ONLY,
		      .disabled = true },
		    "github id=18446744073709551615n;login=?[31m;user=-;role=-;"
		    "by=rule;state=disabled;handles=0n;last seen=-;" },
	};
	size_t i;

	(void)state;
	ask(&clients[0], &list_users);
	assert_int_equal(asked.op, ADMIN_USERS);
	for (i = 0; i < COUNT(table); i++) {
		assert_int_equal(
		    control_admin_on_user(admin, asked_id, &table[i].user), 0);
		assert_string_equal(hear_row(&clients[0]), table[i].row);
	}
	assert_string_equal(clients[0].heard, "");
	assert_int_equal(say_done(asked_id, true, "and 5 more"), 0);
	assert_string_equal(clients[0].heard, "1 and 5 more");
}

static void
test_tokens(void **state)
{
	static const struct admin_token token = { .host = "h.example:443",
		.client_id = "my laptop",
		.granted_at = 1700000000,
		.used = true };

	(void)state;
	ask(&clients[0], &list_tokens);
	assert_int_equal(control_admin_on_token(admin, asked_id, &token), 0);
	assert_string_equal(hear_row(&clients[0]),
	    "host=h.example:443;client id=my laptop;granted=1700000000d;"
	    "used=1f;");
	assert_int_equal(say_done(asked_id, true, ""), 0);
	assert_string_equal(clients[0].heard, "1 ");
}

static void
test_change(void **state)
{
	(void)state;
	ask(&clients[0], &disable);
	assert_int_equal(asked.op, ADMIN_USER_DISABLE);
	assert_string_equal(asked.whom, "mona");
	assert_int_equal(say_done(asked_id, false, "no such user: mona"), 0);
	assert_string_equal(clients[0].heard, "0 no such user: mona");
	/* It is over, and must not be answered twice. */
	clients[0].heard[0] = '\0';
	assert_int_equal(say_done(asked_id, true, "x"), 0);
	assert_string_equal(clients[0].heard, "");
}

/* Each gets his own, whoever is answered first. */
static void
test_several(void **state)
{
	uint64_t first;

	(void)state;
	ask(&clients[0], &list_users);
	first = asked_id;
	ask(&clients[1], &list_users);
	assert_int_not_equal(first, asked_id);
	assert_int_equal(say_user(asked_id, "b"), 0);
	assert_int_equal(say_user(first, "a"), 0);
	assert_non_null(strstr(hear_row(&clients[0]), "login=a;"));
	assert_non_null(strstr(hear_row(&clients[1]), "login=b;"));
	assert_int_equal(say_done(asked_id, true, "two"), 0);
	assert_string_equal(clients[0].heard, "");
	assert_string_equal(clients[1].heard, "1 two");
	assert_int_equal(say_done(first, true, "one"), 0);
	assert_string_equal(clients[0].heard, "1 one");
	assert_string_equal(hear_row(&clients[0]), "");
	assert_string_equal(hear_row(&clients[1]), "");
}

/* One who hung up: what comes then is nobody's. */
static void
test_forget(void **state)
{
	uint64_t first;

	(void)state;
	ask(&clients[0], &list_users);
	first = asked_id;
	ask(&clients[1], &list_users);
	control_admin_forget(admin, &clients[0]);
	assert_int_equal(say_user(first, "a"), 0);
	assert_int_equal(say_done(first, true, "one"), 0);
	assert_string_equal(hear_row(&clients[0]), "");
	assert_string_equal(clients[0].heard, "");
	assert_int_equal(say_done(asked_id, true, "two"), 0);
	assert_string_equal(clients[1].heard, "1 two");
}

static void
spin(void)
{
	const struct timeval soon = { .tv_usec = 200000 };

	event_base_loopexit(base, &soon);
	event_base_dispatch(base);
}

static void
test_silence(void **state)
{
	(void)state;
	ask(&clients[0], &list_users);
	assert_int_equal(timer_ms, 10000);
	assert_int_equal(say_user(asked_id, "a"), 0);
	spin();
	assert_string_equal(clients[0].heard, "0 authd did not answer");
	/* Late. */
	clients[0].heard[0] = '\0';
	assert_int_equal(say_user(asked_id, "a"), 0);
	assert_int_equal(say_done(asked_id, true, ""), 0);
	assert_string_equal(clients[0].heard, "");
}

static void
test_gone(void **state)
{
	uint64_t first;

	(void)state;
	control_admin_on_gone(admin);
	ask(&clients[0], &list_users);
	first = asked_id;
	ask(&clients[1], &disable);
	runs = false;
	clients[0].again = &list_users;
	control_admin_on_gone(admin);
	assert_string_equal(clients[0].heard, "0 authd does not run");
	assert_string_equal(clients[1].heard, "0 authd did not answer");
	runs = true;
	assert_int_equal(say_done(first, true, ""), 0);
	assert_string_equal(clients[0].heard, "0 authd does not run");
	/* One that leaves takes another one with him. */
	ask(&clients[0], &list_users);
	ask(&clients[1], &list_users);
	clients[0].forgets = &clients[1];
	clients[1].heard[0] = '\0';
	control_admin_on_gone(admin);
	assert_string_equal(clients[0].heard, "0 authd did not answer");
	assert_string_equal(clients[1].heard, "");
}

/* What an authd of good will does not say. */
static void
test_lies(void **state)
{
	(void)state;
	assert_int_equal(say_user(0, "a"), -1);
	assert_int_equal(say_user(1, "a"), -1);
	assert_int_equal(say_token(1), -1);
	assert_int_equal(say_done(1, true, ""), -1);
	ask(&clients[0], &list_users);
	assert_int_equal(say_token(asked_id), -1);
	assert_int_equal(say_user(asked_id + 1, "a"), -1);
	assert_int_equal(say_done(0, true, ""), -1);
	assert_int_equal(say_done(asked_id + 1, true, ""), -1);
	ask(&clients[0], &list_tokens);
	assert_int_equal(say_user(asked_id, "a"), -1);
	ask(&clients[0], &disable);
	assert_int_equal(say_user(asked_id, "a"), -1);
	assert_int_equal(say_token(asked_id), -1);
	assert_string_equal(hear_row(&clients[0]), "");
}

static void
test_too_many(void **state)
{
	unsigned i;

	(void)state;
	ask(&clients[0], &list_users);
	for (i = 0; i < ADMIN_ROWS_MAX; i++) {
		assert_int_equal(say_user(asked_id, "a"), 0);
		assert_string_not_equal(hear_row(&clients[0]), "");
	}
	assert_int_equal(say_user(asked_id, "a"), -1);
	assert_string_equal(hear_row(&clients[0]), "");
	/* tetherctl takes as many. */
	assert_true(CONTROL_ROWS_MAX >= ADMIN_ROWS_MAX);
}

static void
test_describe(void **state)
{
	static const struct {
		struct admin_request request;
		const char *text;
	} table[] = {
		{ { ADMIN_USERS, "", "" }, "users" },
		{ { ADMIN_USER_DISABLE, "mona", "" }, "users disable mona" },
		{ { ADMIN_USER_ENABLE, "7", "" }, "users enable 7" },
		{ { ADMIN_USER_ROLE, "a\nb", "full" }, "users role a?b full" },
		{ { ADMIN_TOKENS, "", "" }, "tokens" },
		{ { ADMIN_TOKEN_FORGET, "h:1", "" }, "tokens forget h:1" },
	};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		assert_string_equal(control_admin_describe(
					&table[i].request, text, sizeof(text)),
		    table[i].text);
	assert_string_equal(
	    control_admin_describe(&table[1].request, text, 6), "users");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_users),
		TEST(test_tokens),
		TEST(test_change),
		TEST(test_several),
		TEST(test_forget),
		TEST(test_silence),
		TEST(test_gone),
		TEST(test_lies),
		TEST(test_too_many),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
