#include "authd/health.h"
#include "authd/membership.h"
#include "tests/unit/authd/fake_github.h"

/* The questions themselves: who they are about, pages, time and limits. */

#define SELF "{\"login\":\"OctoCat\",\"id\":583231}"

static struct authd_conf conf;
static struct health health;
static struct finding found;
static int ends;
static uint32_t limited_ms;

static uint32_t
on_limited(void *arg)
{
	(void)arg;
	return limited_ms;
}

static void
on_done(void *arg, const struct finding *f)
{
	(void)arg;
	found = *f;
	ends++;
}

static struct membership *
ask(bool own)
{
	const struct membership_question q = {
		.conf = &conf,
		.health = &health,
		.token = own ? USER_TOKEN : INSTANCE_TOKEN,
		.own = own,
		.github_id = own ? 0 : 583231,
		.login = own ? "" : "octocat",
		.deadline_ms = fake_now_ms + 8000,
		.limited = on_limited,
		.done = on_done,
	};

	memset(&found, 0xff, sizeof(found));
	ends = 0;
	return membership_ask(&q);
}

static void
expect_end(struct membership *m, enum finding_kind kind)
{
	assert_int_equal(ends, 1);
	assert_int_equal(found.kind, kind);
	assert_int_equal(fake_open, 0);
	membership_free(m);
}

/* GET /user */
static const struct {
	int status;
	const char *body;
	enum finding_kind kind;
} selves[] = {
	{ 200, SELF, FINDING_ALLOWED },
	{ 200, "{\"id\":583231,\"login\":\"octocat\",\"type\":\"User\"}",
	    FINDING_ALLOWED },
	{ 200, "{\"id\":1,\"login\":\"octocat\"}", FINDING_ALLOWED },
	{ 200, "{\"id\":9223372036854775807,\"login\":\"octocat\"}",
	    FINDING_ALLOWED },
	{ 200, "{\"id\":583231,\"login\":\"octodog\"}", FINDING_NOT_NAMED },
	{ 200, "{\"id\":9223372036854775808,\"login\":\"octocat\"}",
	    FINDING_UNCHECKED },
	{ 200, "{\"id\":18446744073709551617,\"login\":\"octocat\"}",
	    FINDING_UNCHECKED },
	{ 200, "{\"id\":0,\"login\":\"octocat\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":-1,\"login\":\"octocat\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1.5,\"login\":\"octocat\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1e3,\"login\":\"octocat\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":\"1\",\"login\":\"octocat\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":null,\"login\":\"octocat\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":true,\"login\":\"octocat\"}", FINDING_UNCHECKED },
	{ 200, "{\"login\":\"octocat\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1,\"login\":null}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1,\"login\":7}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1,\"login\":[\"octocat\"]}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1,\"login\":\"\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1,\"login\":\"octo.cat\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1,\"login\":\"../octocat\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1,\"login\":\"octocat\\u0000\"}", FINDING_UNCHECKED },
	{ 200, "{\"id\":1,\"login\":\"octocat\\n\"}", FINDING_UNCHECKED },
	{ 200, "[" SELF "]", FINDING_UNCHECKED },
	{ 200, "\"octocat\"", FINDING_UNCHECKED },
	{ 200, NULL, FINDING_UNCHECKED },
	{ 201, SELF, FINDING_UNCHECKED },
	{ 302, SELF, FINDING_UNCHECKED },
	{ 401, SELF, FINDING_TOKEN_REFUSED },
	{ 403, SELF, FINDING_UNCHECKED },
	{ 404, SELF, FINDING_UNCHECKED },
	{ 500, SELF, FINDING_UNCHECKED },
	{ 200, SELF, FINDING_ALLOWED },
};

