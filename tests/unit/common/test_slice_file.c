#include <sys/mman.h>

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

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A file with that in it, read to its end already. */
static int
make_file(const char *text, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	return fd;
}

static void
assert_closed(int fd)
{
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static struct authd_conf
make_conf(void)
{
	struct authd_conf c = { .token = strdup("from the environment") };

	c.jwt_secret = strdup("old");
	return c;
}

#define BOTH  (-1)
#define TOKEN CONF_FILE_TOKEN
#define JWT   CONF_FILE_JWT_SECRET

static const struct {
	int which;
	const char *text;
	size_t len;
	const char *secret; /* NULL for none: */
	const char *why;
} table[] = {
#define ROW(which, text, secret, why)                      \
	{                                                  \
		which, text, sizeof(text) - 1, secret, why \
	}
	ROW(BOTH, "secret", "secret", NULL),
	ROW(BOTH, "secret\n", "secret", NULL),
	ROW(BOTH, "secret\r\n", "secret", NULL),
	ROW(BOTH, "x", "x", NULL),
	ROW(BOTH, "!#$%&\"'()*+,-./:;<=>?@[\\]^_`{|}~",
	    "!#$%&\"'()*+,-./:;<=>?@[\\]^_`{|}~", NULL),
	ROW(BOTH, "", NULL, "empty"),
	ROW(BOTH, "\n", NULL, "empty"),
	ROW(BOTH, "\r\n", NULL, "empty"),
	ROW(BOTH, "a\0b", NULL, "contains a NUL"),
	ROW(BOTH, "secret\0\n", NULL, "contains a NUL"),
	ROW(BOTH, "secret\n\n", NULL, "more than one line"),
	ROW(BOTH, "# mine\nsecret\n", NULL, "more than one line"),
	ROW(BOTH, "\nsecret", NULL, "more than one line"),
	/* Texts of any kind are secrets, but not tokens. */
	ROW(JWT, " two words\t", " two words\t", NULL),
	ROW(JWT, "caf\xc3\xa9\n", "caf\xc3\xa9", NULL),
	ROW(JWT, "a\rb", "a\rb", NULL),
#define BAD "contains characters that have no place in a token"
	ROW(TOKEN, "two words", NULL, BAD),
	ROW(TOKEN, "secret \n", NULL, BAD),
	ROW(TOKEN, "secret\t", NULL, BAD),
	ROW(TOKEN, "sec\rret", NULL, BAD),
	ROW(TOKEN, "caf\xc3\xa9", NULL, BAD),
	ROW(TOKEN, "del\x7f", NULL, BAD),
	ROW(TOKEN, "\x1b[0m", NULL, BAD),
};

static void
check(enum conf_file which, const char *name, size_t i)
{
	struct authd_conf c = make_conf();
	char *const *secret = which == CONF_FILE_TOKEN	      ? &c.token
			      : which == CONF_FILE_JWT_SECRET ? &c.jwt_secret
							      : &c.github_token;
	int fd = make_file(table[i].text, table[i].len);
	const char *why;
	char wanted[128];

	why = slice_authd.get_file(&c, which, "/etc/x", fd);
	assert_closed(fd);
	if (table[i].secret != NULL) {
		if (why != NULL)
			fail_msg("%zu: %s", i, why);
		assert_string_equal(*secret, table[i].secret);
	} else {
		(void)snprintf(wanted, sizeof(wanted), "%s: /etc/x: %s", name,
		    table[i].why);
		assert_non_null(why);
		assert_string_equal(why, wanted);
	}
	slice_authd.clear(&c);
}

static void
test_secrets(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		if (table[i].which != (int)JWT) {
			check(CONF_FILE_TOKEN, "token file", i);
			check(CONF_FILE_GITHUB_TOKEN, "github token file", i);
		}
		if (table[i].which != (int)TOKEN)
			check(CONF_FILE_JWT_SECRET, "jwt secret file", i);
	}
}

