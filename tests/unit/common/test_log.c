#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int sockets[2];

static int
setup(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets);
}

static int
teardown(void **state)
{
	(void)state;
	log_to_stderr("test");
	close(sockets[0]);
	close(sockets[1]);
	return 0;
}

/* The next line, after its level; NULL if there is none. */
static const char *
next_line(int *level)
{
	static char datagram[2 * LOG_LINE_MAX];
	ssize_t n =
	    recv(sockets[0], datagram, sizeof(datagram) - 1, MSG_DONTWAIT);

	if (n < 1)
		return NULL;
	datagram[n] = '\0';
	assert_int_equal(strlen(datagram + 1), n - 1);
	*level = datagram[0];
	return datagram + 1;
}

static void
assert_line(int level, const char *text)
{
	int got;
	const char *line = next_line(&got);

	assert_non_null(line);
	assert_int_equal(got, level);
	assert_string_equal(line, text);
}

static void
test_lines(void **state)
{
	int level;

	(void)state;
	log_to_socket(sockets[1]);
	log_set_level(LOG_LEVEL_TRACE);
	errno = ENOENT;
	log_tracex("trace %u", 0);
	log_debugx("debug %d", 1);
	log_infox("info %s", "2");
	log_warn("can't open %s", "file");
	log_warnx("warn %%");
	assert_int_equal(errno, ENOENT);
	assert_line(LOG_LEVEL_TRACE, "trace 0");
	assert_line(LOG_LEVEL_DEBUG, "debug 1");
	assert_line(LOG_LEVEL_INFO, "info 2");
	assert_line(
	    LOG_LEVEL_WARN, "can't open file: No such file or directory");
	assert_line(LOG_LEVEL_WARN, "warn %");
	log_line(LOG_LEVEL_CRIT, "%s as it is");
	assert_line(LOG_LEVEL_CRIT, "%s as it is");
	log_infox("%s", "");
	assert_line(LOG_LEVEL_INFO, "");
	assert_null(next_line(&level));
}

static void
test_threshold(void **state)
{
	int threshold, level, i;

	(void)state;
	log_to_socket(sockets[1]);
	for (threshold = LOG_LEVEL_CRIT; threshold < LOG_LEVEL_COUNT;
	     threshold++) {
		log_set_level((enum log_level)threshold);
		assert_int_equal(log_get_level(), threshold);
		log_warnx("w");
		log_infox("i");
		log_debugx("d");
		log_tracex("t");
		for (i = LOG_LEVEL_WARN; i <= threshold; i++)
			assert_non_null(next_line(&level));
		assert_null(next_line(&level));
	}
}

