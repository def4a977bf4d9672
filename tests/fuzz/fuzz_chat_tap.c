/*
 * What travels on a chat socket, cut where the input says: a message is the
 * same in one piece and in many, and reading it never goes wrong.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proxyd/chat_peek.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chat_peek whole, parts;
	size_t step, at, len;

	if (size == 0)
		return 0;
	memset(&whole, 0, sizeof(whole));
	memset(&parts, 0, sizeof(parts));
	step = data[0] % 16 + 1;
	data++;
	size--;
	chat_peek_start(&whole);
	chat_peek_feed(&whole, data, size);
	chat_peek_start(&parts);
	for (at = 0; at < size; at += len) {
		len = size - at < step ? size - at : step;
		chat_peek_feed(&parts, data + at, len);
	}
	assert(strcmp(whole.type, parts.type) == 0);
	assert(strcmp(whole.kind, parts.kind) == 0);
	assert(strcmp(whole.session, parts.session) == 0);
	assert(strcmp(whole.code, parts.code) == 0);
	assert(whole.is_processing == parts.is_processing);
	assert(strlen(whole.session) < CHAT_PEEK_SIZE);
	return 0;
}
