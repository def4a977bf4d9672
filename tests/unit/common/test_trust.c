#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "common/slice.h"
#include "common/trust.h"
#include "tests/unit/common/certificate.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char *first, *second; /* certificates, PEM */

static int
count_of(const struct trust *trust)
{
	return sk_X509_OBJECT_num(
	    X509_STORE_get0_objects(SSL_CTX_get_cert_store(trust->ctx)));
}

/* 1 and 2 stand for the two certificates, < for the beginning of one. */
static const struct {
	const char *parts;
	int count; /* that are trusted then */
	const char *why;
} table[] = {
	{ "1", 1, NULL },
	{ "12", 2, NULL },
	{ "11", 1, NULL },
	{ "# my own\n1\nand another one:\n2\nthe end", 2, NULL },
	{ "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n2", 1,
	    NULL },
	{ "", 0, "ca file: /ca.pem: no certificates in it" },
	{ "\n\n", 0, "ca file: /ca.pem: no certificates in it" },
	{ "garbage", 0, "ca file: /ca.pem: no certificates in it" },
	{ "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0,
	    "ca file: /ca.pem: no certificates in it" },
	{ "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", 0,
	    "ca file: /ca.pem: bad base64 decode" },
	{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0,
	    "ca file: /ca.pem: " },
	{ "<", 0, "ca file: /ca.pem: bad end line" },
	{ "1<", 0, "ca file: /ca.pem: bad end line" },
	{ "1-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n2", 0,
	    "ca file: /ca.pem: " },
	/* Nobody is asked for a password. */
	{ "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
	  "DEK-Info: DES-CBC,0033445566778899\n\nAAAAAAAAAAA=\n"
	  "-----END CERTIFICATE-----\n",
	    0, "ca file: /ca.pem: " },
};

static char *
text_of(const char *parts)
{
	static char text[16384];

	text[0] = '\0';
	for (; *parts != '\0'; parts++) {
		size_t n = strlen(text);

		if (*parts == '1')
			(void)strlcat(text, first, sizeof(text));
		else if (*parts == '2')
			(void)strlcat(text, second, sizeof(text));
		else if (*parts == '<')
			(void)strlcat(text, first, n + 200);
		else {
			text[n] = *parts;
			text[n + 1] = '\0';
		}
	}
	return text;
}

static void
test_files(void **state)
{
	struct trust trust, before;
	const char *text, *why;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		memset(&trust, 0, sizeof(trust));
		trust.digest[0] = 1;
		before = trust;
		text = text_of(table[i].parts);
		fd = file_of(text, strlen(text));
		why = trust_read_file(&trust, "/ca.pem", fd);
		if (table[i].why == NULL) {
			if (why != NULL)
				fail_msg("%s: %s", table[i].parts, why);
			assert_int_equal(count_of(&trust), table[i].count);
		} else {
			if (why == NULL)
				fail_msg("%s: accepted", table[i].parts);
			assert_memory_equal(
			    why, table[i].why, strlen(table[i].why));
			assert_true(strlen(why) > strlen("ca file: /ca.pem: "));
			assert_memory_equal(&trust, &before, sizeof(trust));
		}
		/* Still the caller's, and good for another time. */
		assert_int_equal(lseek(fd, 0, SEEK_CUR), strlen(text));
		close(fd);
		trust_clear(&trust);
	}
}

/* Every cut of a file: never a crash, and only a whole one is trusted. */
static void
test_cut(void **state)
{
	size_t n, len = strlen(first);
	struct trust trust = { 0 };
	const char *why;
	int fd;

	(void)state;
	for (n = 0; n < len; n++) {
		fd = file_of(first, n);
		why = trust_read_file(&trust, "x", fd);
		close(fd);
		/* The last line may lack its newline. */
		if (n < len - 1)
			assert_non_null(why);
		trust_clear(&trust);
	}
}

static void
test_size(void **state)
{
	char *text = malloc(CONF_FILE_MAX + 1);
	struct trust trust = { 0 };
	int fd;

	(void)state;
	memset(text, '\n', CONF_FILE_MAX + 1);
	memcpy(text + CONF_FILE_MAX - strlen(first), first, strlen(first));
	fd = file_of(text, CONF_FILE_MAX);
	assert_null(trust_read_file(&trust, "x", fd));
	assert_int_equal(count_of(&trust), 1);
	trust_clear(&trust);
	assert_int_equal(write(fd, "\n", 1), 1);
	assert_string_equal(
	    trust_read_file(&trust, "x", fd), "ca file: x: larger than 1 MiB");
	close(fd);
	free(text);
}

