#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/child.h"
#include "common/monotonic.h"
#include "proxyd/audit.h"
#include "proxyd/proxyd.h"
#include "proxyd/rates.h"
#include "proxyd/request.h"
#include "proxyd/role.h"
#include "proxyd/tunnel.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct proxyd proxyd;
static struct audit_record sent;
static unsigned nsent;

/* Stands in front of the real one. */
void
child_audit(struct child *child, const struct audit_record *record)
{
	assert_ptr_equal(child, &proxyd.child);
	sent = *record;
	nsent++;
}

static int64_t now_ms;

int64_t
monotonic_ms(void)
{
	return now_ms;
}

static int
setup(void **state)
{
	(void)state;
	nsent = 0;
	now_ms = 1;
	proxyd.conf.audit = true;
	proxyd.rates = rates_new(&proxyd.conf);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rates_free(proxyd.rates);
	return 0;
}

/* One record came, with these strings. */
static void
expect(enum audit_event event, enum audit_verdict verdict, uint64_t github_id,
    const char *login, const char *role, const char *method, const char *path,
    uint32_t status, const char *why)
{
	assert_int_equal(nsent, 1);
	nsent = 0;
	assert_int_equal(sent.event, event);
	assert_int_equal(sent.verdict, verdict);
	assert_int_equal(sent.github_id, github_id);
	assert_string_equal(sent.login, login);
	assert_string_equal(sent.role, role);
	assert_string_equal(sent.method, method);
	assert_string_equal(sent.path, path);
	assert_int_equal(sent.status, status);
	assert_string_equal(sent.why, why);
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
	static const struct audit_end ok = { SESSION_ROLE_FULL, 200, false,
		false, "users" };
	static const struct audit_end nobody = { ROLE_NOBODY, 200, false, false,
		"" };
	static const struct audit_end gone = { ROLE_NOBODY, 0, false, false,
		NULL };
	static const struct audit_end refused = { SESSION_ROLE_READ_ONLY, 403,
		true, false, "no\nevent" };
	struct request r = make_request("GET", "/api/projects", "octocat");

	(void)state;
	audit_request(&proxyd, &r, &ok);
	expect(AUDIT_REQUEST, AUDIT_ALLOWED, 583231, "octocat", "full", "GET",
	    "/api/projects", 200, "users");
	audit_request(&proxyd, &r, &refused);
	expect(AUDIT_REQUEST, AUDIT_REFUSED, 583231, "octocat", "read-only",
	    "GET", "/api/projects", 403, "no?event");
	r = make_request("POST", "/x?token=secret#y", NULL);
	audit_request(&proxyd, &r, &gone);
	expect(AUDIT_REQUEST, AUDIT_GIVEN_UP, 0, "", "", "POST", "/x", 0, "");
	/* Of which nobody is sure. */
	r.github_id = 5;
	(void)strlcpy(r.login, "smuggled", sizeof(r.login));
	audit_request(&proxyd, &r, &nobody);
	expect(AUDIT_REQUEST, AUDIT_ALLOWED, 0, "", "", "POST", "/x", 200, "");
	/* What is not malformed enough to be refused before. */
	r = make_request("GET", "/a b\x01/\xff?c", "li sa\n GET /y");
	audit_request(&proxyd, &r, &ok);
	expect(AUDIT_REQUEST, AUDIT_ALLOWED, 583231, "li?sa??GET?/y", "full",
	    "GET", "/a?b?/?", 200, "users");
	r.error = "bad headers";
	r.target = NULL;
	audit_request(&proxyd, &r, &gone);
	expect(
	    AUDIT_REQUEST, AUDIT_REFUSED, 0, "", "", "", "", 0, "bad headers");
}

static void
test_long(void **state)
{
	static const struct audit_end end = { ROLE_NOBODY, 200, false, false,
		NULL };
	char target[2000], login[SESSION_LOGIN_MAX];
	struct request r;

	(void)state;
	memset(target, 'p', sizeof(target));
	target[0] = '/';
	target[sizeof(target) - 1] = '\0';
	memset(login, 'l', sizeof(login));
	login[sizeof(login) - 1] = '\0';
	r = make_request("GET", target, login);
	audit_request(&proxyd, &r, &end);
	target[AUDIT_PATH_SIZE - 1] = '\0';
	login[AUDIT_LOGIN_SIZE - 1] = '\0';
	expect(AUDIT_REQUEST, AUDIT_ALLOWED, 583231, login, "", "GET", target,
	    200, "");
	/* A query that begins where the path is cut does not show. */
	target[AUDIT_PATH_SIZE - 1] = '?';
	r = make_request("GET", target, NULL);
	target[AUDIT_PATH_SIZE - 1] = '\0';
	audit_request(&proxyd, &r, &end);
	expect(AUDIT_REQUEST, AUDIT_ALLOWED, 0, "", "", "GET", target, 200, "");
}

