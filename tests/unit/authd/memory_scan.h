#ifndef TESTS_UNIT_AUTHD_MEMORY_SCAN_H
#define TESTS_UNIT_AUTHD_MEMORY_SCAN_H

#include "tests/unit/authd/fixture.h"

/*
 * Whether a secret is anywhere in the writable memory of this process.  It is
 * known here byte by byte exclusive-or VEIL only, so that what looks for it
 * is not what is found.
 */

#define VEIL	 0x5a
#define SCAN_LEN 32

/* Other shadows of memory than the process's own make this endless. */
#if defined(__SANITIZE_ADDRESS__)
#define CAN_SCAN false
#else
#define CAN_SCAN true
#endif

struct veiled {
	uint8_t bytes[SCAN_LEN];
};

/* SCAN_LEN random letters, and the same as a string for whoever wants it. */
static inline void
veiled_make(struct veiled *v, char secret[SCAN_LEN + 1])
{
	FILE *f = fopen("/dev/urandom", "r");
	uint8_t byte;
	size_t i;

	assert_non_null(f);
	setbuf(f, NULL);
	for (i = 0; i < SCAN_LEN; i++) {
		assert_int_equal(fread(&byte, 1, 1, f), 1);
		secret[i] = (char)('A' + byte % 26);
		v->bytes[i] = (uint8_t)(secret[i] ^ VEIL);
	}
	secret[SCAN_LEN] = '\0';
	assert_int_equal(fclose(f), 0);
}

static inline bool
scan_half(const uint8_t *at, const uint8_t *half)
{
	size_t i;

	for (i = 0; i < SCAN_LEN / 2; i++)
		if ((at[i] ^ VEIL) != half[i])
			return false;
	return true;
}

/* Half of it is as bad as all of it: free() overwrites what comes first. */
static inline bool
scan_is_here(const uint8_t *at, const struct veiled *v)
{
	return scan_half(at, v->bytes) ||
	       scan_half(at + SCAN_LEN / 2, v->bytes + SCAN_LEN / 2);
}

/* How often it is there; where it is read, nothing is copied. */
static inline size_t
scan(const struct veiled *v)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, to, at;
	size_t found = 0;
	char line[512], mode[8];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 ||
		    mode[0] != 'r' || mode[1] != 'w')
			continue;
		for (at = from; at + SCAN_LEN <= to; at++)
			found += scan_is_here((const uint8_t *)at, v);
	}
	(void)fclose(f);
	return found;
}

#endif