static void
test_self(void **state)
{
	struct membership *m;
	size_t i;

	(void)state;
	set_conf(&conf.users[SESSION_ROLE_FULL], "octocat");
	for (i = 0; i < COUNT(selves); i++) {
		m = ask(true);
		expect_requests("U /user\n");
		assert_int_equal(ends, 0);
		fake_say(selves[i].status, selves[i].body);
		if (found.kind != selves[i].kind)
			fail_msg("case %zu: %d", i, found.kind);
		if (selves[i].kind == FINDING_UNCHECKED ||
		    selves[i].kind == FINDING_TOKEN_REFUSED) {
			assert_int_equal(found.github_id, 0);
			assert_string_equal(found.login, "");
		}
		assert_int_equal(health.failing[0] != '\0',
		    selves[i].kind == FINDING_UNCHECKED);
		expect_end(m, selves[i].kind);
		expect_requests("");
	}
}

/* Pages of the orgs of a person: which are full, and where the org is. */
static const struct {
	int pages;    /* that there are */
	int found_on; /* 0 for none */
	int broken;   /* the page that fails, or 0 */
	enum finding_kind kind;
	int asked;
} pages[] = {
	{ 1, 0, 0, FINDING_NO_MEMBER, 1 },
	{ 1, 1, 0, FINDING_ALLOWED, 1 },
	{ 2, 0, 0, FINDING_NO_MEMBER, 2 },
	{ 2, 1, 0, FINDING_ALLOWED, 1 },
	{ 2, 2, 0, FINDING_ALLOWED, 2 },
	{ 2, 2, 1, FINDING_UNCHECKED, 1 },
	{ 2, 0, 2, FINDING_UNCHECKED, 2 },
	{ 10, 0, 0, FINDING_NO_MEMBER, 10 },
	{ 10, 10, 0, FINDING_ALLOWED, 10 },
	{ 11, 0, 0, FINDING_UNCHECKED, 10 },
	{ 11, 11, 0, FINDING_UNCHECKED, 10 },
	{ 1000, 10, 0, FINDING_ALLOWED, 10 },
};

/* A page of 100 orgs, or of what the number is. */
static const char *
make_page(int count, bool with)
{
	static char page[8192];
	int i;

	(void)strlcpy(page, "[", sizeof(page));
	for (i = 0; i < count; i++)
		(void)snprintf(page + strlen(page), sizeof(page) - strlen(page),
		    "%s{\"login\":\"org-%d\"}", i > 0 ? "," : "", i);
	if (with)
		(void)memcpy(strstr(page, "org-99"), "AcMe-I", 6);
	(void)strlcat(page, "]", sizeof(page));
	return page;
}

static void
answer_page(const char *body, bool more)
{
	struct json_object *json = json_tokener_parse(body);
	struct github_request *r = TAILQ_FIRST(&fake_requests);
	const struct github_answer answer = { .result = GITHUB_ANSWERED,
		.status = 200,
		.json = json,
		.more = more };

	assert_non_null(json);
	TAILQ_REMOVE(&fake_requests, r, entry);
	fake_open--;
	r->done(r->arg, &answer);
	json_object_put(json);
	free(r);
}

static struct membership *
begin_list(int status)
{
	struct membership *m = ask(true);

	fake_say(200, SELF);
	expect_requests("U /user\nU /user/memberships/orgs/acme-i\n");
	fake_say(status, "{}");
	return m;
}

static void
test_pages(void **state)
{
	struct membership *m;
	char path[128];
	size_t i;
	int n;

	(void)state;
	set_conf(&conf.orgs[SESSION_ROLE_FULL], "acme-i");
	for (i = 0; i < COUNT(pages); i++) {
		m = begin_list(500);
		for (n = 1; n <= pages[i].asked; n++) {
			assert_int_equal(ends, 0);
			(void)snprintf(path, sizeof(path),
			    "U /user/orgs?per_page=100&page=%d\n", n);
			expect_requests(path);
			if (n == pages[i].broken)
				fake_say(502, "[]");
			else
				answer_page(
				    make_page(100, n == pages[i].found_on),
				    n < pages[i].pages);
		}
		if (ends != 1 || found.kind != pages[i].kind)
			fail_msg("case %zu: %d", i, found.kind);
		expect_end(m, pages[i].kind);
	}
	/* More than was asked for. */
	m = begin_list(500);
	answer_page(make_page(101, true), false);
	expect_end(m, FINDING_UNCHECKED);
	fake_log[0] = '\0';
}

