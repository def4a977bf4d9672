#include <sys/stat.h>
#include <sys/wait.h>

#include <sha2.h>

#include "authd/handles.h"
#include "authd/tether_db.h"
#include "tests/unit/authd/fixture.h"

#define NOW 1700000000

/*
 * In place of the real one: random bytes, unless the test wants those of
 * the last time once more.
 */
static bool random_repeats;

void
arc4random_buf(void *buffer, size_t n)
{
	static unsigned char last[64];
	FILE *f;

	assert_true(n <= sizeof(last));
	if (!random_repeats) {
		assert_non_null(f = fopen("/dev/urandom", "r"));
		assert_int_equal(fread(last, 1, n, f), n);
		assert_int_equal(fclose(f), 0);
	}
	memcpy(buffer, last, n);
}

/* A database with mona (5) and lisa (6), and handles on top of it. */
struct room {
	struct tether_db t;
	struct handles h;
};

static void
room_open(struct room *r, struct fixture *f)
{
	tether_db_init(&r->t, f->state);
	r->h.tether = &r->t;
	r->h.made = 0;
}

static void
room_close(struct room *r)
{
	tether_db_free(&r->t);
}

static void
add_person(struct room *r, uint64_t github_id, const char *login)
{
	struct tether_identity i = { .github_id = github_id,
		.user_id = (int64_t)github_id };

	(void)strlcpy(i.login, login, sizeof(i.login));
	(void)strlcpy(i.user_name, login, sizeof(i.user_name));
	assert_int_equal(tether_db_open(&r->t), DB_OK);
	assert_int_equal(tether_db_bind(&r->t, &i, NOW), DB_OK);
}

static void
room_start(struct room *r, struct fixture *f)
{
	random_repeats = false;
	room_open(r, f);
	add_person(r, 5, "mona");
	add_person(r, 6, "lisa");
}

/* The id of whose handle it is; the login must belong to it. */
static uint64_t
check(struct room *r, const char *handle, time_t now)
{
	struct handle_owner owner;

	memset(&owner, 0xff, sizeof(owner));
	handles_check(&r->h, handle, now, &owner);
	assert_string_equal(owner.login, owner.github_id == 5	? "mona"
					 : owner.github_id == 6 ? "lisa"
								: "");
	return owner.github_id;
}

static void
make(struct room *r, uint64_t github_id, time_t now, char handle[HANDLE_SIZE])
{
	uint64_t before = r->h.made;

	memset(handle, 'x', HANDLE_SIZE);
	handles_make(
	    &r->h, github_id, github_id == 5 ? "mona" : "lisa", now, handle);
	assert_true(handle_is_valid(handle));
	assert_int_equal(r->h.made, before + 1);
}

static void
refuse(struct room *r, uint64_t github_id, const char *login)
{
	uint64_t before = r->h.made;
	char handle[HANDLE_SIZE];

	memset(handle, 'x', sizeof(handle));
	handles_make(&r->h, github_id, login, NOW, handle);
	assert_string_equal(handle, "");
	assert_int_equal(r->h.made, before);
}

static long
count(struct fixture *f, const char *where)
{
	char sql[256];

	(void)snprintf(
	    sql, sizeof(sql), "SELECT count(*) FROM handles %s", where);
	return strtol(query_sql(f->tether, sql), NULL, 10);
}

static void
test_make_and_check(void **state)
{
	struct fixture *f = *state;
	char a[HANDLE_SIZE], b[HANDLE_SIZE], c[HANDLE_SIZE];
	struct room r;

	room_start(&r, f);
	make(&r, 5, NOW, a);
	make(&r, 5, NOW, b);
	make(&r, 6, NOW, c);
	assert_string_not_equal(a, b);
	assert_int_equal(check(&r, a, NOW), 5);
	assert_int_equal(check(&r, b, NOW), 5);
	assert_int_equal(check(&r, c, NOW), 6);
	assert_int_equal(check(&r, c, NOW), 6);
	assert_int_equal(count(f, ""), 3);
	/* Neither log nor database tell. */
	assert_int_equal(log_count(f, HANDLE_PREFIX), 0);
	assert_int_equal(count(f, "WHERE length(hash) <> 32"), 0);
	assert_string_equal(
	    query_sql(f->tether, "SELECT group_concat(login || ' ' || made_at"
				 " || ' ' || used_at) FROM handles"
				 " WHERE github_id = 6"),
	    "lisa 1700000000 1700000000");
	room_close(&r);
}

