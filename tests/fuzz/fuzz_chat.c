#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "proxyd/chat_filter.h"

/*
 * A message of the chat socket, in two pieces that the first byte cuts: what
 * passes is read in the same way by whoever reads it, and asks.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* json-c's reading, of which the last member of a name counts. */
static void
check_parsed(const uint8_t *text, size_t len)
{
	struct evbuffer *buffer = evbuffer_new();
	struct json_object *json;
	const char *type;

	evbuffer_add(buffer, text, len);
	json = json_parse(buffer, JSON_DEPTH_MAX);
	if (json == NULL)
		abort();
	type = json_string(json, "type", NULL);
	if (type == NULL || !chat_filter_knows(type, strlen(type)))
		abort();
	json_object_put(json);
	evbuffer_free(buffer);
}

/* Strings and brackets alone: exactly one "type": at depth 1, by its name. */
static void
check_scanned(const uint8_t *text, size_t len)
{
	static const char name[] = "type";
	size_t i, begin = 0, depth = 0, types = 0;
	bool in_string = false, after_colon = false;

	for (i = 0; i < len; i++) {
		if (in_string && text[i] == '\\') {
			if (depth == 1 && !after_colon)
				abort();
			i++;
		} else if (in_string && text[i] == '"') {
			in_string = false;
			types += depth == 1 && !after_colon &&
				 i - begin == strlen(name) &&
				 memcmp(text + begin, name, i - begin) == 0;
		} else if (in_string) {
			continue;
		} else if (text[i] == '"') {
			in_string = true;
			begin = i + 1;
		} else if (text[i] == '{' || text[i] == '[') {
			depth++;
			after_colon = false;
		} else if (text[i] == '}' || text[i] == ']') {
			depth--;
		} else if (depth == 1 && text[i] == ':') {
			after_colon = true;
		} else if (depth == 1 && text[i] == ',') {
			after_colon = false;
		} else if (text[i] == '\0' || text[i] == '\'') {
			abort();
		}
	}
	if (depth != 0 || in_string || types != 1)
		abort();
}

static void
check_answer(const struct chat_filter *f)
{
	struct evbuffer *out = evbuffer_new();
	struct json_object *json;

	if (chat_filter_answer(f, "why", out)) {
		json = json_parse(out, JSON_DEPTH_MAX);
		if (json == NULL || evbuffer_get_length(out) > 1024)
			abort();
		json_object_put(json);
	} else if (evbuffer_get_length(out) > 0)
		abort();
	evbuffer_free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chat_filter f = { 0 };
	size_t first;

	if (size == 0)
		return 0;
	first = *data++ % size;
	size--;
	if (chat_filter_feed(&f, WS_TEXT, data, first, true) != CHAT_MORE)
		abort();
	switch (
	    chat_filter_feed(&f, WS_TEXT, data + first, size - first, false)) {
	case CHAT_MORE:
		abort();
	case CHAT_PASSES:
		if (f.len != size || memcmp(f.text, data, size) != 0)
			abort();
		check_parsed(data, size);
		check_scanned(data, size);
		break;
	case CHAT_HELD:
		check_answer(&f);
		break;
	}
	chat_filter_clear(&f);
	return 0;
}
