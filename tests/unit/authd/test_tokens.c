#include <sys/stat.h>

#include "tests/unit/authd/fixture.h"

#include "authd/tether_db.h"
#include "authd/tokens.h"

static struct tether_db db;
static struct tokens *t;

static int
tokens_setup(void **state)
{
	struct fixture *f;

	if (setup(state) != 0 || database_start() == -1)
		return -1;
	f = *state;
	tether_db_init(&db, f->state);
	t = tokens_new(&db);
	return 0;
}

static int
tokens_teardown(void **state)
{
	tokens_free(t);
	tether_db_free(&db);
	return teardown(state);
}

static void
assert_get(const char *host, enum db_result result, const char *token,
    const char *client_id)
{
	char text[TOKENS_TOKEN_MAX + 1], id[TOKENS_CLIENT_ID_MAX + 1];

	assert_int_equal(tokens_get(t, host, text, id), result);
	assert_string_equal(text, token);
	assert_string_equal(id, client_id);
}

/* As after a start. */
static void
begin_anew(struct fixture *f)
{
	tokens_free(t);
	tether_db_free(&db);
	tether_db_init(&db, f->state);
	t = tokens_new(&db);
}

struct list {
	char text[1024];
};

static void
add(void *arg, const struct admin_token *row)
{
	struct list *list = arg;
	size_t n = strlen(list->text);

	(void)snprintf(list->text + n, sizeof(list->text) - n, "%s %s %llu%s\n",
	    row->host, row->client_id, (unsigned long long)row->granted_at,
	    row->used ? " used" : "");
}

static void
assert_list(size_t max, const char *expected)
{
	struct list list = { "" };

	assert_int_equal(tokens_list(t, max, add, &list), DB_OK);
	assert_string_equal(list.text, expected);
}

/* Nothing is made just because somebody asks. */
static void
test_none(void **state)
{
	struct fixture *f = *state;

	assert_get("hub:1", DB_NONE, "", "");
	assert_list(10, "");
	assert_int_equal(tokens_forget(t, "hub:1"), DB_NONE);
	assert_int_equal(access(f->tether, F_OK), -1);
	assert_int_equal(log_count(f, ""), 0);
}

