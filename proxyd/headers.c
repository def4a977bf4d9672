#include <sys/types.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "proxyd/escape.h"
#include "proxyd/field.h"
#include "proxyd/headers.h"

static int headers_add(struct headers *, const char *, size_t);
static int headers_fold(struct headers *, const char *, size_t);

void
headers_init(struct headers *headers, size_t lines_max, size_t size_max)
{
	memset(headers, 0, sizeof(*headers));
	headers->lines_max = lines_max;
	headers->size_max = size_max;
}

void
headers_clear(struct headers *headers)
{
	size_t i;

	for (i = 0; i < headers->count; i++) {
		free(headers->list[i].name);
		free(headers->list[i].value);
	}
	free(headers->list);
	headers_init(headers, headers->lines_max, headers->size_max);
}

int
headers_line(struct headers *headers, const char *line, size_t len)
{
	static const char status[] = "HTTP/";

	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len >= strlen(status) &&
	    memcmp(line, status, strlen(status)) == 0) {
		headers_clear(headers);
		return 0;
	}
	if (headers->complete)
		return 0;
	if (len == 0) {
		headers->complete = 1;
		return 0;
	}
	if (line[0] == ' ' || line[0] == '\t')
		return headers_fold(headers, line, len);
	return headers_add(headers, line, len);
}

/* Account for a line of len more bytes; -1 if that is too much. */
static int
headers_grow(struct headers *headers, size_t len)
{
	if (headers->lines == headers->lines_max ||
	    headers->size > headers->size_max ||
	    len > headers->size_max - headers->size)
		return -1;
	headers->lines++;
	headers->size += len;
	return 0;
}

/* The last field grew by len bytes; -1 if that makes it too much work. */
static int
count_connection(struct headers *headers, size_t len)
{
	if (strcmp(headers->list[headers->count - 1].name, "connection") == 0)
		headers->connection += len;
	return headers->connection > HEADERS_CONNECTION_MAX ? -1 : 0;
}

/* Put a field behind the others. */
static int
headers_store(struct headers *headers, const char *name, size_t name_len,
    const char *value, size_t value_len)
{
	struct header *list, *header;
	size_t i;

	list = reallocarray(headers->list, headers->count + 1, sizeof(*list));
	if (list == NULL)
		return -1;
	headers->list = list;
	header = &list[headers->count];
	header->name = strndup(name, name_len);
	header->value = strndup(value, value_len);
	if (header->name == NULL || header->value == NULL) {
		free(header->name);
		free(header->value);
		return -1;
	}
	for (i = 0; i < name_len; i++)
		header->name[i] = (char)tolower((unsigned char)name[i]);
	headers->count++;
	return 0;
}

static int
headers_add(struct headers *headers, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const char *value;
	size_t name_len, value_len;

	headers->skipped = 1;
	if (headers->count >= headers->lines_max ||
	    headers_grow(headers, len) == -1)
		return -1;
	if (colon == NULL)
		return 0;
	name_len = (size_t)(colon - line);
	value = colon + 1;
	value_len = len - name_len - 1;
	if (!field_is_token(line, name_len) ||
	    !field_is_value(value, value_len))
		return 0;
	field_trim(&value, &value_len);

	if (headers_store(headers, line, name_len, value, value_len) == -1)
		return -1;
	headers->skipped = 0;
	return count_connection(headers, len);
}

/* Join a continuation line to the last header. */
static int
headers_fold(struct headers *headers, const char *line, size_t len)
{
	struct header *header;
	size_t old;
	char *value;

	if (headers_grow(headers, len) == -1)
		return -1;
	if (headers->count == 0 || headers->skipped ||
	    !field_is_value(line, len))
		return 0;
	field_trim(&line, &len);
	header = &headers->list[headers->count - 1];
	old = strlen(header->value);
	if ((value = realloc(header->value, old + len + 2)) == NULL)
		return -1;
	header->value = value;
	if (old > 0 && len > 0)
		value[old++] = ' ';
	memcpy(value + old, line, len);
	value[old + len] = '\0';
	return count_connection(headers, len + 1);
}

