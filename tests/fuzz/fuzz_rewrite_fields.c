#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/field.h"
#include "proxyd/rewrite_fields.h"

/*
 * Any head of a response or request: nothing but values comes out, what is
 * rooted is under the prefix, and entity tags of ours can be undone.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char version[] = "1.0";

static void
require(int what)
{
	if (!what)
		abort();
}

/* What is made of an entity tag can be undone, whatever it was. */
static void
check_tag(const char *before, const char *after)
{
	char *header, *undone;

	require(asprintf(&header, "If-None-Match: %s", after) != -1);
	undone = rewrite_fields_condition(header, "/", version);
	require(undone != NULL &&
		strcmp(undone + strlen("if-none-match: "), before) == 0);
	free(undone);
	free(header);
}

static void
check_field(const struct header *header, const char *tag, bool changed)
{
	const char *name = header->name, *value = header->value;

	require(field_is_value(value, strlen(value)));
	if (strcmp(name, "location") == 0)
		require(value[0] != '/' || value[1] == '\t' ||
			strncmp(value, "/c/box/p/", 9) == 0 ||
			value[1] == '/' || value[1] == '\\');
	if (strcmp(name, "set-cookie") == 0)
		require(strstr(value, "; Path=/c/box/p/") != NULL);
	if (strcmp(name, "etag") == 0 && changed && tag != NULL)
		check_tag(tag, value);
}

static void
check_response(const char *head, enum rewrite_fields_body body, bool utf8)
{
	static const struct prefix prefix = { .text = "/c/box/p", .len = 8 };
	const struct rewrite_fields how = {
		.prefix = &prefix,
		.upstream = "http://127.0.0.1:3001",
		.body = body,
		.utf8 = utf8,
		.version = version,
		.script_hash = "sha256-AAAA",
	};
	struct headers headers = { .lines_max = 256, .size_max = 131072 };
	const char *tag;
	char *first = NULL;
	size_t len, i, tags = 0;

	for (; *head != '\0'; head += len + (head[len] == '\n' ? 1 : 0)) {
		len = strcspn(head, "\n");
		if (headers_line(&headers, head, len) == -1)
			break;
	}
	for (i = 0; i < headers.count; i++)
		tags += strcmp(headers.list[i].name, "etag") == 0 ? 1 : 0;
	if (tags == 1 && (tag = headers_get(&headers, "etag")) != NULL)
		first = strdup(tag);
	if (rewrite_fields(&headers, &how) == 0)
		for (i = 0; i < headers.count; i++)
			check_field(&headers.list[i], first,
			    body == REWRITE_FIELDS_CHANGED);
	free(first);
	headers_clear(&headers);
}

/* The lines as headers of a request, the first of them as its target. */
static void
check_request(char *text)
{
	char *target = strsep(&text, "\n"), *line, *out;

	while ((line = strsep(&text, "\n")) != NULL) {
		if (!field_is_value(line, strlen(line)))
			continue;
		out = rewrite_fields_condition(line, target, version);
		require(out == NULL || field_is_value(out, strlen(out)));
		free(out);
	}
}

/* The first byte says what is done with the rest. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	if ((text = strndup((const char *)data + 1, size - 1)) == NULL)
		return 0;
	if (data[0] % 4 == 3)
		check_request(text);
	else
		check_response(text, (enum rewrite_fields_body)(data[0] % 4),
		    (data[0] & 0x80) != 0);
	free(text);
	return 0;
}