/* The hash of a handle is its SHA-256 (FIPS 180-4), as another library does it. */
static void
test_hash(void **state)
{
	struct fixture *f = *state;
	char handle[HANDLE_SIZE], hash[SHA256_DIGEST_STRING_LENGTH];
	struct room r;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	(void)SHA256Data((uint8_t *)handle, strlen(handle), hash);
	assert_string_equal(
	    query_sql(f->tether, "SELECT lower(hex(hash)) FROM handles"), hash);
	room_close(&r);
}

/* All 256 bits are there: each digit takes many values at each place. */
static void
test_random(void **state)
{
	struct fixture *f = *state;
	char handle[HANDLE_SIZE];
	bool seen[HANDLE_LEN][128] = { 0 }, anywhere[128] = { 0 };
	struct room r;
	size_t place;
	int i, byte, values;

	room_start(&r, f);
	for (i = 0; i < 300; i++) {
		make(&r, 5, NOW + i, handle);
		for (place = 0; place < HANDLE_LEN; place++)
			seen[place][(int)handle[place]] = true;
	}
	for (place = strlen(HANDLE_PREFIX); place < HANDLE_LEN; place++) {
		for (values = 0, byte = 0; byte < 128; byte++) {
			values += seen[place][byte];
			anywhere[byte] |= seen[place][byte];
		}
		/* 43 digits hold two bits more than 32 bytes. */
		if (place == HANDLE_LEN - 1)
			assert_int_equal(values, 16);
		else
			assert_in_range(values, 50, 64);
	}
	for (values = 0, byte = 0; byte < 128; byte++)
		values += anywhere[byte];
	assert_int_equal(values, 64);
	room_close(&r);
}