const char *
headers_get(const struct headers *headers, const char *name)
{
	size_t i;

	for (i = 0; i < headers->count; i++)
		if (strcasecmp(headers->list[i].name, name) == 0)
			return headers->list[i].value;
	return NULL;
}

void
headers_replace(struct headers *headers, size_t i, char *value)
{
	struct header *header = &headers->list[i];

	headers->size -= strlen(header->value);
	headers->size += strlen(value);
	free(header->value);
	header->value = value;
}

void
headers_remove(struct headers *headers, size_t i)
{
	struct header *header = &headers->list[i];

	headers->size -= strlen(header->name) + strlen(header->value);
	free(header->name);
	free(header->value);
	headers->count--;
	memmove(header, header + 1, (headers->count - i) * sizeof(*header));
}

int
headers_append(struct headers *headers, const char *name, const char *value)
{
	if (headers_store(headers, name, strlen(name), value, strlen(value)) ==
	    -1)
		return -1;
	headers->size += strlen(name) + strlen(value);
	return 0;
}

bool
headers_length_is(const struct headers *headers, size_t received)
{
	char expected[24];
	const char *value;
	size_t i;

	if (headers_get(headers, "transfer-encoding") != NULL)
		return true;
	(void)snprintf(expected, sizeof(expected), "%zu", received);
	for (i = 0; i < headers->count; i++) {
		if (strcmp(headers->list[i].name, "content-length") != 0)
			continue;
		value = headers->list[i].value;
		if (strspn(value, "0123456789") != strlen(value))
			return false;
		if (strcmp(value + strspn(value, "0"),
			received == 0 ? "" : expected) != 0)
			return false;
	}
	return true;
}

/* Whether some "connection" header names this one. */
static bool
headers_is_connection(const struct headers *headers, const char *name)
{
	size_t i;

	for (i = 0; i < headers->count; i++)
		if (strcmp(headers->list[i].name, "connection") == 0 &&
		    field_list_has(headers->list[i].value, name))
			return true;
	return false;
}

/* Whether the length may be said; that of chunks means nothing. */
static bool
headers_has_length(const struct headers *headers, unsigned flags)
{
	return (flags & HEADERS_NO_LENGTH) == 0 &&
	       headers_get(headers, "transfer-encoding") == NULL;
}

static bool
headers_pass(
    const struct headers *headers, unsigned flags, const struct header *header)
{
	const char *name = header->name;

	/* Once, however often: not all readers take more. */
	if (strcmp(name, "content-length") == 0)
		return headers_has_length(headers, flags) &&
		       headers_get(headers, name) == header->value;
	if (strcmp(name, "content-encoding") == 0)
		return (flags & HEADERS_NO_ENCODING) == 0;
	if (strcmp(name, "x-orch-encoding") == 0 ||
	    strcmp(name, "x-refreshed-token") == 0)
		return false;
	return !field_is_hop(name) && !headers_is_connection(headers, name);
}

static int
write_pair(
    struct evbuffer *out, bool first, const char *name, const char *value)
{
	if (evbuffer_add_printf(out, "%s[\"%s\",\"", first ? "" : ",", name) ==
	    -1)
		return -1;
	if (escape_add_text(out, value, strlen(value)) == -1)
		return -1;
	return evbuffer_add(out, "\"]", 2);
}

int
headers_write(
    const struct headers *headers, unsigned flags, struct evbuffer *out)
{
	bool first = true;
	size_t i;

	if (evbuffer_add(out, "[", 1) == -1)
		return -1;
	for (i = 0; i < headers->count; i++) {
		const struct header *header = &headers->list[i];

		if (!headers_pass(headers, flags, header))
			continue;
		/* A token needs no escaping: it has no quote or backslash. */
		if (write_pair(out, first, header->name, header->value) == -1)
			return -1;
		first = false;
	}
	if ((flags & HEADERS_BASE64) != 0 &&
	    write_pair(out, first, "x-orch-encoding", "base64") == -1)
		return -1;
	return evbuffer_add(out, "]", 1);
}