static void
test_tunnels(void **state)
{
	static const struct {
		const char *reason;
		enum audit_verdict verdict;
		uint32_t status;
		const char *why;
	} table[] = {
		{ NULL, AUDIT_ALLOWED, 0, "" },
		{ "403 no", AUDIT_REFUSED, 403, "no" },
		{ "503 in two words", AUDIT_REFUSED, 503, "in two words" },
		{ "", AUDIT_GIVEN_UP, 0, "" },
	};
	char path[] = "/ws?token=secret", login[] = "mona";
	struct tunnel t = { .proxyd = &proxyd,
		.github_id = 5,
		.login = login,
		.path = path,
		.role = SESSION_ROLE_READ_ONLY };
	size_t i;

	(void)state;
	proxyd.conf.audit = false;
	for (i = 0; i < COUNT(table); i++) {
		now_ms += 1000;
		audit_tunnel(&t, table[i].reason);
		expect(AUDIT_TUNNEL, table[i].verdict, 5, "mona", "read-only",
		    "", "/ws", table[i].status, table[i].why);
	}
	t.github_id = 0;
	t.role = ROLE_NOBODY;
	t.login = NULL;
	t.path = NULL;
	audit_tunnel(&t, "400 no path");
	expect(AUDIT_TUNNEL, AUDIT_REFUSED, 0, "", "", "", "", 400, "no path");
}

/* What nothing else limits is told once a second for each person. */
static void
test_floods(void **state)
{
	static const struct {
		const char *reason;
		uint64_t github_id;
		unsigned told; /* of three */
	} table[] = {
		{ NULL, 5, 3 },
		{ "403 no", 5, 3 },
		{ "403 no", 0, 1 },
		{ "400 no path", 0, 1 },
		{ "429 too many", 5, 1 },
		{ "503 too many", 5, 1 },
		{ "", 5, 1 },
		{ "", 0, 1 },
	};
	char path[] = "/ws", login[] = "mona";
	struct tunnel t = { .proxyd = &proxyd,
		.login = login,
		.path = path,
		.role = ROLE_NOBODY };
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < 2 * COUNT(table); i++) {
		proxyd.conf.audit = i >= COUNT(table);
		t.github_id = table[i % COUNT(table)].github_id;
		now_ms += 1000;
		for (n = 0; n < 3; n++)
			audit_tunnel(&t, table[i % COUNT(table)].reason);
		assert_int_equal(nsent,
		    proxyd.conf.audit ? 3 : table[i % COUNT(table)].told);
		nsent = 0;
	}
}

/* Who was refused stands there, whether it was asked for or not. */
static void
test_off(void **state)
{
	static const struct audit_end ok = { SESSION_ROLE_FULL, 200, false,
		false, "users" };
	static const struct audit_end refused = { ROLE_NOBODY, 429, true, false,
		"too many" };
	static const struct audit_end many = { ROLE_NOBODY, 429, true, true,
		"too many" };
	struct request r = make_request("GET", "/", "octocat");

	(void)state;
	proxyd.conf.audit = false;
	audit_request(&proxyd, &r, &ok);
	assert_int_equal(nsent, 0);
	audit_request(&proxyd, &r, &refused);
	expect(AUDIT_REQUEST, AUDIT_REFUSED, 583231, "octocat", "", "GET", "/",
	    429, "too many");
	audit_request(&proxyd, &r, &many);
	assert_int_equal(nsent, 0);
	proxyd.conf.audit = true;
	audit_request(&proxyd, &r, &many);
	expect(AUDIT_REQUEST, AUDIT_REFUSED, 583231, "octocat", "", "GET", "/",
	    429, "too many");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_requests),
		TEST(test_long),
		TEST(test_tunnels),
		TEST(test_floods),
		TEST(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
