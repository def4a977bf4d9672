/*
 * Giving a folder away is root's to do: as anybody else those tests are
 * skipped.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>

#include "authd/state_folder.h"
#include "tests/unit/authd/fixture.h"

#define OWNER 1234

static const struct confinement user = {
	.drop = true, .uid = OWNER, .gid = OWNER + 1
};

static char *
in_dir(const struct fixture *f, const char *name)
{
	static char paths[4][160];
	static int i;

	i = (i + 1) % 4;
	(void)snprintf(paths[i], sizeof(paths[i]), "%s%s", f->dir, name);
	return paths[i];
}

static void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	(void)close(fd);
}

static void
assert_is(const char *path, uint32_t uid, uint32_t gid, mode_t mode)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	if (st.st_uid != uid || st.st_gid != gid ||
	    (st.st_mode & 07777) != mode)
		fail_msg("%s: %u:%u %o", path, st.st_uid, st.st_gid,
		    st.st_mode & 07777);
}

/* It says beforehand what it is going to do. */
static void
give(const char *path, bool expected)
{
	assert_int_equal(state_folder_is_to_give(path, &user), expected);
	state_folder_give(path, &user);
}

static void
test_make(void **state)
{
	struct fixture *f = *state;
	const char *path = in_dir(f, "/a/b/c");

	(void)umask(0);
	assert_int_equal(state_folder_make(path), 0);
	assert_is(path, geteuid(), getegid(), 0700);
	assert_is(in_dir(f, "/a"), geteuid(), getegid(), 0700);
	assert_int_equal(state_folder_make(path), 0);
	assert_int_equal(state_folder_make(in_dir(f, "/a/d/")), 0);
	make_file(in_dir(f, "/file"));
	errno = 0;
	assert_int_equal(state_folder_make(in_dir(f, "/file/x")), -1);
	assert_int_equal(errno, ENOTDIR);
	(void)umask(022);
}

/* Those who have nothing to give. */
static void
test_nothing(void **state)
{
	static const struct confinement others[] = {
		{ .drop = false, .uid = OWNER },
		{ .drop = true, .uid = 0 },
	};
	static const char *const odd[] = { "state", "/x/../state", "/x/..",
		"/x/..y/../z" };
	struct fixture *f = *state;
	const char *path = in_dir(f, "/state");
	size_t i;

	for (i = 0; i < COUNT(others); i++) {
		assert_false(state_folder_is_to_give(path, &others[i]));
		state_folder_give(path, &others[i]);
		assert_int_equal(access(path, F_OK), -1);
	}
	/* A path that leads nowhere from here. */
	for (i = 0; i < COUNT(odd); i++) {
		path = i == 0 ? odd[0] : in_dir(f, odd[i]);
		give(path, false);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(access(in_dir(f, "/x"), F_OK), -1);
	}
	assert_int_equal(log_count(f, ""), 0);
}

static void
test_missing(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	give(in_dir(f, "/x//y/state/"), true);
	assert_is(in_dir(f, "/x/y/state"), OWNER, OWNER + 1, 0700);
	/* The user has to get there, and has no say in what else is there. */
	assert_is(in_dir(f, "/x"), 0, 0, 0755);
	assert_is(in_dir(f, "/x/y"), 0, 0, 0755);
	assert_int_equal(log_count(f, ""), 0);
}

/* From an authd of root's. */
static void
test_ours(void **state)
{
	static const char *const names[] = { "/state/tether.db",
		"/state/tether.db-wal", "/state/tether.db-shm",
		"/state/tether.db-journal" };
	struct fixture *f = *state;
	size_t i;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(in_dir(f, "/state"), 0750), 0);
	for (i = 0; i < COUNT(names); i++)
		make_file(in_dir(f, names[i]));
	give(in_dir(f, "/state"), true);
	assert_is(in_dir(f, "/state"), OWNER, OWNER + 1, 0750);
	for (i = 0; i < COUNT(names); i++)
		assert_is(in_dir(f, names[i]), OWNER, OWNER + 1, 0600);
	/* From there on it is the user's. */
	make_file(in_dir(f, "/state/secret"));
	(void)unlink(in_dir(f, names[0]));
	make_file(in_dir(f, names[0]));
	give(in_dir(f, "/state"), false);
	assert_is(in_dir(f, names[0]), 0, 0, 0600);
	assert_is(in_dir(f, "/state/secret"), 0, 0, 0600);
}

