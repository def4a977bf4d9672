#include "authd/secret.h"
#include "tests/unit/authd/fixture.h"

#define CONFIG(key, value) \
	"INSERT INTO app_config (key, value) VALUES ('" key "', '" value "');"

static const struct {
	const char *what;
	enum schema schema;
	const char *sql;
	const char *setting;
	bool published_allowed;
	const char *secret; /* or NULL, */
	const char *line;   /* and what the log says */
} cases[] = {
	{ "configured", NEW, "", "x", false, "x", "" },
	{ "configured, before the database", NEW, CONFIG("jwt_secret", "y"),
	    "x", false, "x", "" },
	{ "configured, old app", OLD, "", "x", false, "x", "" },
	{ "published", OLD, "", PUBLISHED, false, NULL, "set JWT_SECRET" },
	{ "published, allowed", OLD, "", PUBLISHED, true, PUBLISHED, "" },
	{ "from the database", NEW, CONFIG("jwt_secret", "y"), "", false, "y",
	    "" },
	{ "from the database, among others", NEW,
	    CONFIG("a", "1") CONFIG("jwt_secret", "y") CONFIG("z", "2"), "",
	    true, "y", "" },
	{ "published, from the database", NEW, CONFIG("jwt_secret", PUBLISHED),
	    "", false, NULL, "set JWT_SECRET" },
	{ "not made yet", NEW, CONFIG("a", "1"), "", false, NULL,
	    "start the web app once" },
	{ "not made yet is not the published one", NEW, "", "", true, NULL,
	    "start the web app once" },
	{ "empty", NEW, CONFIG("jwt_secret", ""), "", false, NULL,
	    "start the web app once" },
	{ "with a NUL", NEW,
	    "INSERT INTO app_config (key, value)"
	    " VALUES ('jwt_secret', CAST(x'610062' AS TEXT))",
	    "", false, NULL, "no usable" },
	{ "too long", NEW,
	    "INSERT INTO app_config (key, value)"
	    " VALUES ('jwt_secret', hex(zeroblob(512)))",
	    "", false, NULL, "no usable" },
	{ "table without its columns", OLD,
	    "CREATE TABLE app_config (name TEXT)", "", false, NULL,
	    "no such column" },
	{ "old app", OLD, "", "", false, NULL, "so set JWT_SECRET" },
	{ "fork", FORK, "", "", false, NULL, "so set JWT_SECRET" },
	{ "old app, published allowed", OLD, "", "", true, PUBLISHED, "" },
};

static void
check_case(struct fixture *f, size_t i)
{
	struct upstream_db u;
	struct secret s;
	const char *secret;
	int j;

	(void)unlink(f->users);
	run_sql(f->users, schemas[cases[i].schema]);
	run_sql(f->users, cases[i].sql);
	set_conf(&f->conf.jwt_secret, cases[i].setting);
	f->conf.jwt_secret_default = cases[i].published_allowed;
	upstream_db_init(&u, f->users);
	secret_init(&s, &f->conf);
	(void)log_count(f, "");
	for (j = 0; j < 10; j++) {
		assert_int_equal(upstream_db_open(&u), DB_OK);
		secret = secret_get(&s, &u);
		if (cases[i].secret == NULL)
			assert_null(secret);
		else if (secret == NULL)
			fail_msg("%s: none", cases[i].what);
		else
			assert_string_equal(secret, cases[i].secret);
	}
	if (cases[i].secret == NULL && log_count(f, cases[i].line) != 1)
		fail_msg("%s: %s", cases[i].what, f->lines);
	secret_forget(&s);
	assert_string_equal(s.value, "");
	upstream_db_free(&u);
}

static void
test_cases(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		check_case(*state, i);
}

static void
test_check(void **state)
{
	static const struct {
		const char *setting;
		bool allowed;
		int lines;
	} checks[] = {
		{ "", false, 0 },
		{ "x", false, 0 },
		{ PUBLISHED, false, 1 },
		{ PUBLISHED, true, 1 },
		{ "", true, 1 },
	};
	struct fixture *f = *state;
	struct secret s;
	size_t i;

	for (i = 0; i < COUNT(checks); i++) {
		set_conf(&f->conf.jwt_secret, checks[i].setting);
		f->conf.jwt_secret_default = checks[i].allowed;
		secret_init(&s, &f->conf);
		secret_check(&s);
		assert_int_equal(
		    log_count(f, "the web app publishes"), checks[i].lines);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