/* What a token may not see, with the list and without. */
static void
test_forbidden(void **state)
{
	struct membership *m;

	(void)state;
	set_conf(&conf.orgs[SESSION_ROLE_FULL], "acme-i");
	m = begin_list(403);
	fake_say(403, "[]");
	expect_end(m, FINDING_NOT_SEEN);
	m = ask(false);
	fake_log[0] = '\0';
	fake_say(403, "{}");
	expect_end(m, FINDING_NO_MEMBER);
	m = begin_list(403);
	fake_say(200, "[]");
	expect_end(m, FINDING_NO_MEMBER);
	fake_log[0] = '\0';
	m = begin_list(500);
	fake_say(403, "[]");
	expect_end(m, FINDING_UNCHECKED);
	fake_log[0] = '\0';
}

/* Of whom a token speaks does not change on the way. */
static void
test_own_membership(void **state)
{
	static const struct {
		const char *body;
		bool allowed;
	} bodies[] = {
		{ "{\"state\":\"active\"}", true },
		{ "{\"state\":\"active\",\"organization\":"
		  "{\"login\":\"ACME-I\"},\"user\":" SELF "}",
		    true },
		{ "{\"state\":\"active\",\"user\":"
		  "{\"login\":\"octocat\",\"id\":583232}}",
		    false },
		{ "{\"state\":\"active\",\"user\":"
		  "{\"login\":\"octodog\",\"id\":583231}}",
		    false },
		{ "{\"state\":\"active\",\"organization\":"
		  "{\"login\":\"acme\"}}",
		    false },
	};
	struct membership *m;
	size_t i;

	(void)state;
	set_conf(&conf.orgs[SESSION_ROLE_FULL], "acme-i");
	for (i = 0; i < COUNT(bodies); i++) {
		m = ask(true);
		fake_say(200, SELF);
		fake_say(200, bodies[i].body);
		assert_int_equal(ends == 1, bodies[i].allowed);
		if (!bodies[i].allowed)
			fake_say(200, "[]");
		expect_end(
		    m, bodies[i].allowed ? FINDING_ALLOWED : FINDING_NO_MEMBER);
		assert_string_equal(found.login, "OctoCat");
		assert_int_equal(found.github_id, 583231);
		fake_log[0] = '\0';
	}
}

static void
test_time(void **state)
{
	const struct fake_answer late = { .result = GITHUB_FAILED };
	struct membership *m;

	(void)state;
	set_conf(&conf.teams[SESSION_ROLE_FULL], "acme/a acme/b acme/c");
	m = ask(false);
	fake_now_ms += 7999;
	fake_answer(&late);
	expect_requests("I /orgs/acme/teams/a/memberships/octocat\n"
			"I /orgs/acme/teams/b/memberships/octocat\n");
	assert_int_equal(
	    TAILQ_FIRST(&fake_requests)->deadline_ms, fake_now_ms + 1);
	fake_now_ms += 1;
	fake_answer(&late);
	expect_requests("");
	expect_end(m, FINDING_UNCHECKED);
	/* A member at the last moment, but nobody knows who. */
	m = ask(false);
	fake_log[0] = '\0';
	fake_now_ms += 8000;
	fake_say(200, "{\"state\":\"active\"}");
	expect_requests("");
	expect_end(m, FINDING_UNCHECKED);
	/* In time. */
	m = ask(false);
	fake_now_ms += 7999;
	fake_say(200, "{\"state\":\"active\"}");
	fake_say(200, SELF);
	fake_log[0] = '\0';
	expect_end(m, FINDING_ALLOWED);
}