static void
test_unreadable(void **state)
{
	struct trust trust = { 0 };
	char path[4096];

	(void)state;
	assert_string_equal(trust_read_file(&trust, "x", -1),
	    "ca file: x: Bad file descriptor");
	/* The reason still fits into a message. */
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_non_null(strstr(
	    trust_read_file(&trust, path, -1), "x: Bad file descriptor"));
}

static void
test_same(void **state)
{
	struct trust a = { 0 }, b = { 0 }, c = { 0 }, nobody = { 0 };
	struct trust system = { 0 }, copy;
	int fd = file_of(first, strlen(first));

	(void)state;
	assert_null(trust_read_file(&a, "x", fd));
	assert_null(trust_read_file(&b, "y", fd));
	close(fd);
	fd = file_of(second, strlen(second));
	assert_null(trust_read_file(&c, "x", fd));
	close(fd);
	trust_read_system(&system);
	trust_copy(&copy, &system);
	assert_true(trust_is_same(&a, &b));
	assert_false(trust_is_same(&a, &c));
	assert_false(trust_is_same(&a, &system));
	assert_false(trust_is_same(&a, &nobody));
	assert_false(trust_is_same(&system, &nobody));
	assert_true(trust_is_same(&nobody, &nobody));
	assert_true(trust_is_same(&system, &copy));
	trust_clear(&system);
	trust_clear(&a);
	assert_true(trust_is_same(&a, &nobody));
	/* Nobody is trusted without a check. */
	assert_int_equal(SSL_CTX_get_verify_mode(copy.ctx), SSL_VERIFY_PEER);
	assert_int_equal(SSL_CTX_get_verify_mode(b.ctx), SSL_VERIFY_PEER);
	assert_int_equal(SSL_CTX_get_min_proto_version(b.ctx), TLS1_2_VERSION);
	trust_copy(&system, &nobody);
	assert_true(trust_is_same(&system, &nobody));
	trust_clear(&copy);
	trust_clear(&b);
	trust_clear(&c);
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_not_equal(fputs(text, file), EOF);
	assert_int_equal(fclose(file), 0);
}

/* All of it is there at once, and no file is looked for later. */
static void
test_system(void **state)
{
	static const char *const others[] = { "README", "second.pem",
		"5ed36f9.0", "5ed36f990.0", "5ed36f99", "5ed36f99.",
		"5ed36f99.r0", "5ED36F99.0" };
	struct trust system = { 0 };
	char dir[] = "/tmp/trust.XXXXXX", file[64], path[64];
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/file", dir);
	write_file(file, first);
	assert_int_equal(setenv("SSL_CERT_FILE", file, 1), 0);
	assert_int_equal(setenv("SSL_CERT_DIR", dir, 1), 0);
	for (i = 0; i < COUNT(others); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, others[i]);
		write_file(path, second);
	}
	trust_read_system(&system);
	assert_int_equal(count_of(&system), 1);
	trust_clear(&system);
	(void)snprintf(path, sizeof(path), "%s/5ed36f99.10", dir);
	write_file(path, second);
	trust_read_system(&system);
	assert_int_equal(count_of(&system), 2);
	trust_clear(&system);
	/* Garbage, and nothing at all: nobody is trusted then. */
	write_file(path, "-----BEGIN CERTIFICATE-----\n");
	(void)unlink(file);
	trust_read_system(&system);
	assert_int_equal(count_of(&system), 0);
	assert_int_equal(ERR_peek_error(), 0);
	trust_clear(&system);
	(void)unlink(path);
	for (i = 0; i < COUNT(others); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, others[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
	trust_read_system(&system);
	assert_int_equal(count_of(&system), 0);
	trust_clear(&system);
	(void)unsetenv("SSL_CERT_FILE");
	(void)unsetenv("SSL_CERT_DIR");
}

static int
group_setup(void **state)
{
	(void)state;
	first = certificate_new("first");
	second = certificate_new("second");
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	free(first);
	free(second);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_system),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