static void
test_garbage(void **state)
{
	static const char *const strings[] = { "", "tether_", "mona", "5",
		"' OR 1=1 --", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
		"tether_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"tether_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	struct fixture *f = *state;
	char handle[HANDLE_SIZE], other[HANDLE_SIZE + 1];
	struct room r;
	size_t i;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	(void)log_count(f, "");
	for (i = 0; i < COUNT(strings); i++)
		assert_int_equal(check(&r, strings[i], NOW), 0);
	/* One letter off, at every place, one less, one more. */
	for (i = 0; i < HANDLE_LEN; i++) {
		(void)strlcpy(other, handle, sizeof(other));
		other[i] = other[i] == 'A' ? 'B' : 'A';
		assert_int_equal(check(&r, other, NOW), 0);
	}
	(void)strlcpy(other, handle, HANDLE_SIZE - 1);
	assert_int_equal(check(&r, other, NOW), 0);
	(void)snprintf(other, sizeof(other), "%sA", handle);
	assert_int_equal(check(&r, other, NOW), 0);
	/* A hash from the database is no handle either. */
	assert_int_equal(
	    check(
		&r, query_sql(f->tether, "SELECT hex(hash) FROM handles"), NOW),
	    0);
	assert_int_equal(check(&r, handle, NOW), 5);
	assert_int_equal(log_count(f, ""), 0);
	room_close(&r);
}

static void
test_expiry(void **state)
{
	struct fixture *f = *state;
	char a[HANDLE_SIZE], b[HANDLE_SIZE], c[HANDLE_SIZE];
	struct room r;

	room_start(&r, f);
	make(&r, 5, NOW, a);
	make(&r, 6, NOW, b);
	/* Each use counts. */
	assert_int_equal(check(&r, a, NOW + 86399), 5);
	assert_int_equal(check(&r, a, NOW + 2 * 86399), 5);
	assert_int_equal(count(f, ""), 2);
	/* Deleted in passing, with all others of that age, and no others. */
	make(&r, 6, NOW + 2 * 86399, c);
	assert_int_equal(count(f, ""), 2);
	assert_int_equal(check(&r, b, NOW + 10), 0);
	assert_int_equal(check(&r, a, NOW + 2 * 86399 + 86400), 0);
	assert_int_equal(count(f, ""), 0);
	assert_int_equal(check(&r, a, NOW + 2 * 86399), 0);
	assert_int_equal(check(&r, c, NOW + 2 * 86399), 0);

	/* The last second. */
	make(&r, 5, NOW, a);
	make(&r, 5, NOW + 1, b);
	assert_int_equal(check(&r, a, NOW + 86400), 0);
	assert_int_equal(check(&r, b, NOW + 86400), 5);
	room_close(&r);
}

/* The time of the last use is written once a minute. */
static void
test_touch(void **state)
{
	static const char sql[] = "SELECT used_at - 1700000000 FROM handles";
	struct fixture *f = *state;
	char handle[HANDLE_SIZE];
	struct room r;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	assert_int_equal(check(&r, handle, NOW + 59), 5);
	assert_string_equal(query_sql(f->tether, sql), "0");
	assert_int_equal(check(&r, handle, NOW + 60), 5);
	assert_string_equal(query_sql(f->tether, sql), "60");
	assert_int_equal(check(&r, handle, NOW + 119), 5);
	assert_string_equal(query_sql(f->tether, sql), "60");
	/* The clock was set back. */
	assert_int_equal(check(&r, handle, NOW - 1000), 5);
	assert_string_equal(query_sql(f->tether, sql), "-1000");
	/* By much: a handle from the future would be good for ever. */
	assert_int_equal(check(&r, handle, NOW - 1000 - 86400), 0);
	assert_int_equal(count(f, ""), 0);
	room_close(&r);
}

static void
test_per_person(void **state)
{
	struct fixture *f = *state;
	char handles[70][HANDLE_SIZE], other[HANDLE_SIZE];
	struct room r;
	int i;

	room_start(&r, f);
	make(&r, 6, NOW - 1000, other);
	/* In one second: then the first one made is the oldest. */
	for (i = 0; i < 64; i++)
		make(&r, 5, NOW, handles[i]);
	assert_int_equal(count(f, "WHERE github_id = 5"), 64);
	assert_int_equal(check(&r, handles[0], NOW + 60), 5);
	for (i = 64; i < 70; i++)
		make(&r, 5, NOW + 60, handles[i]);
	assert_int_equal(count(f, "WHERE github_id = 5"), 64);
	for (i = 0; i < 70; i++)
		assert_int_equal(
		    check(&r, handles[i], NOW + 60), i >= 1 && i <= 6 ? 0 : 5);
	assert_int_equal(check(&r, other, NOW + 60), 6);
	room_close(&r);
}

static void
test_in_all(void **state)
{
	struct fixture *f = *state;
	char a[HANDLE_SIZE], b[HANDLE_SIZE], c[HANDLE_SIZE];
	struct room r;

	room_start(&r, f);
	make(&r, 5, NOW - 2, a);
	make(&r, 5, NOW - 1, b);
	run_sql(f->tether,
	    "WITH RECURSIVE n (i) AS"
	    " (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 4193)"
	    "INSERT INTO identities (github_id, login, created_at, last_seen)"
	    " SELECT i, 'x' || i, 0, 0 FROM n;"
	    "INSERT INTO handles (hash, github_id, login, made_at, used_at)"
	    " SELECT randomblob(32), github_id, login, 1700000000, 1700000000"
	    " FROM identities WHERE github_id >= 100");
	assert_int_equal(count(f, ""), 4096);
	assert_int_equal(check(&r, a, NOW), 5);
	make(&r, 6, NOW, c);
	assert_int_equal(count(f, ""), 4096);
	assert_int_equal(check(&r, a, NOW), 0);
	assert_int_equal(check(&r, b, NOW), 5);
	assert_int_equal(check(&r, c, NOW), 6);
	/* More than we would make, of an older program or an operator. */
	run_sql(f->tether,
	    "INSERT INTO handles (hash, github_id, login, made_at, used_at)"
	    " SELECT randomblob(32), github_id, login, 1699999999, 1699999999"
	    " FROM identities WHERE github_id >= 100");
	make(&r, 6, NOW, a);
	assert_int_equal(count(f, ""), 4096);
	assert_int_equal(check(&r, a, NOW), 6);
	assert_int_equal(check(&r, c, NOW), 6);
	room_close(&r);
}

/* Restarts and reloads change nothing; a new database does. */
static void
test_survival(void **state)
{
	struct fixture *f = *state;
	char handle[HANDLE_SIZE];
	struct room r;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	database_close(&r.t.db);
	assert_int_equal(check(&r, handle, NOW), 5);
	room_close(&r);
	room_open(&r, f);
	assert_int_equal(check(&r, handle, NOW), 5);
	assert_int_equal(unlink(f->tether), 0);
	assert_int_equal(check(&r, handle, NOW), 0);
	refuse(&r, 5, "mona");
	room_close(&r);
}

static void
test_people(void **state)
{
	struct fixture *f = *state;
	char handle[HANDLE_SIZE], other[HANDLE_SIZE];
	struct room r;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	make(&r, 6, NOW, other);
	(void)log_count(f, "");
	/* Nobody whom the database does not know. */
	refuse(&r, 7, "bart");
	refuse(&r, 0, "mona");
	refuse(&r, UINT64_MAX, "mona");
	refuse(&r, 5, "");
	refuse(&r, 5, "mo na");

	/* Disabled, and enabled again. */
	run_sql(f->tether,
	    "UPDATE identities SET disabled = 1 WHERE github_id = 5");
	assert_int_equal(check(&r, handle, NOW), 0);
	refuse(&r, 5, "mona");
	assert_int_equal(check(&r, other, NOW), 6);
	run_sql(f->tether, "UPDATE identities SET disabled = 0");
	assert_int_equal(check(&r, handle, NOW), 5);

	/* The rules are not looked at: SESSION_GET is for that. */
	set_conf(&f->conf.users[0], "lisa");
	set_conf(&f->conf.users[1], "mona");
	assert_int_equal(check(&r, handle, NOW), 5);
	make(&r, 5, NOW, handle);
	set_conf(&f->conf.users[0], "");
	set_conf(&f->conf.users[1], "");

	/* Revoked: hers alone. */
	assert_int_equal(handles_revoke(&r.t, 5), DB_OK);
	assert_int_equal(check(&r, handle, NOW), 0);
	assert_int_equal(check(&r, other, NOW), 6);
	make(&r, 5, NOW, handle);

	/* All of somebody's handles go with the person. */
	assert_int_equal(check(&r, handle, NOW), 5);
	run_sql(f->tether, "PRAGMA foreign_keys = ON;"
			   "DELETE FROM identities WHERE github_id = 5");
	assert_int_equal(check(&r, handle, NOW), 0);
	assert_int_equal(count(f, ""), 1);
	refuse(&r, 5, "mona");
	assert_int_equal(log_count(f, ""), 0);
	/* Even where that was done without foreign keys. */
	run_sql(f->tether, "DELETE FROM identities");
	assert_int_equal(count(f, ""), 1);
	assert_int_equal(check(&r, other, NOW), 0);
	room_close(&r);
}

/* A handle that exists is nobody else's. */
static void
test_taken(void **state)
{
	struct fixture *f = *state;
	char handle[HANDLE_SIZE];
	struct room r;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	(void)log_count(f, "");
	random_repeats = true;
	refuse(&r, 6, "lisa");
	refuse(&r, 5, "mona");
	random_repeats = false;
	assert_int_equal(log_count(f, ""), 0);
	assert_int_equal(check(&r, handle, NOW), 5);
	make(&r, 6, NOW, handle);
	room_close(&r);
}

static void
test_locked(void **state)
{
	struct fixture *f = *state;
	char handle[HANDLE_SIZE];
	struct room r;
	sqlite3 *lock;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	(void)log_count(f, "");
	lock = hold_lock(f->tether);
	refuse(&r, 5, "mona");
	assert_int_equal(check(&r, handle, NOW), 0);
	assert_int_equal(log_count(f, "another program holds it"), 1);
	assert_string_not_equal(f->lines, "");
	assert_null(strchr(strchr(f->lines, '\n') + 1, '\n'));
	assert_int_equal(sqlite3_close(lock), SQLITE_OK);
	assert_int_equal(check(&r, handle, NOW), 5);
	make(&r, 5, NOW, handle);
	assert_int_equal(log_count(f, "works again"), 1);
	room_close(&r);
}

/* Somebody else only reads, or writes: what is known stays known. */
static void
test_reserved(void **state)
{
	struct fixture *f = *state;
	char handle[HANDLE_SIZE];
	struct room r;
	sqlite3 *lock;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	assert_int_equal(sqlite3_open(f->tether, &lock), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(check(&r, handle, NOW + 100), 5);
	assert_int_equal(check(&r, handle, NOW + 86400), 0);
	assert_int_equal(sqlite3_close(lock), SQLITE_OK);
	assert_int_equal(count(f, ""), 1);
	assert_int_equal(check(&r, handle, NOW + 86399), 5);
	room_close(&r);
}

static void
test_broken(void **state)
{
	static const char *const commands[] = {
		"echo 'no database, but long enough to be taken for one'"
		" >tether.db",
		"rm tether.db && mkdir tether.db",
		"rmdir tether.db && ln -s nowhere tether.db",
	};
	struct fixture *f = *state;
	char handle[HANDLE_SIZE], command[512];
	struct room r;
	size_t i;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	database_close(&r.t.db);
	for (i = 0; i < COUNT(commands); i++) {
		(void)snprintf(command, sizeof(command), "cd %s && %s",
		    f->state, commands[i]);
		assert_int_equal(system(command), 0);
		(void)log_count(f, "");
		refuse(&r, 5, "mona");
		assert_int_equal(check(&r, handle, NOW), 0);
		refuse(&r, 5, "mona");
		assert_int_equal(log_count(f, "tether.db"), 1);
	}
	room_close(&r);
}

/* Rows that we did not write. */
static void
test_odd_rows(void **state)
{
	static const char *const sql[] = {
		"UPDATE handles SET login = ''",
		"UPDATE handles SET login = 'mo na'",
		"UPDATE handles SET login = printf('%.300c', 'x')",
		"UPDATE handles SET login = 'mona' || char(0)",
		"UPDATE handles SET github_id = -5",
		"UPDATE handles SET github_id = 99",
		"UPDATE handles SET used_at = -9223372036854775807 - 1",
		"UPDATE handles SET used_at = 9223372036854775807",
		"PRAGMA ignore_check_constraints = 1;"
		" UPDATE identities SET role = 'emperor'",
	};
	struct fixture *f = *state;
	char handle[HANDLE_SIZE];
	struct room r;
	size_t i;

	room_start(&r, f);
	for (i = 0; i < COUNT(sql); i++) {
		make(&r, 5, NOW, handle);
		assert_int_equal(check(&r, handle, NOW), 5);
		run_sql(f->tether, sql[i]);
		assert_int_equal(check(&r, handle, NOW), 0);
		run_sql(f->tether, "DELETE FROM handles");
		run_sql(f->tether, "UPDATE identities SET role = 'full'");
	}
	room_close(&r);
}

/* As an ordinary user, to whom the file is read-only. */
static int
check_read_only(struct fixture *f, const char *handle)
{
	char made[HANDLE_SIZE];
	struct handle_owner owner;
	struct room r;

	room_open(&r, f);
	handles_check(&r.h, handle, NOW + 100, &owner);
	if (owner.github_id != 5)
		return 2;
	handles_make(&r.h, 5, "mona", NOW, made);
	if (made[0] != '\0')
		return 3;
	handles_make(&r.h, 5, "mona", NOW, made);
	if (log_count(f, "check the owner and mode") != 1)
		return 4;
	handles_check(&r.h, handle, NOW + 86400, &owner);
	if (owner.github_id != 0)
		return 5;
	room_close(&r);
	return 0;
}

static void
test_read_only(void **state)
{
	struct fixture *f = *state;
	char handle[HANDLE_SIZE], command[512];
	struct room r;
	int status;
	pid_t pid;

	room_start(&r, f);
	make(&r, 5, NOW, handle);
	room_close(&r);
	(void)snprintf(command, sizeof(command),
	    "cd %s && chmod -R a+rwX . && chmod 444 %s", f->dir, f->tether);
	assert_int_equal(system(command), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) == -1)
			_exit(1);
		_exit(check_read_only(f, handle));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(WIFEXITED(status));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_make_and_check),
		TEST(test_hash),
		TEST(test_random),
		TEST(test_garbage),
		TEST(test_expiry),
		TEST(test_touch),
		TEST(test_per_person),
		TEST(test_in_all),
		TEST(test_survival),
		TEST(test_people),
		TEST(test_taken),
		TEST(test_locked),
		TEST(test_reserved),
		TEST(test_broken),
		TEST(test_odd_rows),
		TEST(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
