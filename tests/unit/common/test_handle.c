#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/handle.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SAMPLE	 HANDLE_PREFIX "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM-_09"

/* Write a string as a handle's message would carry it, and read it. */
static int
pass(const char *text, char got[HANDLE_SIZE])
{
	struct msg_out out;
	struct msg m;
	int rc;

	msg_start(&out, MSG_HANDLE, 1);
	handle_add(&out, text);
	m = (struct msg){
		.type = MSG_HANDLE, .fd = -1, .data = out.data, .len = out.len
	};
	memset(got, 'x', HANDLE_SIZE);
	rc = handle_read(&m, got);
	msg_discard(&out);
	return rc;
}

static void
test_shape(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} table[] = {
		{ SAMPLE, true },
		{ "", false },
		{ HANDLE_PREFIX, false },
		{ "tether-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM-_09", false },
		{ "Tether_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM-_09", false },
		{ " " SAMPLE, false },
		{ SAMPLE "a", false },
		{ SAMPLE "\n", false },
		{ "tether_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM-_0", false },
		{ "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MX0.c2lnbmF0dXJlAAAAA", false },
	};
	char got[HANDLE_SIZE];
	size_t i;

	(void)state;
	assert_int_equal(strlen(SAMPLE), HANDLE_LEN);
	for (i = 0; i < COUNT(table); i++) {
		bool passes = table[i].valid || table[i].text[0] == '\0';

		assert_int_equal(
		    handle_is_valid(table[i].text), table[i].valid);
		assert_int_equal(pass(table[i].text, got), passes ? 0 : -1);
		assert_string_equal(got, passes ? table[i].text : "");
	}
}

/* Every byte at every place. */
static void
test_bytes(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
				       "nopqrstuvwxyz0123456789-_";
	char text[] = SAMPLE, got[HANDLE_SIZE];
	size_t place;
	int byte;

	(void)state;
	for (place = 0; place < HANDLE_LEN; place++) {
		for (byte = 1; byte < 256; byte++) {
			bool valid = place < strlen(HANDLE_PREFIX)
					 ? byte == SAMPLE[place]
					 : strchr(alphabet, byte) != NULL;

			text[place] = (char)byte;
			assert_int_equal(handle_is_valid(text), valid);
			assert_int_equal(pass(text, got), valid ? 0 : -1);
			assert_string_equal(got, valid ? text : "");
		}
		text[place] = SAMPLE[place];
	}
}

/* A string that a page sent may be of any length. */
static void
test_long(void **state)
{
	size_t size = 100000;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', size - 1);
	text[size - 1] = '\0';
	assert_false(handle_is_valid(text));
	memcpy(text, HANDLE_PREFIX, strlen(HANDLE_PREFIX));
	assert_false(handle_is_valid(text));
	text[HANDLE_LEN] = '\0';
	assert_true(handle_is_valid(text));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
