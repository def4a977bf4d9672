#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/monotonic.h"
#include "proxyd/admission.h"
#include "proxyd/deny.h"
#include "proxyd/proxyd.h"
#include "proxyd/rates.h"
#include "proxyd/request.h"
#include "proxyd/role.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* These stand in front of the real ones. */
static int64_t now_ms;
static struct session session; /* what is known, if anything is */
static bool is_known;
static struct session_wait *waiting;
static unsigned asked;

int64_t
monotonic_ms(void)
{
	return now_ms;
}

const struct session *
sessions_get(struct sessions *s, uint64_t github_id, const char *login,
    struct session_wait *wait)
{
	(void)s;
	assert_int_equal(github_id, 5);
	assert_string_equal(login, "mona");
	asked++;
	if (is_known)
		return &session;
	assert_null(waiting);
	waiting = wait;
	return NULL;
}

void
sessions_cancel(struct session_wait *wait)
{
	if (waiting == wait)
		waiting = NULL;
}

struct fixture {
	struct proxyd p;
	struct request request;
	struct admission admission;
	unsigned done;
	bool allowed;
	int status;
	uint32_t retry_s;
	bool untold;
	char reason[64], advice[64];
};

static void
on_done(void *arg, const struct denied *denied)
{
	struct fixture *f = arg;

	f->done++;
	f->allowed = denied == NULL;
	if (denied == NULL)
		return;
	f->status = denied->status;
	f->retry_s = denied->retry_s;
	f->untold = denied->untold;
	(void)strlcpy(f->reason, denied->reason, sizeof(f->reason));
	(void)strlcpy(f->advice, denied->advice, sizeof(f->advice));
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	static char all[] = "/all\n", full[] = "/full\n", ro[] = "/ro\n";

	now_ms = 1;
	is_known = true;
	asked = 0;
	waiting = NULL;
	session = (struct session){ .role = SESSION_ROLE_FULL,
		.github_id = 5,
		.login = "mona",
		.jwt = "a.b.c",
		.reason = "the reason",
		.advice = "the advice" };
	f->p.conf.deny_paths = all;
	f->p.conf.deny_paths_role[SESSION_ROLE_FULL] = full;
	f->p.conf.deny_paths_role[SESSION_ROLE_READ_ONLY] = ro;
	f->p.deny = deny_new(&f->p.conf);
	f->p.rates = rates_new(&f->p.conf);
	f->request.identified = true;
	f->request.github_id = 5;
	(void)strlcpy(f->request.login, "mona", sizeof(f->request.login));
	admission_init(&f->admission, &f->p, &f->request, on_done, f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	admission_clear(&f->admission);
	deny_free(f->p.deny);
	rates_free(f->p.rates);
	free(f);
	return 0;
}

/* Ask anew. */
static void
start(struct fixture *f)
{
	admission_clear(&f->admission);
	f->done = 0;
	admission_start(&f->admission);
}

static void
test_sessions(void **state)
{
	static const struct {
		enum session_status status;
		uint32_t lifetime_ms;
		bool allowed;
		int code;
		uint32_t retry_s;
		uint64_t denied, rate;
		bool untold;
	} table[] = {
		/* the last: whether the audit log hears nothing of it */
		{ SESSION_OK, 60000, true, 0, 0, 0, 0, false },
		{ SESSION_DENIED, 60000, false, 403, 0, 1, 0, false },
		{ SESSION_UNAVAILABLE, 0, false, 503, 0, 1, 0, false },
		{ SESSION_DENIED, 60000, false, 403, 0, 2, 0, false },
		{ SESSION_BUSY, 0, false, 429, 1, 2, 1, true },
		{ SESSION_BUSY, 4500, false, 429, 5, 2, 2, true },
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		session.status = table[i].status;
		session.lifetime_ms = table[i].lifetime_ms;
		start(f);
		assert_int_equal(f->done, 1);
		assert_int_equal(f->allowed, table[i].allowed);
		assert_int_equal(f->p.counts.denied, table[i].denied);
		assert_int_equal(f->p.counts.rate, table[i].rate);
		if (table[i].allowed) {
			assert_string_equal(f->admission.jwt, "a.b.c");
			assert_string_equal(f->admission.rule, "the reason");
			assert_int_equal(f->admission.role, SESSION_ROLE_FULL);
			continue;
		}
		assert_int_equal(f->status, table[i].code);
		assert_int_equal(f->retry_s, table[i].retry_s);
		assert_int_equal(f->untold, table[i].untold);
		assert_string_equal(f->reason, "the reason");
		assert_string_equal(f->advice, "the advice");
		assert_null(f->admission.jwt);
		assert_int_equal(f->admission.role, ROLE_NOBODY);
	}
}

static void
test_later(void **state)
{
	struct fixture *f = *state;

	is_known = false;
	start(f);
	assert_int_equal(f->done, 0);
	assert_non_null(waiting);
	session.role = SESSION_ROLE_READ_ONLY;
	waiting->done(waiting->arg, &session);
	assert_int_equal(f->done, 1);
	assert_true(f->allowed);
	assert_int_equal(f->admission.role, SESSION_ROLE_READ_ONLY);
	waiting = NULL;
	start(f);
	admission_clear(&f->admission);
	assert_null(waiting);
}

static void
test_nobody(void **state)
{
	struct fixture *f = *state;
	struct denied denied;
	uint64_t refused;

	f->p.conf.requests_rate = f->p.conf.failures_rate = 1;
	f->request.identified = false;
	start(f);
	assert_int_equal(f->done, 1);
	assert_true(f->allowed);
	assert_null(f->admission.jwt);
	assert_int_equal(asked, 0);
	assert_true(admission_allows(&f->admission, "POST", "/x", &denied));
	assert_false(admission_allows(&f->admission, "GET", "/ro", &denied));
	assert_false(admission_allows(&f->admission, "GET", "/full", &denied));
	assert_false(admission_allows(&f->admission, "GET", "/all", &denied));
	assert_true(denied.untold);
	now_ms += 1000;
	assert_false(admission_allows(&f->admission, "GET", "/all", &denied));
	assert_false(denied.untold);
	assert_false(admission_allows(&f->admission, "GET", "/all", &denied));
	assert_true(denied.untold);
	start(f);
	assert_true(f->allowed);
	now_ms += 1000;
	refused = f->p.counts.denied;
	assert_false(admission_is_somebody(&f->admission, &denied));
	assert_int_equal(denied.status, 403);
	assert_string_equal(denied.reason, "nobody is signed in");
	assert_false(denied.untold);
	assert_false(admission_is_somebody(&f->admission, &denied));
	assert_true(denied.untold);
	f->request.identified = true;
	assert_true(admission_is_somebody(&f->admission, &denied));
	assert_int_equal(f->p.counts.denied, refused + 2);
}

static void
test_allows(void **state)
{
	static const struct {
		enum session_role role;
		const char *method, *target, *reason;
	} table[] = {
		{ SESSION_ROLE_FULL, "POST", "/x", NULL },
		{ SESSION_ROLE_FULL, "GET", "/ro", NULL },
		{ SESSION_ROLE_FULL, "GET", "/full/x", DENY_REASON },
		{ SESSION_ROLE_FULL, "GET", "/all", DENY_REASON },
		{ SESSION_ROLE_READ_ONLY, "GET", "/x", NULL },
		{ SESSION_ROLE_READ_ONLY, "HEAD", "/full", NULL },
		{ SESSION_ROLE_READ_ONLY, "GET", "/x/../ro", DENY_REASON },
		{ SESSION_ROLE_READ_ONLY, "GET", "/all?x", DENY_REASON },
		{ SESSION_ROLE_READ_ONLY, "POST", "/x", ROLE_READ_ONLY_REASON },
		{ SESSION_ROLE_READ_ONLY, "GET", "/api/git/diff?file=$x",
		    ROLE_READ_ONLY_REASON },
		{ SESSION_ROLE_READ_ONLY, "DELETE", "/all",
		    ROLE_READ_ONLY_REASON },
	};
	struct fixture *f = *state;
	struct denied denied;
	uint64_t refused = 0;
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		session.role = table[i].role;
		start(f);
		assert_int_equal(admission_allows(&f->admission,
				     table[i].method, table[i].target, &denied),
		    table[i].reason == NULL);
		refused += table[i].reason != NULL;
		assert_int_equal(f->p.counts.denied, refused);
		if (table[i].reason == NULL)
			continue;
		assert_int_equal(denied.status, 403);
		assert_string_equal(denied.reason, table[i].reason);
		assert_true(denied.advice[0] != '\0');
		assert_false(denied.untold);
		assert_int_equal(denied.retry_s, 0);
	}
}