/* What has the name of a database, and is none that could be given. */
static void
test_no_database(void **state)
{
	struct fixture *f = *state;
	const char *outside = in_dir(f, "/outside");

	if (geteuid() != 0)
		skip();
	make_file(outside);
	make_file(in_dir(f, "/other"));
	assert_int_equal(mkdir(in_dir(f, "/state"), 0700), 0);
	assert_int_equal(link(outside, in_dir(f, "/state/tether.db")), 0);
	assert_int_equal(
	    symlink("../other", in_dir(f, "/state/tether.db-wal")), 0);
	assert_int_equal(mkfifo(in_dir(f, "/state/tether.db-shm"), 0600), 0);
	make_file(in_dir(f, "/state/tether.db-journal"));
	assert_int_equal(chown(in_dir(f, "/state/tether.db-journal"), 5, 5), 0);
	give(in_dir(f, "/state"), true);
	assert_is(in_dir(f, "/state"), OWNER, OWNER + 1, 0700);
	assert_is(in_dir(f, "/outside"), 0, 0, 0600);
	assert_is(in_dir(f, "/other"), 0, 0, 0600);
	assert_is(in_dir(f, "/state/tether.db-shm"), 0, 0, 0600);
	assert_is(in_dir(f, "/state/tether.db-journal"), 5, 5, 0600);
}

static void
test_others_in_it(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(in_dir(f, "/state"), 0755), 0);
	make_file(in_dir(f, "/state/tether.db"));
	make_file(in_dir(f, "/state/tether.db-old"));
	give(in_dir(f, "/state"), false);
	assert_is(in_dir(f, "/state"), 0, 0, 0755);
	assert_is(in_dir(f, "/state/tether.db"), 0, 0, 0600);
	assert_int_equal(log_count(f, "not given to uid 1234"), 1);
}

/* Whose folder it is on the way, and with which mode; whether it is given. */
static void
test_way(void **state)
{
	static const struct {
		uint32_t uid;
		mode_t mode;
		bool given;
	} table[] = {
		{ 0, 0755, true },
		{ 0, 0700, true },
		{ 0, 01777, true }, /* as /tmp */
		{ 0, 0777, false },
		{ 0, 0775, false },
		{ 0, 0757, false },
		{ OWNER, 0755, false },
		{ OWNER, 01755, false },
		{ 5, 0755, false },
	};
	struct fixture *f = *state;
	bool exists;
	size_t i;

	if (geteuid() != 0)
		skip();
	for (i = 0; i < 2 * COUNT(table); i++) {
		exists = i % 2 == 1;
		assert_int_equal(mkdir(in_dir(f, "/way"), 0700), 0);
		assert_int_equal(mkdir(in_dir(f, "/way/in"), 0700), 0);
		if (exists)
			assert_int_equal(
			    mkdir(in_dir(f, "/way/in/state"), 0700), 0);
		assert_int_equal(
		    chown(in_dir(f, "/way"), table[i / 2].uid, 0), 0);
		assert_int_equal(
		    chmod(in_dir(f, "/way"), table[i / 2].mode), 0);
		give(in_dir(f, "/way/in/state"), table[i / 2].given);
		if (table[i / 2].given)
			assert_is(
			    in_dir(f, "/way/in/state"), OWNER, OWNER + 1, 0700);
		else if (exists)
			assert_is(in_dir(f, "/way/in/state"), 0, 0, 0700);
		else
			assert_int_equal(
			    access(in_dir(f, "/way/in/state"), F_OK), -1);
		(void)rmdir(in_dir(f, "/way/in/state"));
		assert_int_equal(rmdir(in_dir(f, "/way/in")), 0);
		assert_int_equal(rmdir(in_dir(f, "/way")), 0);
	}
}

/* Itself: writable by others, a link, a file. */
static void
test_itself(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(in_dir(f, "/open"), 0700), 0);
	assert_int_equal(chmod(in_dir(f, "/open"), 0777), 0);
	give(in_dir(f, "/open"), false);
	assert_is(in_dir(f, "/open"), 0, 0, 0777);

	assert_int_equal(mkdir(in_dir(f, "/real"), 0700), 0);
	assert_int_equal(symlink("real", in_dir(f, "/link")), 0);
	give(in_dir(f, "/link"), false);
	give(in_dir(f, "/link/state"), false);
	assert_is(in_dir(f, "/real"), 0, 0, 0700);
	assert_int_equal(access(in_dir(f, "/real/state"), F_OK), -1);

	make_file(in_dir(f, "/file"));
	give(in_dir(f, "/file"), false);
	give(in_dir(f, "/file/state"), false);
	assert_is(in_dir(f, "/file"), 0, 0, 0600);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_make),
		TEST(test_nothing),
		TEST(test_missing),
		TEST(test_ours),
		TEST(test_no_database),
		TEST(test_others_in_it),
		TEST(test_way),
		TEST(test_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
