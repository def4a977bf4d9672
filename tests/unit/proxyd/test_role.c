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

		assert_true(role_may_request(SESSION_ROLE_FULL, method));
		if (role_may_request(SESSION_ROLE_READ_ONLY, method) !=
		    table[i].read_only)
			fail_msg("%s", method);
	}
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
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