static void
test_put(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(tokens_put(t, "hub:1", "ao_1", "box", 100), DB_OK);
	assert_int_equal(
	    log_count(f, "token granted by hub:1, kept in tether.db"), 1);
	assert_null(strstr(f->lines, "ao_"));
	assert_int_equal(stat(f->tether, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(tokens_put(t, "hub:2", "ao_2", "-", 200), DB_OK);
	assert_int_equal(tokens_put(t, "other:1", "ao_3", "box3", 300), DB_OK);
	begin_anew(f);
	assert_get("hub:1", DB_OK, "ao_1", "box");
	assert_get("other:1", DB_OK, "ao_3", "box3");
	assert_get("hub:3", DB_NONE, "", "");
	assert_get("hub", DB_NONE, "", "");
	/* In place of the last one, of which nothing is left. */
	assert_int_equal(tokens_put(t, "hub:1", "ao_9", "box9", 400), DB_OK);
	assert_get("hub:1", DB_OK, "ao_9", "box9");
	assert_list(10, "hub:1 box9 400\nhub:2 - 200\nother:1 box3 300\n");
	assert_list(2, "hub:1 box9 400\nhub:2 - 200\n");
}

/* The longest of both. */
static void
test_sizes(void **state)
{
	char token[TOKENS_TOKEN_MAX + 1], id[TOKENS_CLIENT_ID_MAX + 1];

	(void)state;
	memset(token, 't', TOKENS_TOKEN_MAX);
	memset(id, 'i', TOKENS_CLIENT_ID_MAX);
	token[TOKENS_TOKEN_MAX] = id[TOKENS_CLIENT_ID_MAX] = '\0';
	assert_int_equal(tokens_put(t, "hub:1", token, id, 1), DB_OK);
	assert_get("hub:1", DB_OK, token, id);
}

/* Bytes of a file that hold the text. */
static bool
file_has(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	static char bytes[1 << 20];
	size_t n;

	assert_non_null(file);
	n = fread(bytes, 1, sizeof(bytes), file);
	assert_int_equal(fclose(file), 0);
	return memmem(bytes, n, text, strlen(text)) != NULL;
}

static void
test_forget(void **state)
{
	static const struct {
		const char *whom;
		enum db_result result;
		const char *gone; /* NULL for nothing */
	} rows[] = {
		{ "hub:1", DB_OK, "hub:1" },
		{ "HUB.example:443", DB_OK, "hub.example:443" },
		{ "other", DB_OK, "other:1" },
		{ "Other", DB_OK, "other:1" },
		{ "hub", DB_TAKEN, NULL },
		{ "hub:", DB_NONE, NULL },
		{ "hu", DB_NONE, NULL },
		{ "", DB_NONE, NULL },
		{ "1", DB_NONE, NULL },
		{ "hub:11", DB_NONE, NULL },
		{ "hub.example", DB_OK, "hub.example:443" },
		{ "[::1]:5", DB_OK, "[::1]:5" },
		{ "[::1]", DB_OK, "[::1]:5" },
		{ "::1", DB_OK, "[::1]:5" },
		{ "::", DB_NONE, NULL },
		{ "[:", DB_NONE, NULL },
		{ ":1", DB_NONE, NULL },
	};
	static const char *const hosts[] = { "hub:1", "hub:2", "other:1",
		"hub.example:443", "[::1]:5" };
	struct fixture *f = *state;
	size_t i, n;

	for (i = 0; i < COUNT(rows); i++) {
		for (n = 0; n < COUNT(hosts); n++)
			assert_int_equal(
			    tokens_put(t, hosts[n], "ao_secret", "box", 1),
			    DB_OK);
		if (tokens_forget(t, rows[i].whom) != rows[i].result)
			fail_msg("%s", rows[i].whom);
		for (n = 0; n < COUNT(hosts); n++)
			if (rows[i].gone == NULL ||
			    strcmp(hosts[n], rows[i].gone) != 0)
				assert_get(hosts[n], DB_OK, "ao_secret", "box");
			else
				assert_get(hosts[n], DB_NONE, "", "");
	}
	assert_true(file_has(f->tether, "ao_secret"));
	for (n = 0; n < COUNT(hosts); n++)
		(void)tokens_forget(t, hosts[n]);
	assert_list(10, "");
	assert_false(file_has(f->tether, "ao_secret"));
}

static void
test_memory(void **state)
{
	struct fixture *f = *state;
	sqlite3 *lock;

	assert_int_equal(tokens_put(t, "hub:1", "ao_1", "box", 1), DB_OK);
	assert_int_equal(tokens_put(t, "hub:2", "ao_2", "box", 1), DB_OK);
	lock = hold_lock(f->tether);
	assert_int_equal(tokens_put(t, "hub:1", "ao_3", "new", 2), DB_FAILED);
	assert_int_equal(tokens_put(t, "hub:1", "ao_4", "newer", 3), DB_FAILED);
	assert_int_equal(log_count(f, "kept in memory until authd ends"), 2);
	assert_null(strstr(f->lines, "ao_"));
	assert_get("hub:1", DB_OK, "ao_4", "newer");
	/* What is not in memory nobody knows. */
	assert_get("hub:2", DB_FAILED, "", "");
	assert_int_equal(
	    tokens_list(t, 10, add, &(struct list){ "" }), DB_FAILED);
	assert_int_equal(tokens_forget(t, "hub:1"), DB_FAILED);
	assert_int_equal(sqlite3_close(lock), SQLITE_OK);
	/* Each host once. */
	assert_list(10, "hub:1 newer 3\nhub:2 box 1\n");
	assert_string_equal(
	    query_sql(f->tether, "SELECT token FROM tokens WHERE host='hub:1'"),
	    "ao_1");
	assert_get("hub:1", DB_OK, "ao_4", "newer");
	assert_int_equal(log_count(f, "is kept in tether.db now"), 1);
	begin_anew(f);
	assert_get("hub:1", DB_OK, "ao_4", "newer");
	/* Forgotten in both places. */
	lock = hold_lock(f->tether);
	assert_int_equal(
	    tokens_put(t, "hub:1", "ao_5", "newest", 4), DB_FAILED);
	assert_int_equal(sqlite3_close(lock), SQLITE_OK);
	assert_int_equal(tokens_forget(t, "hub:1"), DB_OK);
	assert_get("hub:1", DB_NONE, "", "");
	assert_list(10, "hub:2 box 1\n");
}

/* Nobody of ours wrote these. */
static void
test_spoilt(void **state)
{
	static const char *const sql[] = {
		"UPDATE tokens SET token = ''",
		"UPDATE tokens SET token = 'a b'",
		"UPDATE tokens SET token = 'ao_1' || char(10)",
		"UPDATE tokens SET token = printf('%5000c', 'x')",
		"UPDATE tokens SET client_id = '../x'",
		"UPDATE tokens SET client_id = ''",
		"UPDATE tokens SET client_id = printf('%.*c', 129, 'x')",
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < COUNT(sql); i++) {
		assert_int_equal(
		    tokens_put(t, "hub:1", "ao_1", "box", 1), DB_OK);
		run_sql(f->tether, sql[i]);
		assert_get("hub:1", DB_NONE, "", "");
	}
	assert_int_not_equal(
	    log_count(f, "the token of hub:1 is not usable"), 0);
}

/* The folder cannot be made: there is none, and one is kept in memory. */
static void
test_no_folder(void **state)
{
	struct fixture *f = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/a", f->dir);
	run_sql(path, "PRAGMA user_version = 1");
	assert_get("hub:1", DB_FAILED, "", "");
	assert_int_equal(unlink(path), 0);
	assert_get("hub:1", DB_NONE, "", "");
	run_sql(path, "PRAGMA user_version = 1");
	assert_int_equal(tokens_put(t, "hub:1", "ao_1", "box", 1), DB_FAILED);
	assert_get("hub:1", DB_OK, "ao_1", "box");
	assert_int_equal(unlink(path), 0);
	assert_get("hub:1", DB_OK, "ao_1", "box");
	begin_anew(f);
	assert_get("hub:1", DB_OK, "ao_1", "box");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, tokens_setup, tokens_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_none),
		TEST(test_put),
		TEST(test_sizes),
		TEST(test_forget),
		TEST(test_memory),
		TEST(test_spoilt),
		TEST(test_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
