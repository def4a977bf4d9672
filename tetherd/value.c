#include <inttypes.h>
#include <string.h>

#include "tetherd/value.h"

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* From the largest down: the first that divides a value makes it short. */
static const struct unit time_units[] = { { "d", 86400000 }, { "h", 3600000 },
	{ "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 } };
static const struct unit size_units[] = { { "G", 1 << 30 }, { "M", 1 << 20 },
	{ "K", 1 << 10 }, { "", 1 }, { NULL, 0 } };

/* Returns what stands behind the digits, or NULL if there are none. */
static const char *
read_digits(const char *s, uint64_t *n)
{
	size_t digits = strspn(s, "0123456789"), i;

	if (digits == 0)
		return NULL;
	for (i = 0, *n = 0; i < digits; i++)
		if (__builtin_mul_overflow(*n, 10, n) ||
		    __builtin_add_overflow(*n, s[i] - '0', n))
			return NULL;
	return s + digits;
}

static bool
read_with_unit(
    const char *s, const struct unit *u, const char *bare, uint64_t *value)
{
	uint64_t n;
	const char *suffix = read_digits(s, &n);

	if (suffix == NULL)
		return false;
	if (*suffix == '\0')
		suffix = bare;
	while (u->suffix != NULL && strcmp(u->suffix, suffix) != 0)
		u++;
	if (u->suffix == NULL || __builtin_mul_overflow(n, u->factor, &n))
		return false;
	*value = n;
	return true;
}

bool
value_number(const char *s, uint64_t *value)
{
	uint64_t n;
	const char *rest = read_digits(s, &n);

	if (rest == NULL || *rest != '\0')
		return false;
	*value = n;
	return true;
}

bool
value_duration(const char *s, uint64_t *ms)
{
	return read_with_unit(s, time_units, "s", ms);
}

bool
value_size(const char *s, uint64_t *bytes)
{
	return read_with_unit(s, size_units, "", bytes);
}

static char *
write_with_unit(char dst[VALUE_TEXT_MAX], const struct unit *u, uint64_t n)
{
	if (n == 0)
		return value_number_text(dst, 0);
	while (n % u->factor != 0)
		u++;
	(void)snprintf(
	    dst, VALUE_TEXT_MAX, "%" PRIu64 "%s", n / u->factor, u->suffix);
	return dst;
}

char *
value_number_text(char dst[VALUE_TEXT_MAX], uint64_t n)
{
	(void)snprintf(dst, VALUE_TEXT_MAX, "%" PRIu64, n);
	return dst;
}

char *
value_duration_text(char dst[VALUE_TEXT_MAX], uint64_t ms)
{
	return write_with_unit(dst, time_units, ms);
}

char *
value_size_text(char dst[VALUE_TEXT_MAX], uint64_t bytes)
{
	return write_with_unit(dst, size_units, bytes);
}

void
value_quote(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc('"', f);
}
