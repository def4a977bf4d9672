#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "proxyd/audit.h"
#include "proxyd/proxyd.h"
#include "proxyd/request.h"
#include "proxyd/tunnel.h"

static int lines; /* where log lines arrive */
static struct proxyd proxyd;

static int
setup(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == -1)
		return -1;
	lines = pair[0];
	log_to_socket(pair[1]);
	proxyd.conf.audit = true;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_to_stderr("test");
	return close(lines);
}

/* The next line, at level info, is that; NULL for none. */
static void
expect_line(const char *wanted)
{
	char line[LOG_LINE_MAX + 2];
	ssize_t n = recv(lines, line, sizeof(line) - 1, MSG_DONTWAIT);

	if (wanted == NULL) {
		assert_int_equal(n, -1);
		return;
	}
	assert_true(n > 0);
	line[n] = '\0';
	assert_int_equal(line[0], LOG_LEVEL_INFO);
	assert_string_equal(line + 1, wanted);
}

static struct request
make_request(const char *method, const char *target, const char *login)
{
	static char copy[4096];
	struct request r = { .target = copy };

	(void)strlcpy(copy, target, sizeof(copy));
	(void)strlcpy(r.method, method, sizeof(r.method));
	if (login != NULL) {
		r.identified = true;
		r.github_id = 583231;
		(void)strlcpy(r.login, login, sizeof(r.login));
	}
	return r;
}

static void
test_requests(void **state)
{
	struct request r = make_request("GET", "/api/projects", "octocat");

	(void)state;
	audit_request(&proxyd, &r, 200);
	expect_line(
	    "audit: GitHub id 583231 login octocat GET /api/projects 200");
	r = make_request("POST", "/x?token=secret#y", NULL);
	audit_request(&proxyd, &r, 0);
	expect_line("audit: nobody POST /x unanswered");
	r.github_id = 5; /* of which nobody is sure */
	audit_request(&proxyd, &r, 200);
	expect_line("audit: nobody POST /x 200");
	/* What is not malformed enough to be refused before. */
	r = make_request("GET", "/", "li sa\n GET /y");
	audit_request(&proxyd, &r, 403);
	expect_line("audit: GitHub id 583231 login li?sa??GET?/y GET / 403");
	r = make_request("GET", "/", "");
	audit_request(&proxyd, &r, 403);
	expect_line("audit: GitHub id 583231 login - GET / 403");
	r.error = "bad headers";
	r.target = NULL;
	audit_request(&proxyd, &r, 400);
	expect_line("audit: nobody malformed request 400");
	expect_line(NULL);
}

static void
test_long(void **state)
{
	char target[2000], login[SESSION_LOGIN_MAX], wanted[1200];
	struct request r;

	(void)state;
	memset(target, 'p', sizeof(target));
	target[0] = '/';
	target[sizeof(target) - 1] = '\0';
	memset(login, 'l', sizeof(login));
	login[sizeof(login) - 1] = '\0';
	r = make_request("GET", target, login);
	audit_request(&proxyd, &r, 200);
	(void)snprintf(wanted, sizeof(wanted),
	    "audit: GitHub id 583231 login %.95s GET %.511s 200", login,
	    target);
	expect_line(wanted);
}

static void
test_tunnels(void **state)
{
	static const struct {
		const char *reason, *wanted;
	} table[] = {
		{ NULL, "audit: GitHub id 5 login mona tunnel /ws opened" },
		{ "403 no",
		    "audit: GitHub id 5 login mona tunnel /ws refused 403" },
		{ "503 secret",
		    "audit: GitHub id 5 login mona tunnel /ws refused 503" },
		{ "", "audit: GitHub id 5 login mona tunnel /ws given up" },
	};
	char path[] = "/ws?token=secret", login[] = "mona";
	struct tunnel t = {
		.proxyd = &proxyd, .github_id = 5, .login = login, .path = path
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		audit_tunnel(&t, table[i].reason);
		expect_line(table[i].wanted);
	}
	t.github_id = 0;
	t.login = NULL;
	t.path = NULL;
	audit_tunnel(&t, "400 no path");
	expect_line("audit: nobody tunnel - refused 400");
}

static void
test_off(void **state)
{
	struct request r = make_request("GET", "/", "octocat");
	struct tunnel t = { .proxyd = &proxyd };

	(void)state;
	proxyd.conf.audit = false;
	audit_request(&proxyd, &r, 200);
	audit_tunnel(&t, NULL);
	expect_line(NULL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_requests),
		TEST(test_long),
		TEST(test_tunnels),
		TEST(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
