#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/slice.h"
#include "tetherd/snapshot.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char dir[] = "/tmp/snapshot.XXXXXX";
static char path[64], link_path[64];

static void
write_file(const char *text, size_t len, mode_t mode)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
resize(off_t size)
{
	assert_int_equal(truncate(path, size), 0);
}

static void
assert_refused(
    int (*take)(const char *, char *), const char *name, const char *reason)
{
	char why[SNAPSHOT_WHY_MAX] = "";

	assert_int_equal(take(name, why), -1);
	assert_string_equal(why, reason);
}

static void
assert_taken(int (*take)(const char *, char *), const char *name, off_t size)
{
	char why[SNAPSHOT_WHY_MAX] = "";
	struct stat st;
	int fd = take(name, why);

	if (fd == -1)
		fail_msg("%s", why);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	close(fd);
}

static void
test_modes(void **state)
{
	static const struct {
		mode_t mode;
		const char *why;
	} table[] = {
		{ 0600, NULL },
		{ 0400, NULL },
		{ 0640, NULL },
		{ 0440, NULL },
		{ 0710, NULL },
		{ 0644, "readable by others (mode 0644)" },
		{ 0604, "readable by others (mode 0604)" },
		{ 0620, "writable by group or others (mode 0620)" },
		{ 0602, "writable by group or others (mode 0602)" },
		{ 0666, "writable by group or others (mode 0666)" },
		{ 04644, "readable by others (mode 4644)" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		write_file("x", 1, table[i].mode);
		if (table[i].why == NULL)
			assert_taken(snapshot_secret, path, 1);
		else
			assert_refused(snapshot_secret, path, table[i].why);
		/* What is no secret may be anybody's. */
		assert_taken(snapshot_file, path, 1);
	}
}

static void
test_owner(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("only root can give a file away\n");
		skip();
	}
	write_file("x", 1, 0600);
	assert_int_equal(chown(path, 1234, 0), 0);
	assert_refused(
	    snapshot_secret, path, "owned by uid 1234, neither root nor us");
	assert_taken(snapshot_file, path, 1);
	/* Ours, and then root's, who we are not. */
	assert_int_equal(seteuid(1234), 0);
	errno = 0;
	assert_refused(snapshot_secret, path, "Permission denied");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(seteuid(1234), 0);
	assert_taken(snapshot_secret, path, 1);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chown(path, 0, 1234), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(setegid(1234), 0);
	assert_int_equal(seteuid(1234), 0);
	assert_taken(snapshot_secret, path, 1);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	assert_int_equal(chmod(dir, 0700), 0);
}

static void
test_sizes(void **state)
{
	(void)state;
	write_file("", 0, 0600);
	assert_refused(snapshot_secret, path, "empty");
	assert_taken(snapshot_file, path, 0);
	resize(CONF_SECRET_MAX + 2);
	assert_taken(snapshot_secret, path, CONF_SECRET_MAX + 2);
	resize(CONF_SECRET_MAX + 3);
	assert_refused(snapshot_secret, path, "longer than 4096 bytes");
	resize(CONF_FILE_MAX);
	assert_taken(snapshot_file, path, CONF_FILE_MAX);
	resize(CONF_FILE_MAX + 1);
	assert_refused(snapshot_file, path, "larger than 1 MiB");
}

static void
test_kinds(void **state)
{
	(void)state;
	(void)unlink(path);
	assert_refused(snapshot_file, path, "No such file or directory");
	assert_refused(snapshot_secret, path, "No such file or directory");
	assert_refused(snapshot_file, dir, "Is a directory");
	assert_refused(snapshot_secret, dir, "Is a directory");
	assert_refused(snapshot_file, "/dev/null", "not a regular file");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(snapshot_file, path, "not a regular file");
	assert_refused(snapshot_secret, path, "not a regular file");
	write_file("x", 1, 0600);
	assert_taken(snapshot_secret, link_path, 1);
	/* It has no size before it is read, and none to go by. */
	assert_taken(snapshot_file, "/proc/sys/kernel/ostype", 6);
}

/* The copy stays what it was, whatever happens to either. */
static void
test_sealed(void **state)
{
	char why[SNAPSHOT_WHY_MAX], text[16] = "";
	int fd, next = open("/dev/null", O_RDONLY);

	(void)state;
	close(next);
	write_file("first\n", 6, 0600);
	fd = snapshot_secret(path, why);
	assert_int_not_equal(fd, -1);
	write_file("other\n", 6, 0600);
	resize(0);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 7), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), -1);
	assert_ptr_equal(
	    mmap(NULL, 6, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
	    MAP_FAILED);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 6);
	assert_string_equal(text, "first\n");
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
	/* Nothing else is left open. */
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(fd, next);
	close(fd);
}

static int
group_setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	(void)snprintf(link_path, sizeof(link_path), "%s/link", dir);
	return symlink("file", link_path);
}

static int
group_teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(link_path);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_sealed),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
