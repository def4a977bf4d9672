#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxyd/role.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
test_methods(void **state)
{
	static const struct {
		const char *method;
		bool read_only;
	} table[] = {
		{ "GET", true },
		{ "HEAD", true },
		{ "POST", false },
		{ "PUT", false },
		{ "PATCH", false },
		{ "DELETE", false },
		{ "OPTIONS", false },
		{ "PROPFIND", false },
		{ "get", false },
		{ "GETX", false },
		{ "G", false },
		{ "", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		const char *method = table[i].method;

		assert_true(role_may_request(SESSION_ROLE_FULL, method, "/x"));
		if (role_may_request(SESSION_ROLE_READ_ONLY, method, "/x") !=
		    table[i].read_only)
			fail_msg("%s", method);
	}
}

/* Where a GET does more than show something. */
static void
test_acting(void **state)
{
	static const char *const closed[] = {
		"/api/projects/clone-progress",
		"/api/projects/clone-progress?path=/x&githubUrl=y",
		"/API/Projects//clone-progress/",
		"/api/projects/%63lone-progress",
		"/x/../api/projects/clone-progress",
		"/api/git/commit-diff?project=p&commit=HEAD;id",
		"/api/git/commit-diff?project=p&commit=HEAD%3Bid",
		"/api/git/commit-diff?project=p&commit=%60id%60",
		"/api/git/commit-diff?commit=$(id)",
		"/api/git/commit-diff?commit=%0Aid",
		"/api/git/commit-diff?commit=%00",
		"/api/git/commit-diff?commit[]=%7Cid",
		"/api/git/commit-diff?commit=--output=/x",
		"/api/git/commit-diff?commit=%2d-output=/x",
		"/api/git/commit-diff?commit=HEAD+--output%3D/x",
		"/api/git/commit-diff?commit=HEAD%20--output%3D/x",
		"/api/git/commit-diff?commit=[-]-output=x",
		"/api/git/commit-diff?commit={--output=x,HEAD}",
		"/api/git/commit-diff?commit=*",
		"/api/git/commits?limit=1&project=x%26id",
		"/api/git/commits?project[]=-x",
		"/api/git/commits?projects=-x",
		"/api/git/commits?=-x",
		"/api/git/diff?file=%22;id;%22",
		"/api/git/diff?a=b&&file=x\\",
		"/Api/Git/diff?file='x'",
		"/api//git/diff?file=$x",
		"/api/git?#",
	};
	static const char *const open[] = {
		"/api/projects/clone-progressive",
		"/api/projects?x=clone-progress",
		"/api/git/status?project=-home-me-my-project",
		"/api/git/commits?project=-home-me&limit=10",
		"/api/git/commit-diff?project=p&commit=0123abcd",
		"/api/git/commit-diff?project=p&commit=v1.0~2%5E",
		"/api/git/diff?project=p&file=a+b/%28c%29/%5Bid%5D-d.tsx",
		"/api/git/diff?project=p&file=caf%C3%A9",
		"/api/git/diff?",
		"/api/git/diff",
		"/api/gitx?commit=;id",
		"/api/search?q=a;b|c&d=--e",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(closed); i++) {
		if (role_may_request(SESSION_ROLE_READ_ONLY, "GET", closed[i]))
			fail_msg("%s", closed[i]);
		assert_false(role_may_request(
		    SESSION_ROLE_READ_ONLY, "HEAD", closed[i]));
		assert_true(
		    role_may_request(SESSION_ROLE_FULL, "GET", closed[i]));
		assert_true(role_may_request(ROLE_NOBODY, "GET", closed[i]));
	}
	for (i = 0; i < COUNT(open); i++)
		if (!role_may_request(SESSION_ROLE_READ_ONLY, "GET", open[i]))
			fail_msg("%s", open[i]);
}

static void
test_sockets(void **state)
{
	static const struct {
		const char *target;
		enum role_socket read_only;
	} table[] = {
		{ "/ws", ROLE_SOCKET_MUTE },
		{ "/ws?", ROLE_SOCKET_MUTE },
		{ "/ws?path=/shell", ROLE_SOCKET_MUTE },
		{ "/shell", ROLE_SOCKET_CLOSED },
		{ "/shell?x=/ws", ROLE_SOCKET_CLOSED },
		{ "/plugin-ws/x", ROLE_SOCKET_CLOSED },
		{ "/", ROLE_SOCKET_CLOSED },
		{ "", ROLE_SOCKET_CLOSED },
		{ "/w", ROLE_SOCKET_CLOSED },
		{ "/ws/", ROLE_SOCKET_CLOSED },
		{ "/wsx", ROLE_SOCKET_CLOSED },
		{ "/WS", ROLE_SOCKET_CLOSED },
		{ "/ws#", ROLE_SOCKET_CLOSED },
		{ "/ws/../shell", ROLE_SOCKET_CLOSED },
		{ "//ws", ROLE_SOCKET_CLOSED },
		{ "/%77s", ROLE_SOCKET_CLOSED },
		{ "/x/../ws", ROLE_SOCKET_CLOSED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		const char *target = table[i].target;

		assert_int_equal(
		    role_socket(SESSION_ROLE_FULL, target), ROLE_SOCKET_OPEN);
		if (role_socket(SESSION_ROLE_READ_ONLY, target) !=
		    table[i].read_only)
			fail_msg("%s", target);
	}
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(role_name(SESSION_ROLE_FULL), "full");
	assert_string_equal(role_name(SESSION_ROLE_READ_ONLY), "read-only");
	assert_string_equal(role_name(ROLE_NOBODY), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_acting),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
