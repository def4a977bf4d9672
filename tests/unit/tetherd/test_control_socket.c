/* The socket's file: rights, what was there before, what stays behind. */

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "tests/unit/common/descriptors.h"
#include "tetherd/control_socket.h"

static char dir[] = "/tmp/control.XXXXXX", path[64];
static struct control_socket s;
static int descriptors;

static mode_t born; /* the mode of the last socket's file at its birth */

/* What happens as soon as there is a file, before it has its rights. */
static void (*at_birth)(void);

/* In place of the C library's: a look at what others may see at once. */
int
bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t len)
{
	const struct sockaddr_un *sun = (const void *)address.__sockaddr__;
	int rc = (int)syscall(SYS_bind, fd, sun, len);
	struct stat st;

	if (rc == 0 && lstat(sun->sun_path, &st) == 0)
		born = st.st_mode & 07777;
	if (rc == 0 && at_birth != NULL)
		at_birth();
	return rc;
}

static int
begin(void **state)
{
	(void)state;
	(void)strlcpy(dir, "/tmp/control.XXXXXX", sizeof(dir));
	descriptors = count_descriptors();
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/tetherd.sock", dir);
	assert_int_equal(setenv("RUNTIME_DIRECTORY", dir, 1), 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	at_birth = NULL;
	control_socket_close(&s);
	assert_int_equal(count_descriptors(), descriptors);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

/* Whether somebody takes clients there. */
static bool
answers(const char *at)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), rc;

	(void)strlcpy(sun.sun_path, at, sizeof(sun.sun_path));
	rc = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	close(fd);
	return rc == 0;
}

static int
listen_at(const char *at, int type)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	(void)strlcpy(sun.sun_path, at, sizeof(sun.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Whether opening it is fatal, in another process. */
static bool
is_fatal(const char *at, const char *group)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		log_set_level(LOG_LEVEL_CRIT);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		control_socket_open(&s, at, group);
		_exit(s.fd != -1 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 2);
	return WEXITSTATUS(status) == 1;
}

static void
test_rights(void **state)
{
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	control_socket_open(&s, path, "");
	assert_int_equal(umask(mask), 0);
	assert_int_equal(born, 0600);
	assert_int_not_equal(s.fd, -1);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_gid, getegid());
	assert_int_equal(s.group, getegid());
	assert_true(answers(path));
	control_socket_close(&s);
	assert_int_equal(lstat(path, &st), -1);
	control_socket_close(&s);
}

static void
test_group(void **state)
{
	struct group *gr;
	struct stat st;
	gid_t gid;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root may set any group\n");
		skip();
	}
	while ((gr = getgrent()) != NULL && gr->gr_gid == getegid())
		continue;
	assert_non_null(gr);
	gid = gr->gr_gid;
	control_socket_open(&s, path, gr->gr_name);
	assert_int_equal(s.group, gid);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_gid, gid);
	assert_int_equal(st.st_mode & 07777, 0660);
	endgrent();
}

static void
test_usual_places(void **state)
{
	char list[128];

	(void)state;
	(void)snprintf(list, sizeof(list), "%s:/nonexistent", dir);
	assert_int_equal(setenv("RUNTIME_DIRECTORY", list, 1), 0);
	control_socket_open(&s, "", "");
	assert_string_equal(s.path, path);
	assert_true(answers(path));
	control_socket_close(&s);
	/* Nowhere: tetherd goes on without. */
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "/nonexistent", 1), 0);
	control_socket_open(&s, NULL, NULL);
	assert_int_equal(s.fd, -1);
	assert_true(is_fatal("/nonexistent/tetherd.sock", ""));
}

static void
test_long(void **state)
{
	char longest[5000];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_true(is_fatal(longest, ""));
	assert_int_equal(setenv("RUNTIME_DIRECTORY", longest, 1), 0);
	longest[200] = '\0';
	assert_true(is_fatal(longest, ""));
	assert_int_equal(setenv("RUNTIME_DIRECTORY", longest, 1), 0);
	control_socket_open(&s, "", "");
	assert_int_equal(s.fd, -1);
}

