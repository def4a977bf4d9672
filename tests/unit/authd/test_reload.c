#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>

#include "authd/reload.h"
#include "tests/unit/authd/fixture.h"

/* How many entries a directory has, besides . and .. */
static int
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = -2;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

static const char *
check(struct fixture *f, struct authd_conf *next, uint32_t wanted)
{
	uint32_t flags = reload_flags(&f->conf, next);
	const char *why = NULL;

	if (flags != wanted)
		fail_msg("flags %u, not %u", flags, wanted);
	/* Then, and only then, it is tried. */
	if ((wanted & CONF_RESTART) != 0)
		why = reload_try(next, false);
	assert_int_equal(log_count(f, ""), 0);
	return why;
}

static void
test_in_place(void **state)
{
	static char rules[] = "a b c", secret[] = "new";
	struct fixture *f = *state;
	struct authd_conf next = f->conf;

	/* Not even a database that is not there is in the way. */
	assert_null(check(f, &next, 0));
	next.users[0] = rules;
	next.teams[0] = rules;
	next.orgs[0] = rules;
	next.jwt_secret = secret;
	next.jwt_secret_default = true;
	next.adopt = next.watch_runs = false;
	assert_null(check(f, &next, 0));
	next.token = secret;
	assert_null(check(f, &next, CONF_TOKEN));
	next.trial = true;
	assert_null(check(f, &next, CONF_TOKEN));
	assert_int_equal(count_entries(f->dir), 0);
}

/* Who it runs as, and how, is settled before it looks at anything. */
static void
test_confinement(void **state)
{
	static const struct confinement others[] = {
		{ .sandbox = true },
		{ .drop = true },
		{ .uid = 1 },
		{ .gid = 1 },
	};
	struct fixture *f = *state;
	struct authd_conf next = f->conf;
	size_t i;

	for (i = 0; i < COUNT(others); i++) {
		next.confinement = others[i];
		assert_int_equal(reload_flags(&f->conf, &next), CONF_RESTART);
	}
}

static void
make_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

/* Another database: what is there, and what the reason ends in. */
static void
test_database(void **state)
{
	static const struct {
		const char *what, *sql, *reason;
	} table[] = {
		{ "old", USERS_BEGIN ")", NULL },
		{ "new", USERS_BEGIN USERS_NEW ")", NULL },
		{ "wal", "PRAGMA journal_mode = WAL;" USERS_BEGIN ")", NULL },
		{ "other", "CREATE TABLE books (id INTEGER)",
		    "no users table as the web app makes it (yet)" },
		{ "part", "CREATE TABLE users (id INTEGER, username TEXT)",
		    "no users table as the web app makes it; columns are "
		    "missing" },
	};
	struct fixture *f = *state;
	struct authd_conf next = f->conf;
	char path[128], reason[256];
	const char *why;
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s.db", f->dir, table[i].what);
		run_sql(path, table[i].sql);
		next.database_path = path;
		why = check(f, &next, CONF_RESTART);
		if (table[i].reason == NULL) {
			if (why != NULL)
				fail_msg("%s", why);
			continue;
		}
		(void)snprintf(reason, sizeof(reason), "user database %s: %s",
		    path, table[i].reason);
		assert_non_null(why);
		assert_string_equal(why, reason);
	}
}

static void
test_no_database(void **state)
{
	struct fixture *f = *state;
	struct authd_conf next = f->conf;
	char path[128], reason[256];
	const char *why;

	next.database_path = path;
	(void)snprintf(path, sizeof(path), "%s/none.db", f->dir);
	(void)snprintf(reason, sizeof(reason),
	    "user database %s: does not exist (yet)", path);
	why = check(f, &next, CONF_RESTART);
	assert_string_equal(why, reason);
	assert_int_equal(count_entries(f->dir), 0);
	/* Nor does a good state directory make up for it. */
	next.state_dir = f->dir;
	why = check(f, &next, CONF_RESTART);
	assert_non_null(why);
	assert_string_equal(why, reason);

	(void)snprintf(path, sizeof(path), "%s", f->dir);
	(void)snprintf(reason, sizeof(reason),
	    "user database %s: not a regular file", path);
	why = check(f, &next, CONF_RESTART);
	assert_string_equal(why, reason);

	(void)snprintf(path, sizeof(path), "%s/text.db", f->dir);
	make_file(path,
	    "This is no database, but long enough to be one, if "
	    "anybody cared to look at nothing but its size, which "
	    "SQLite does not do: it wants its sixteen bytes.",
	    0600);
	why = check(f, &next, CONF_RESTART);
	assert_non_null(strstr(why, "file is not a database"));
	assert_int_equal(count_entries(f->dir), 1);
}

static void
test_state_directory(void **state)
{
	static const struct {
		const char *path;  /* in the test's directory */
		const char *error; /* NULL if it is good; it names: */
		const char *at;
	} table[] = {
		{ "", NULL, NULL },
		{ "/there", NULL, NULL },
		{ "/there/", NULL, NULL },
		{ "/not/yet/there", NULL, NULL },
		{ "/there/below", NULL, NULL },
		{ "/file", "Not a directory", "/file" },
		{ "/file/below", "Not a directory", "/file/below" },
		{ "/locked", "Permission denied", "/locked" },
		{ "/locked/below/it", "Permission denied", "/locked" },
	};
	struct fixture *f = *state;
	struct authd_conf next = f->conf;
	char path[128], reason[512];
	const char *why;
	size_t i;

	(void)snprintf(path, sizeof(path), "%s/there", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/file", f->dir);
	make_file(path, "", 0700);
	(void)snprintf(path, sizeof(path), "%s/locked", f->dir);
	assert_int_equal(mkdir(path, 0500), 0);
	run_sql(f->users, schemas[OLD]);
	next.state_dir = path;
	for (i = 0; i < COUNT(table); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s%s", f->dir, table[i].path);
		/* Root may write to whatever is locked. */
		if (geteuid() == 0 && strstr(path, "/locked") != NULL)
			continue;
		why = check(f, &next, CONF_RESTART);
		if (table[i].error == NULL) {
			if (why != NULL)
				fail_msg("%s", why);
			continue;
		}
		(void)snprintf(reason, sizeof(reason),
		    "state directory %s: %s%s: %s", path, f->dir, table[i].at,
		    table[i].error);
		assert_non_null(why);
		assert_string_equal(why, reason);
	}
	/* It will be another one, once it was given to us. */
	(void)snprintf(path, sizeof(path), "%s/file", f->dir);
	assert_non_null(reload_try(&next, false));
	assert_null(reload_try(&next, true));
	assert_int_equal(count_entries(f->dir), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_in_place),
		TEST(test_confinement),
		TEST(test_database),
		TEST(test_no_database),
		TEST(test_state_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