/* Around the longest line, with and without the text of errno. */
static void
test_cut(void **state)
{
	char text[2 * LOG_LINE_MAX], expected[2 * LOG_LINE_MAX];
	const char *line;
	size_t len;
	int level, with_error;

	(void)state;
	log_to_socket(sockets[1]);
	for (len = LOG_LINE_MAX - 30; len < LOG_LINE_MAX + 10; len++)
		for (with_error = 0; with_error < 2; with_error++) {
			memset(text, 'x', len);
			text[len] = '\0';
			errno = EACCES;
			if (with_error)
				log_warn("%s", text);
			else
				log_warnx("%s", text);
			(void)strlcpy(expected, text, sizeof(expected));
			if (with_error)
				(void)strlcat(expected, ": Permission denied",
				    sizeof(expected));
			expected[LOG_LINE_MAX - 1] = '\0';
			line = next_line(&level);
			assert_non_null(line);
			assert_string_equal(line, expected);
		}
	/* A ready line may be longer: it is cut, too. */
	memset(text, 'y', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_line(LOG_LEVEL_INFO, text);
	line = next_line(&level);
	assert_non_null(line);
	assert_int_equal(strlen(line), LOG_LINE_MAX);
}

/* A socket that nobody reads loses lines and blocks nobody. */
static void
test_full(void **state)
{
	int level, i, n = 0;

	(void)state;
	log_to_socket(sockets[1]);
	errno = EPERM;
	for (i = 0; i < 100000; i++)
		log_infox("line %d", i);
	assert_int_equal(errno, EPERM);
	while (next_line(&level) != NULL)
		n++;
	assert_in_range(n, 1, 99999);
	log_infox("after");
	assert_line(LOG_LEVEL_INFO, "after");
	/* Nor does one whose other end is gone. */
	close(sockets[0]);
	errno = EPERM;
	log_infox("nobody");
	assert_int_equal(errno, EPERM);
	sockets[0] = dup(STDIN_FILENO);
}

static void
test_fatal(void **state)
{
	static const char *const lines[] = { "x: Permission denied", "x" };
	int status, i;
	pid_t pid;

	(void)state;
	log_to_socket(sockets[1]);
	log_set_level(LOG_LEVEL_CRIT);
	for (i = 0; i < (int)COUNT(lines); i++) {
		(void)fflush(NULL);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			errno = EACCES;
			if (i == 0)
				fatal("%s", "x");
			fatalx("%s", "x");
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
		assert_line(LOG_LEVEL_CRIT, lines[i]);
	}
}

static void
test_stderr(void **state)
{
	char text[256] = "";
	int saved = dup(STDERR_FILENO), pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_not_equal(dup2(pipe_fds[1], STDERR_FILENO), -1);
	log_to_stderr("prog");
	log_infox("a %s", "line");
	log_debugx("not this one");
	assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
	close(pipe_fds[1]);
	assert_true(read(pipe_fds[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "prog: a line\n");
	close(pipe_fds[0]);
	close(saved);
}

/* Fails unless the next line of the file is the text, stamped. */
static void
assert_stamped(FILE *f, const char *text)
{
	char line[2 * LOG_LINE_MAX], expected[2 * LOG_LINE_MAX];
	struct tm tm = { 0 };
	char *rest;

	assert_non_null(fgets(line, sizeof(line), f));
	rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &tm);
	assert_non_null(rest);
	assert_true(labs((long)(timegm(&tm) - time(NULL))) < 60);
	assert_int_equal(strspn(rest + 1, "0123456789"), 3);
	(void)snprintf(expected, sizeof(expected), "Z prog[%d]: %s\n",
	    (int)getpid(), text);
	assert_int_equal(rest[0], '.');
	assert_string_equal(rest + 4, expected);
}

static void
test_file(void **state)
{
	char directory[] = "/tmp/test_log.XXXXXX", path[64], old[64];
	char longest[2 * LOG_LINE_MAX];
	mode_t mask = umask(077);
	struct stat st;
	FILE *f;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/log", directory);
	(void)snprintf(old, sizeof(old), "%s/old", directory);
	fd = log_file_open(path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(umask(mask), 077);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	log_to_file("prog", fd);
	log_infox("one");
	errno = EACCES;
	log_warn("two");
	assert_int_equal(errno, EACCES);

	/* It is not cut when it is opened again. */
	log_to_file("prog", log_file_open(path));
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	log_infox("three");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	log_infox("%s", longest);
	assert_int_equal(rename(path, old), 0);
	log_infox("four");
	log_to_file("prog", log_file_open(path));
	log_infox("five");

	f = fopen(old, "r");
	assert_non_null(f);
	assert_stamped(f, "one");
	assert_stamped(f, "two: Permission denied");
	assert_stamped(f, "three");
	longest[LOG_LINE_MAX - 1] = '\0';
	assert_stamped(f, longest);
	assert_stamped(f, "four");
	assert_int_equal(fgetc(f), EOF);
	(void)fclose(f);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_stamped(f, "five");
	(void)fclose(f);

	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(old), 0);
	assert_int_equal(log_file_open(directory), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(log_file_open(path), -1);
	assert_int_equal(errno, EINVAL);
	close(fd);
	assert_int_equal(unlink(path), 0);

	/* Links are followed, or not. */
	assert_int_equal(symlink(old, path), 0);
	fd = log_file_open(path);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(log_file_open_no_link(path), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlink(path), 0);
	fd = log_file_open_no_link(old);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(unlink(old), 0);
	assert_int_equal(rmdir(directory), 0);
}

/* What syslog(3) is told. */
static int priority;
static char message[LOG_AUDIT_MAX];

void __syslog_chk(int, int, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static void __attribute__((format(printf, 2, 0)))
keep(int pri, const char *format, va_list ap)
{
	priority = pri;
	(void)vsnprintf(message, sizeof(message), format, ap);
}

/* In place of the C library's, with and without _FORTIFY_SOURCE. */
void
__syslog_chk(int pri, int flag, const char *format, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, format);
	keep(pri, format, ap);
	va_end(ap);
}

void
syslog(int pri, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	keep(pri, format, ap);
	va_end(ap);
}

/* The audit log has a facility of its own, and else no other place. */
static void
test_audit(void **state)
{
	char line[LOG_AUDIT_MAX], text[2 * LOG_AUDIT_MAX] = "";
	char path[] = "/tmp/test_log.XXXXXX";
	int fd;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	log_to_syslog("prog");
	log_audit_line("audit: %s");
	assert_int_equal(priority, LOG_AUTHPRIV | LOG_INFO);
	assert_string_equal(message, "audit: %s");
	log_line(LOG_LEVEL_WARN, "other");
	assert_int_equal(priority, LOG_WARNING);
	/* A long one is not cut. */
	log_audit_line(line);
	assert_string_equal(message, line);
	fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	log_to_file("prog", dup(fd));
	log_audit_line(line);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > LOG_AUDIT_MAX);
	assert_non_null(strstr(text, line));
	log_to_stderr("prog");
	close(fd);
	assert_int_equal(unlink(path), 0);
}

static void
test_time(void **state)
{
	char text[LOG_TIME_SIZE];
	unsigned year, n, i;
	static const char form[] = "0000-00-00T00:00:00.000Z";

	(void)state;
	assert_ptr_equal(log_time(text), text);
	assert_int_equal(strlen(text), strlen(form));
	for (i = 0; i < strlen(form); i++)
		if (form[i] == '0')
			assert_in_range(text[i], '0', '9');
		else
			assert_int_equal(text[i], form[i]);
	n = (unsigned)sscanf(text, "%u", &year);
	assert_int_equal(n, 1);
	assert_in_range(year, 2024, 9999);
}

static void
test_safe(void **state)
{
	char all[257], dst[512], small[4];
	int c;

	(void)state;
	for (c = 1; c < 256; c++)
		all[c - 1] = (char)c;
	all[255] = '\0';
	assert_ptr_equal(log_safe(dst, sizeof(dst), all), dst);
	assert_int_equal(strlen(dst), 255);
	for (c = 1; c < 256; c++)
		assert_int_equal(dst[c - 1], c >= ' ' && c <= '~' ? c : '?');
	assert_string_equal(log_safe(small, sizeof(small), ""), "");
	assert_string_equal(log_safe(small, sizeof(small), "abc"), "abc");
	assert_string_equal(log_safe(small, sizeof(small), "abcd"), "abc");
	assert_string_equal(log_safe(small, sizeof(small), "a\n\x1b["), "a??");
	assert_string_equal(log_safe(small, 1, "abc"), "");
	assert_int_equal(small[1], '?'); /* not touched */
	/* In place. */
	assert_string_equal(log_safe(all, sizeof(all), all), dst);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_threshold, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fatal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stderr, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
