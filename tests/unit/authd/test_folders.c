/* Folders that are replaced, and databases that get another owner. */

#include <sys/stat.h>

#include <fcntl.h>

#include "authd/folders.h"
#include "authd/tether_db.h"
#include "authd/upstream_db.h"
#include "common/child.h"
#include "common/monotonic.h"
#include "tests/unit/authd/fixture.h"

static struct {
	unsigned asked;
	bool owner;
	char why[512];
	bool away; /* no channel to tetherd, yet */
} parent;

static int64_t now_ms;

int64_t
monotonic_ms(void)
{
	return now_ms;
}

/* In place of a channel. */
bool
child_send(struct child *c, enum program to, struct msg_out *out)
{
	struct msg m = { .data = out->data, .len = out->len, .fd = -1 };

	(void)c;
	assert_int_equal(to, PROGRAM_PARENT);
	if (parent.away) {
		msg_discard(out);
		return false;
	}
	m.data = out->data;
	parent.asked++;
	parent.owner = msg_get_u8(&m) != 0;
	msg_get_str(&m, parent.why, sizeof(parent.why));
	assert_true(msg_end(&m));
	msg_discard(out);
	return true;
}

struct world {
	struct fixture *f;
	struct folders folders;
	struct upstream_db users;
	struct tether_db tether;
};

static struct world w;

/* The upstream's database is in a folder of its own, as is ours. */
static void
begin(struct fixture *f, bool sandbox, bool drop, uint32_t uid)
{
	memset(&parent, 0, sizeof(parent));
	now_ms = 100000;
	w.f = f;
	(void)snprintf(f->users, sizeof(f->users), "%s/app/auth.db", f->dir);
	f->conf.confinement = (struct confinement){
		.sandbox = sandbox, .drop = drop, .uid = uid
	};
	folders_find(&w.folders, NULL, &f->conf);
	database_guard(folders_may_open, &w.folders);
	upstream_db_init(&w.users, f->users);
	tether_db_init(&w.tether, f->state);
}

static void
end(void)
{
	upstream_db_free(&w.users);
	tether_db_free(&w.tether);
	database_guard(NULL, NULL);
	folders_free(&w.folders);
}

static void
make(const struct fixture *f)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/app", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	run_sql(f->users, schemas[OLD]);
}

static void
set_aside(const char *folder)
{
	static unsigned n;
	char to[160];

	(void)snprintf(to, sizeof(to), "%s.%u", folder, ++n);
	assert_int_equal(rename(folder, to), 0);
}

static void
app_aside(const struct fixture *f)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/app", f->dir);
	set_aside(path);
}

static void
assert_asked(const char *path)
{
	char why[512];

	(void)snprintf(why, sizeof(why),
	    "%s: its folder is not the one that was there when authd started",
	    path);
	assert_int_equal(parent.asked, 1);
	assert_false(parent.owner);
	assert_string_equal(parent.why, why);
	parent.asked = 0;
}

static void
test_made_later(void **state)
{
	struct fixture *f = *state;

	begin(f, true, false, 0);
	assert_int_equal(upstream_db_open(&w.users), DB_FAILED);
	assert_int_equal(parent.asked, 0);
	assert_false(folders_are_lost(&w.folders));
	make(f);
	assert_true(folders_are_lost(&w.folders));
	assert_int_equal(upstream_db_open(&w.users), DB_FAILED);
	assert_asked(f->users);
	/* Once, as long as there is hope. */
	now_ms += 59999;
	assert_int_equal(upstream_db_open(&w.users), DB_FAILED);
	assert_int_equal(parent.asked, 0);
	now_ms++;
	assert_int_equal(upstream_db_open(&w.users), DB_FAILED);
	assert_asked(f->users);
	end();
}

static void
test_replaced(void **state)
{
	struct fixture *f = *state;

	begin(f, true, false, 0);
	end();
	make(f);
	begin(f, true, false, 0);
	assert_int_equal(upstream_db_open(&w.users), DB_OK);
	/* The file alone: that is in reach. */
	assert_int_equal(unlink(f->users), 0);
	run_sql(f->users, schemas[OLD]);
	assert_int_equal(upstream_db_open(&w.users), DB_OK);
	app_aside(f);
	/* What is gone may come back. */
	assert_false(folders_are_lost(&w.folders));
	assert_int_equal(upstream_db_open(&w.users), DB_FAILED);
	assert_int_equal(parent.asked, 0);
	make(f);
	parent.away = true;
	assert_int_equal(upstream_db_open(&w.users), DB_FAILED);
	assert_int_equal(parent.asked, 0);
	parent.away = false;
	assert_int_equal(upstream_db_open(&w.users), DB_FAILED);
	assert_asked(f->users);
	end();
}

/* No sandbox, nothing out of reach. */
static void
test_no_sandbox(void **state)
{
	struct fixture *f = *state;

	begin(f, false, false, 0);
	make(f);
	assert_false(folders_are_lost(&w.folders));
	assert_int_equal(upstream_db_open(&w.users), DB_OK);
	assert_int_equal(tether_db_open(&w.tether), DB_OK);
	assert_int_equal(parent.asked, 0);
	end();
}

static void
test_state(void **state)
{
	struct fixture *f = *state;

	begin(f, true, false, 0);
	/* It could not be made: that is no reason to try for ever. */
	assert_int_equal(chmod(f->dir, 0500), 0);
	if (geteuid() != 0)
		assert_int_equal(tether_db_open(&w.tether), DB_FAILED);
	assert_int_equal(chmod(f->dir, 0700), 0);
	assert_int_equal(parent.asked, 0);
	end();
	begin(f, false, false, 0);
	assert_int_equal(tether_db_open(&w.tether), DB_OK);
	end();
	begin(f, true, false, 0);
	assert_int_equal(tether_db_open(&w.tether), DB_OK);
	set_aside(f->state);
	assert_true(folders_are_lost(&w.folders));
	assert_int_equal(tether_db_open(&w.tether), DB_FAILED);
	assert_asked(f->tether);
	assert_int_equal(access(f->state, F_OK), -1);
	assert_int_equal(mkdir(f->state, 0700), 0);
	now_ms += 60000;
	assert_int_equal(tether_db_open(&w.tether), DB_FAILED);
	assert_asked(f->tether);
	end();
}

/* uid: whose the file is, as seen from an authd that runs as another one. */
static void
test_owner(void **state)
{
	struct fixture *f = *state;
	uint32_t me = geteuid();
	bool differs = me != 0; /* root's are no reason */

	begin(f, true, true, me);
	end();
	make(f);
	begin(f, true, true, me);
	assert_int_equal(upstream_db_open(&w.users), DB_OK);
	end();
	begin(f, true, false, me + 1);
	assert_int_equal(upstream_db_open(&w.users), DB_OK);
	end();
	begin(f, true, true, me + 1);
	assert_int_equal(
	    upstream_db_open(&w.users), differs ? DB_FAILED : DB_OK);
	assert_int_equal(parent.asked, differs ? 1 : 0);
	end();
	if (me != 0)
		return;
	assert_int_equal(chown(f->users, 5, 5), 0);
	begin(f, true, true, 0);
	assert_int_equal(upstream_db_open(&w.users), DB_FAILED);
	assert_int_equal(parent.asked, 1);
	assert_true(parent.owner);
	assert_non_null(strstr(
	    parent.why, "auth.db: it is not of the user who authd runs as"));
	end();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_made_later),
		TEST(test_replaced),
		TEST(test_no_sandbox),
		TEST(test_state),
		TEST(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
