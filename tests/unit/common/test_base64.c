#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"

static const struct {
	const char *plain;
	const char *encoded;
} vectors[] = {
	/* RFC 4648 section 10 */
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xff\xfe\xfb\xf0", "//778A==" },
};
#define NVECTORS (sizeof(vectors) / sizeof(vectors[0]))

/* Encode in pieces that end at a and b. */
static void
check_encode(const char *plain, size_t a, size_t b, const char *encoded)
{
	const uint8_t *in = (const uint8_t *)plain;
	size_t len = strlen(plain), n = 0;
	struct base64 state = { 0 };
	char out[64];

	n += base64_feed(&state, in, a, out + n);
	n += base64_feed(&state, in + a, b - a, out + n);
	n += base64_feed(&state, in + b, len - b, out + n);
	n += base64_finish(&state, out + n);
	assert_int_equal(n, strlen(encoded));
	assert_memory_equal(out, encoded, n);
	assert_true(n <= BASE64_SIZE(len));
}

static void
test_encode(void **state)
{
	size_t i, a, b, len;

	(void)state;
	for (i = 0; i < NVECTORS; i++) {
		len = strlen(vectors[i].plain);
		for (a = 0; a <= len; a++)
			for (b = a; b <= len; b++)
				check_encode(
				    vectors[i].plain, a, b, vectors[i].encoded);
	}
}

static void
test_decode(void **state)
{
	char buffer[64];
	ssize_t n;
	size_t i;

	(void)state;
	for (i = 0; i < NVECTORS; i++) {
		(void)strlcpy(buffer, vectors[i].encoded, sizeof(buffer));
		/* in place, as is allowed */
		n = base64_decode(buffer, strlen(buffer), (uint8_t *)buffer);
		assert_int_equal(n, strlen(vectors[i].plain));
		assert_memory_equal(buffer, vectors[i].plain, (size_t)n);
	}
}

static void
test_decode_refuses(void **state)
{
	static const char *const bad[] = {
		"Z",
		"Zg",
		"Zg=",
		"Zg===",
		"====",
		"Z===",
		"Zh==", /* bits behind the last byte */
		"Zm9=",
		"Zg==Zg==",
		"Zm=v",
		"Zm9\n",
		" Zm9",
		"Zm9-",
		"Zm9_",
		"Zm9v\n",
		"\xff\xff\xff\xff",
	};
	uint8_t out[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    base64_decode(bad[i], strlen(bad[i]), out), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