static void
test_limit(void **state)
{
	static const struct {
		uint32_t said, counts;
	} waits[] = { { 0, 1000 }, { 999, 1000 }, { 1000, 1000 },
		{ 59999, 59999 }, { 3600000, 3600000 }, { 3600001, 3600000 },
		{ UINT32_MAX, 3600000 } };
	struct fake_answer a = { .result = GITHUB_LIMITED, .status = 429 };
	struct membership *m;
	size_t i;

	(void)state;
	set_conf(&conf.teams[SESSION_ROLE_FULL], "acme/a acme/b");
	for (i = 0; i < COUNT(waits); i++) {
		m = ask(false);
		a.wait_ms = waits[i].said;
		fake_answer(&a);
		assert_int_equal(found.wait_ms, waits[i].counts);
		expect_end(m, FINDING_LIMITED);
	}
	fake_log[0] = '\0';
	/* Another question came upon it. */
	m = ask(false);
	limited_ms = 77;
	fake_say(404, "{}");
	assert_int_equal(found.wait_ms, 77);
	expect_end(m, FINDING_LIMITED);
	expect_requests("I /orgs/acme/teams/a/memberships/octocat\n");
	m = ask(false);
	expect_end(m, FINDING_LIMITED);
	limited_ms = 0;
	/* In the middle of it all. */
	m = ask(false);
	fake_say(200, "{\"state\":\"active\"}");
	fake_answer(&a);
	expect_end(m, FINDING_LIMITED);
	fake_log[0] = '\0';
}

/* Rules that are none are not asked about. */
static void
test_no_rule(void **state)
{
	struct membership *m;

	(void)state;
	set_conf(&conf.teams[SESSION_ROLE_FULL], "acme/../x a/b/c nothing");
	set_conf(&conf.orgs[SESSION_ROLE_FULL], "..");
	m = ask(false);
	expect_requests("");
	expect_end(m, FINDING_NOT_NAMED);
}

static void
test_freed(void **state)
{
	struct membership *m;

	(void)state;
	set_conf(&conf.orgs[SESSION_ROLE_FULL], "acme-i");
	m = ask(false);
	assert_int_equal(fake_open, 1);
	membership_free(m);
	assert_int_equal(fake_open, 0);
	membership_free(ask(true));
	membership_free(NULL);
	assert_int_equal(fake_open, 0);
	assert_int_equal(ends, 0);
	fake_log[0] = '\0';
}

/* The longest that there may be fits where it goes. */
static void
test_long_names(void **state)
{
	char text[256], org[65], slug[101];
	struct membership *m;

	(void)state;
	memset(org, 'o', 64);
	memset(slug, 's', 100);
	org[64] = slug[100] = '\0';
	(void)snprintf(text, sizeof(text), "%s/%s", org, slug);
	set_conf(&conf.teams[SESSION_ROLE_READ_ONLY], text);
	m = ask(true);
	(void)snprintf(text, sizeof(text), "{\"id\":1,\"login\":\"%s\"}", org);
	answer_page(text, false);
	assert_non_null(strstr(fake_log, slug));
	assert_non_null(strstr(strstr(fake_log, slug), org));
	fake_log[0] = '\0';
	fake_say(200, "{\"state\":\"active\"}");
	assert_int_equal(strlen(found.rule), strlen("read-only team /") + 164);
	assert_int_equal(strlen(found.login), 64);
	expect_end(m, FINDING_ALLOWED);
}

static int
set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_CRIT);
	make_people_conf(&conf);
	memset(&health, 0, sizeof(health));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free_people_conf(&conf);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_self),
		TEST(test_pages),
		TEST(test_forbidden),
		TEST(test_own_membership),
		TEST(test_time),
		TEST(test_limit),
		TEST(test_no_rule),
		TEST(test_freed),
		TEST(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