/* A page gets the JWT only where it is to go by itself, as somebody. */
static void
test_page_token(void **state)
{
	struct fixture *f = *state;
	char none[] = "", url[] = "https://ui.test";

	f->p.conf.callback_url = none;
	start(f);
	assert_null(admission_page_token(&f->admission));
	f->p.conf.callback_url = url;
	assert_string_equal(admission_page_token(&f->admission), "a.b.c");
	f->request.fetched = true;
	assert_null(admission_page_token(&f->admission));
	f->request.fetched = false;
	session.role = SESSION_ROLE_READ_ONLY;
	start(f);
	assert_true(f->allowed);
	assert_null(admission_page_token(&f->admission));
	f->request.identified = false;
	start(f);
	assert_null(admission_page_token(&f->admission));
}

static void
test_rates(void **state)
{
	struct fixture *f = *state;
	struct denied denied;
	unsigned i;

	f->p.conf.requests_rate = 1;
	for (i = 0; i < RATES_REQUESTS_BURST; i++) {
		start(f);
		assert_true(f->allowed);
	}
	start(f);
	assert_false(f->allowed);
	assert_int_equal(f->status, 429);
	assert_int_equal(f->retry_s, 1);
	assert_string_equal(f->advice, "");
	assert_false(f->untold);
	assert_int_equal(f->p.counts.rate, 1);
	assert_int_equal(f->p.counts.denied, 0);
	start(f);
	assert_true(f->untold);
	assert_int_equal(asked, RATES_REQUESTS_BURST);

	/* Refusals of any kind: then nobody is asked. */
	f->p.conf.requests_rate = 0;
	f->p.conf.failures_rate = 3;
	start(f);
	assert_false(admission_allows(&f->admission, "GET", "/all", &denied));
	session.status = SESSION_BUSY; /* counts with authd, not here */
	start(f);
	start(f);
	start(f);
	session.status = SESSION_DENIED;
	start(f);
	session.status = SESSION_OK;
	session.role = SESSION_ROLE_READ_ONLY;
	start(f);
	assert_true(f->allowed);
	assert_false(admission_allows(&f->admission, "PUT", "/x", &denied));
	asked = 0;
	start(f);
	assert_false(f->allowed);
	assert_int_equal(f->status, 429);
	assert_int_equal(f->retry_s, 20);
	assert_int_equal(asked, 0);
	now_ms += 20000;
	start(f);
	assert_true(f->allowed);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_sessions),
		TEST(test_later),
		TEST(test_nobody),
		TEST(test_allows),
		TEST(test_page_token),
		TEST(test_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
