#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/json_scan.h"
#include "common/utf8.h"

/*
 * A text, how deep it may be nested, and where it is cut: what is taken is
 * taken by json-c, too, which makes strings of UTF-8 of it; and whatever the
 * pieces are, the word is the same.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* In pieces of that size, each in memory of its own. */
static bool
scan_pieces(const uint8_t *text, size_t len, size_t size, unsigned depth_max)
{
	bool good = true, fed;
	struct json_scan s;
	uint8_t *copy;
	size_t n;

	json_scan_start(&s, depth_max);
	for (; len > 0; text += n, len -= n) {
		n = len < size ? len : size;
		if ((copy = malloc(n)) == NULL)
			abort();
		memcpy(copy, text, n);
		fed = json_scan_feed(&s, copy, n);
		free(copy);
		if (fed && !good)
			abort();
		good = fed;
	}
	if (!good && json_scan_complete(&s))
		abort();
	return json_scan_complete(&s);
}

static void
check_string(const char *s, size_t len)
{
	if (!utf8_valid((const uint8_t *)s, len))
		abort();
}

static void
check_value(struct json_object *value, unsigned depth_left)
{
	size_t i;

	switch (json_object_get_type(value)) {
	case json_type_object:
		if (depth_left == 0)
			abort();
		json_object_object_foreach(value, name, member)
		{
			check_string(name, strlen(name));
			check_value(member, depth_left - 1);
		}
		break;
	case json_type_array:
		if (depth_left == 0)
			abort();
		for (i = 0; i < json_object_array_length(value); i++)
			check_value(json_object_array_get_idx(value, i),
			    depth_left - 1);
		break;
	case json_type_string:
		check_string(json_object_get_string(value),
		    (size_t)json_object_get_string_len(value));
		break;
	case json_type_null:
	case json_type_boolean:
	case json_type_double:
	case json_type_int:
		break;
	}
}

/* A number ends with what follows it. */
static void
check_parsed(const uint8_t *text, size_t len, unsigned depth_max)
{
	struct json_tokener *tokener = json_tokener_new_ex((int)depth_max + 1);
	struct json_object *value;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	value = json_tokener_parse_ex(tokener, (const char *)text, (int)len);
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		value = json_tokener_parse_ex(tokener, "", 1);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		abort();
	check_value(value, depth_max);
	json_object_put(value);
	json_tokener_free(tokener);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned depth_max;
	size_t piece;
	bool good;

	if (size < 2)
		return 0;
	depth_max = data[0] % 16 + 1;
	piece = data[1] + (size_t)1;
	data += 2;
	size -= 2;
	good = json_scan_text(data, size, depth_max);
	if (scan_pieces(data, size, piece, depth_max) != good ||
	    scan_pieces(data, size, 1, depth_max) != good)
		abort();
	if (good)
		check_parsed(data, size, depth_max);
	return 0;
}
