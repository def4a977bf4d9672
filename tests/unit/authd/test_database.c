#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "authd/database.h"
#include "tests/unit/authd/fixture.h"

#define MS 1000 /* µs */

/* Another program, which holds the lock again and again. */
struct other {
	pthread_t thread;
	const char *path;
	useconds_t held, free; /* µs each time */
	atomic_bool stop, holds;
};

static void *
other_run(void *arg)
{
	struct other *o = arg;
	sqlite3 *db;

	if (sqlite3_open(o->path, &db) != SQLITE_OK)
		return NULL;
	(void)sqlite3_busy_timeout(db, 5000);
	while (!o->stop) {
		(void)sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
		o->holds = true;
		usleep(o->held);
		(void)sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
		o->holds = false;
		usleep(o->free);
	}
	(void)sqlite3_close(db);
	return NULL;
}

static void
other_start(struct other *o, const char *path)
{
	o->path = path;
	assert_int_equal(pthread_create(&o->thread, NULL, other_run, o), 0);
	while (!o->holds)
		usleep(MS);
}

static void
other_stop(struct other *o)
{
	o->stop = true;
	assert_int_equal(pthread_join(o->thread, NULL), 0);
}

static int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Begin and end a transaction; *took: milliseconds. */
static enum db_result
try(struct database *db, int wait, int64_t *took)
{
	int64_t began = clock_ms();
	enum db_result result;

	assert_int_equal(database_open(db), DB_OK);
	database_patience(db, wait);
	result = database_exec(db, "BEGIN IMMEDIATE");
	*took = clock_ms() - began;
	database_rollback(db);
	return result;
}

static void
start(struct fixture *f, struct database *db)
{
	run_sql(f->users, schemas[OLD]);
	database_init(db, f->users, "user database");
	assert_int_equal(database_open(db), DB_OK);
}

/* The gaps of one who writes all the time are found. */
static void
test_gaps(void **state)
{
	struct other other = { .held = 60 * MS, .free = 4 * MS };
	struct fixture *f = *state;
	struct database db;
	int64_t took;
	int i;

	start(f, &db);
	other_start(&other, f->users);
	for (i = 0; i < 20; i++)
		assert_int_equal(try(&db, DATABASE_WAIT, &took), DB_OK);
	other_stop(&other);
	assert_int_equal(log_count(f, ""), 0);
	database_free(&db);
}

/* That a little time was not enough is neither told nor held against it. */
static void
test_little(void **state)
{
	struct other other = { .held = 400 * MS };
	struct fixture *f = *state;
	struct database db;
	int64_t took;

	start(f, &db);
	other_start(&other, f->users);
	assert_int_equal(try(&db, DATABASE_WAIT_LITTLE, &took), DB_FAILED);
	assert_in_range(took, DATABASE_WAIT_LITTLE, 3 * DATABASE_WAIT_LITTLE);
	other.stop = true;
	assert_int_equal(try(&db, DATABASE_WAIT, &took), DB_OK);
	other_stop(&other);
	assert_int_equal(log_count(f, ""), 0);
	database_free(&db);
}

/* Once it was in vain nobody waits for a while. */
static void
test_long(void **state)
{
	struct other other = { .held = 2000 * MS };
	struct fixture *f = *state;
	struct database db;
	int64_t took;

	start(f, &db);
	other_start(&other, f->users);
	assert_int_equal(try(&db, DATABASE_WAIT, &took), DB_FAILED);
	assert_in_range(took, DATABASE_WAIT, 3 * DATABASE_WAIT / 2);
	assert_int_equal(try(&db, DATABASE_WAIT, &took), DB_FAILED);
	assert_in_range(took, 0, DATABASE_WAIT / 2);
	assert_int_equal(try(&db, DATABASE_WAIT_LITTLE, &took), DB_FAILED);
	assert_in_range(took, 0, DATABASE_WAIT_LITTLE - 10);
	assert_int_equal(log_count(f, "another program holds it for long"), 1);
	other_stop(&other);
	database_free(&db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_gaps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_little, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
