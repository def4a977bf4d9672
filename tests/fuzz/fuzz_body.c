#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/base64.h"
#include "common/utf8.h"
#include "proxyd/answer.h"
#include "proxyd/body.h"
#include "proxyd/headers.h"

/*
 * Any bytes as a body in any pieces: the composed message, parsed by
 * another's parser, must give the same bytes back, as text exactly when
 * they are UTF-8.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(struct json_object *json, bool base64, const uint8_t *data, size_t size)
{
	struct json_object *member;
	const char *content;
	ssize_t len;
	uint8_t *back;

	if (!json_object_object_get_ex(json, "body", &member) ||
	    (content = json_object_get_string(member)) == NULL)
		abort();
	len = json_object_get_string_len(member);
	if ((back = malloc((size_t)len + 1)) == NULL)
		abort();
	if (base64)
		len = base64_decode(content, (size_t)len, back);
	else
		memcpy(back, content, (size_t)len);
	if ((size_t)len != size || memcmp(back, data, size) != 0)
		abort();
	free(back);
}

/* The first byte says how to feed the rest. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct headers headers = { .lines_max = 256, .size_max = 131072 };
	struct json_object *json;
	struct evbuffer *message;
	struct body body;
	size_t i, n, piece;
	bool text, base64;

	if (size == 0)
		return 0;
	text = data[0] % 4 != 0;
	piece = 1 + data[0] / 4;
	data++;
	size--;
	if (body_start(&body, text, SIZE_MAX) == -1)
		abort();
	for (i = 0; i < size; i += n) {
		n = size - i < piece ? size - i : piece;
		if (body_feed(&body, data + i, n) == -1)
			abort();
	}
	if (body_finish(&body) == -1)
		abort();
	base64 = body_is_base64(&body);
	if (base64 != (!text || !utf8_valid(data, size)))
		abort();
	message = answer_compose("1", 1, 200, &headers, 0, &body);
	if (message == NULL || evbuffer_add(message, "", 1) == -1)
		abort();
	json = json_tokener_parse((char *)evbuffer_pullup(message, -1));
	if (json == NULL)
		abort();
	check(json, base64, data, size);
	json_object_put(json);
	evbuffer_free(message);
	body_clear(&body);
	return 0;
}
