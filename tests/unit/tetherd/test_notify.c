#include <sys/socket.h>
#include <sys/un.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "tetherd/notify.h"

/* A service manager's socket under that name; '@' is the abstract space. */
static int
listen_at(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_int_not_equal(fd, -1);
	assert_true(strlcpy(sun.sun_path, name, sizeof(sun.sun_path)) <
		    sizeof(sun.sun_path));
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, len), 0);
	return fd;
}

static void
assert_notified(const char *name)
{
	char text[64];
	int fd = listen_at(name);
	ssize_t n;

	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	notify("READY=1");
	n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	assert_int_equal(n, 7);
	assert_memory_equal(text, "READY=1", 7);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	close(fd);
}

static void
test_sockets(void **state)
{
	char dir[] = "/tmp/notify.XXXXXX", path[64], abstract[80];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	(void)snprintf(abstract, sizeof(abstract), "@%s", path);
	assert_notified(path);
	assert_notified(abstract);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* None, or none that can be: nothing happens, and nothing is fatal. */
static void
test_nowhere(void **state)
{
	char longest[200];

	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	notify("READY=1");
	assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
	notify("READY=1");
	assert_int_equal(setenv("NOTIFY_SOCKET", "/nonexistent/x", 1), 0);
	notify("READY=1");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", longest, 1), 0);
	notify("READY=1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_nowhere),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