static void
test_stale(void **state)
{
	(void)state;
	close(listen_at(path, SOCK_SEQPACKET));
	assert_false(answers(path));
	control_socket_open(&s, path, "");
	assert_true(answers(path));
}

/* Others are left alone, whatever they are. */
static void
test_others(void **state)
{
	static const int types[] = { SOCK_SEQPACKET, SOCK_STREAM };
	struct stat before, after;
	int fd;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		fd = i < 2 ? listen_at(path, types[i])
			   : open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
		assert_int_not_equal(fd, -1);
		assert_int_equal(lstat(path, &before), 0);
		assert_true(is_fatal(path, ""));
		control_socket_open(&s, "", "");
		assert_int_equal(s.fd, -1);
		control_socket_close(&s);
		assert_int_equal(lstat(path, &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(before.st_mode, after.st_mode);
		close(fd);
		assert_int_equal(unlink(path), 0);
	}
}

/* One that took our place stays when we go. */
static void
test_replaced(void **state)
{
	char aside[128];
	int fd;

	(void)state;
	(void)snprintf(aside, sizeof(aside), "%s.aside", path);
	control_socket_open(&s, path, "");
	assert_int_equal(rename(path, aside), 0);
	fd = listen_at(path, SOCK_SEQPACKET);
	control_socket_close(&s);
	assert_true(answers(path));
	close(fd);
	assert_int_equal(unlink(aside), 0);
}

static pid_t rival;

/* One that starts when our socket is there, but nobody listens on it yet. */
static void
start_rival(void)
{
	at_birth = NULL;
	rival = fork();
	assert_int_not_equal(rival, -1);
	if (rival == 0) {
		control_socket_open(&s, "", "");
		_exit(s.fd == -1 ? 0 : 1);
	}
	(void)usleep(200000);
}

static void
test_two_at_once(void **state)
{
	int status;

	(void)state;
	close(listen_at(path, SOCK_SEQPACKET));
	at_birth = start_rival;
	control_socket_open(&s, path, "");
	assert_int_equal(waitpid(rival, &status, 0), rival);
	assert_int_equal(status, 0);
	assert_true(answers(path));
}

/* Whoever keeps the lock delays us only. */
static void
test_locked(void **state)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	control_socket_open(&s, path, "");
	assert_true(answers(path));
	close(fd);
}

static char other[128];

/* Somebody who may write the folder puts another socket of ours there. */
static void
link_other(void)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(other, path), 0);
}

static void
test_linked(void **state)
{
	struct stat before, after;
	int fd;

	(void)state;
	(void)snprintf(other, sizeof(other), "%s.other", path);
	fd = listen_at(other, SOCK_SEQPACKET);
	assert_int_equal(chmod(other, 0600), 0);
	assert_int_equal(lstat(other, &before), 0);
	at_birth = link_other;
	control_socket_open(&s, "", "");
	assert_int_equal(s.fd, -1);
	assert_int_equal(lstat(other, &after), 0);
	assert_int_equal(before.st_mode, after.st_mode);
	close(fd);
	assert_int_equal(unlink(other), 0);
}

static void
test_unknown_group(void **state)
{
	(void)state;
	assert_true(is_fatal(path, "no-such-group-here"));
	assert_true(is_fatal("", "no-such-group-here"));
	assert_int_equal(access(path, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rights, begin, end),
		cmocka_unit_test_setup_teardown(test_group, begin, end),
		cmocka_unit_test_setup_teardown(test_usual_places, begin, end),
		cmocka_unit_test_setup_teardown(test_long, begin, end),
		cmocka_unit_test_setup_teardown(test_stale, begin, end),
		cmocka_unit_test_setup_teardown(test_others, begin, end),
		cmocka_unit_test_setup_teardown(test_replaced, begin, end),
		cmocka_unit_test_setup_teardown(test_two_at_once, begin, end),
		cmocka_unit_test_setup_teardown(test_locked, begin, end),
		cmocka_unit_test_setup_teardown(test_linked, begin, end),
		cmocka_unit_test_setup_teardown(test_unknown_group, begin, end),
	};

	s.fd = -1;
	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
