#include <string.h>

#include "common/utf8.h"

/* Skip ASCII a word at a time: most of what travels is nothing else. */
static size_t
utf8_ascii(const uint8_t *p, size_t len)
{
	uint64_t word;
	size_t i;

	for (i = 0; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		if ((word & 0x8080808080808080ULL) != 0)
			break;
	}
	while (i < len && p[i] < 0x80)
		i++;
	return i;
}

static bool
utf8_lead(struct utf8 *u, uint8_t c)
{
	u->min = 0x80;
	u->max = 0xbf;
	if (c >= 0xc2 && c <= 0xdf) {
		u->need = 1;
	} else if (c >= 0xe0 && c <= 0xef) {
		u->need = 2;
		if (c == 0xe0)
			u->min = 0xa0; /* shorter form exists */
		else if (c == 0xed)
			u->max = 0x9f; /* surrogates */
	} else if (c >= 0xf0 && c <= 0xf4) {
		u->need = 3;
		if (c == 0xf0)
			u->min = 0x90; /* shorter form exists */
		else if (c == 0xf4)
			u->max = 0x8f; /* above U+10FFFF */
	} else
		return false;
	return true;
}

static bool
is_tail(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Skip characters of several bytes that are whole and valid, as long as four
 * bytes are left: one after the other takes four times as long.
 */
static size_t
utf8_wide(const uint8_t *p, size_t len)
{
	struct utf8 u;
	size_t i;

	for (i = 0; len - i >= 4 && utf8_lead(&u, p[i]); i += u.need + 1U)
		if (p[i + 1] < u.min || p[i + 1] > u.max ||
		    (u.need > 1 && !is_tail(p[i + 2])) ||
		    (u.need > 2 && !is_tail(p[i + 3])))
			break;
	return i;
}

bool
utf8_feed(struct utf8 *u, const uint8_t *p, size_t len)
{
	size_t i = 0;

	while (i < len) {
		if (u->need > 0) {
			if (p[i] < u->min || p[i] > u->max)
				return false;
			u->min = 0x80;
			u->max = 0xbf;
			u->need--;
			i++;
			continue;
		}
		i += utf8_ascii(p + i, len - i);
		i += utf8_wide(p + i, len - i);
		if (i < len && p[i] >= 0x80 && !utf8_lead(u, p[i++]))
			return false;
	}
	return true;
}

bool
utf8_complete(const struct utf8 *u)
{
	return u->need == 0;
}

bool
utf8_valid(const uint8_t *p, size_t len)
{
	struct utf8 u = { 0 };

	return utf8_feed(&u, p, len) && utf8_complete(&u);
}