/* Never a part of one that is too long, wherever it could be cut. */
static void
test_length(void **state)
{
	static const char *const tails[] = { "", "\n", "\r\n" };
	char text[CONF_SECRET_MAX + 16];
	const char *why;
	size_t len, i;

	(void)state;
	for (len = CONF_SECRET_MAX - 2; len < CONF_SECRET_MAX + 8; len++) {
		for (i = 0; i < COUNT(tails); i++) {
			struct authd_conf c = make_conf();

			memset(text, 's', len);
			(void)strlcpy(text + len, tails[i], sizeof(text) - len);
			why = slice_authd.get_file(&c, CONF_FILE_TOKEN, "/x",
			    make_file(text, strlen(text)));
			if (len <= CONF_SECRET_MAX) {
				assert_null(why);
				assert_int_equal(strlen(c.token), len);
			} else
				assert_string_equal(why,
				    "token file: /x: longer than 4096 bytes");
			slice_authd.clear(&c);
		}
	}
	/* What would end it just where it is read to. */
	for (len = CONF_SECRET_MAX - 1; len < CONF_SECRET_MAX + 4; len++) {
		struct authd_conf c = make_conf();

		memset(text, 's', sizeof(text));
		text[len] = '\n';
		why = slice_authd.get_file(&c, CONF_FILE_JWT_SECRET, "/x",
		    make_file(text, sizeof(text)));
		assert_string_equal(
		    why, "jwt secret file: /x: longer than 4096 bytes");
		assert_string_equal(c.jwt_secret, "old");
		slice_authd.clear(&c);
	}
}

static void
test_unreadable(void **state)
{
	struct authd_conf c = make_conf();
	int fd = open("/", O_RDONLY | O_DIRECTORY);
	char path[1024];
	const char *why;

	(void)state;
	why = slice_authd.get_file(&c, CONF_FILE_TOKEN, "/", fd);
	assert_string_equal(why, "token file: /: Is a directory");
	assert_closed(fd);
	/* The name of a file may be longer than a reason. */
	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	why = slice_authd.get_file(
	    &c, CONF_FILE_JWT_SECRET, path, make_file("", 0));
	assert_int_equal(strncmp(why, "jwt secret file: ppp", 20), 0);
	slice_authd.clear(&c);
}

static void
test_not_for_this_process(void **state)
{
	static const struct slice_type *const types[] = { &slice_proxyd,
		&slice_dialer };
	struct connector_conf connector = { .ca_fd = -1 };
	struct authd_conf authd = make_conf();
	size_t i;
	int fd, which;

	(void)state;
	for (which = 0; which < CONF_FILE_COUNT; which++) {
		for (i = 0; i < COUNT(types); i++) {
			fd = make_file("x", 1);
			assert_non_null(types[i]->get_file(
			    NULL, (enum conf_file)which, "/x", fd));
			assert_closed(fd);
		}
		if (which == CONF_FILE_CA)
			continue;
		fd = make_file("x", 1);
		assert_non_null(slice_connector.get_file(
		    &connector, (enum conf_file)which, "/x", fd));
		assert_closed(fd);
	}
	fd = make_file("x", 1);
	assert_non_null(slice_authd.get_file(&authd, CONF_FILE_CA, "/x", fd));
	assert_closed(fd);
	slice_authd.clear(&authd);
}

/* The connector keeps the file, one of them. */
static void
test_ca(void **state)
{
	struct connector_conf c = { .ca_fd = -1 };
	int first = make_file("x", 1), second = make_file("y", 1);

	(void)state;
	assert_null(slice_connector.get_file(&c, CONF_FILE_CA, "/x", first));
	assert_int_equal(c.ca_fd, first);
	assert_non_null(
	    slice_connector.get_file(&c, CONF_FILE_CA, "/y", second));
	assert_int_equal(c.ca_fd, first);
	assert_closed(second);
	slice_connector.clear(&c);
	assert_int_equal(c.ca_fd, -1);
	assert_closed(first);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_not_for_this_process),
		cmocka_unit_test(test_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
