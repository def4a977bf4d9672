#include "authd/jwt.h"
#include "tests/unit/authd/fixture.h"

/* As the jsonwebtoken package, which the web app uses, made them. */
static const struct {
	const char *secret;
	int64_t user_id;
	const char *username;
	int64_t iat;
	const char *token;
} vectors[] = {
	{ "secret", 1, "octocat", 1700000000,
	    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
	    "eyJ1c2VySWQiOjEsInVzZXJuYW1lIjoib2N0b2NhdCIsImlhdCI6MTcwMDAwMDAw"
	    "MCwiZXhwIjoxNzAwMDAzNjAwfQ."
	    "1CbapCZM4AlTZqROdYbEzebmbg2TdrX7FFsyDE65Etg" },
	{ "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
	  "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
	    9007199254740991, "a\"b\\c\xc3\xa9/<>", 1,
	    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
	    "eyJ1c2VySWQiOjkwMDcxOTkyNTQ3NDA5OTEsInVzZXJuYW1lIjoiYVwiYlxcY8Op"
	    "Lzw-IiwiaWF0IjoxLCJleHAiOjM2MDF9."
	    "lptTlHmwldbN28C1j0B54Xh0jM9ObtAnD3Rxxn0u5zo" },
	{ "\xc3\xa4 key", 42, "orch_583231_mona-lisa_corp", 4102444800,
	    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
	    "eyJ1c2VySWQiOjQyLCJ1c2VybmFtZSI6Im9yY2hfNTgzMjMxX21vbmEtbGlzYV9j"
	    "b3JwIiwiaWF0Ijo0MTAyNDQ0ODAwLCJleHAiOjQxMDI0NDg0MDB9."
	    "M0MdLXp1zRa_SSxWCZAg3A7Lr0aiAOM9lw7LeRzr32o" },
};

static void
test_vectors(void **state)
{
	char token[1024];
	size_t i;

	(void)state;
	assert_int_equal(jwt_init(), 0);
	for (i = 0; i < COUNT(vectors); i++) {
		assert_int_equal(jwt_sign(token, sizeof(token),
				     vectors[i].secret, vectors[i].user_id,
				     vectors[i].username, vectors[i].iat),
		    0);
		assert_string_equal(token, vectors[i].token);
	}
}

/* A buffer of any size that is too small: refused, and nothing left in it. */
static void
test_small_buffers(void **state)
{
	static const char zeroes[1024];
	char token[1024];
	size_t size, needed = strlen(vectors[0].token) + 1;

	(void)state;
	for (size = 0; size < needed + 2; size++) {
		memset(token, 'x', sizeof(token));
		assert_int_equal(
		    jwt_sign(token, size, "secret", 1, "octocat", 1700000000),
		    size < needed ? -1 : 0);
		if (size < needed)
			assert_memory_equal(token, zeroes, size);
		assert_int_equal(token[size], 'x');
	}
	assert_string_equal(token, vectors[0].token);
}

/* Each length modulo 3 of the payload ends without padding. */
static void
test_alphabet(void **state)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-_.";
	char token[4096], name[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(name) - 1; i++) {
		memset(name, 0, sizeof(name));
		memset(name, (int)i + 1, i);
		assert_int_equal(
		    jwt_sign(token, sizeof(token), "k", 1, name, 1), 0);
		assert_int_equal(strspn(token, allowed), strlen(token));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_small_buffers),
		cmocka_unit_test(test_alphabet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
