#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/slice.h"
#include "proxyd/field.h"
#include "proxyd/headers.h"
#include "proxyd/request.h"
#include "proxyd/request_headers.h"
#include "proxyd/rewrite_fields.h"

/* A checked header; both strings are inside the request's JSON object. */
struct field {
	const char *name;
	const char *value; /* without blanks around it, but not cut: */
	size_t value_len;  /* this says where it ends */
};

static const char *read_field(
    struct json_object *, struct field *, size_t *total);
static const char *take_identity(
    struct request *, const struct field *, size_t);
static void take_purpose(struct request *, const struct field *, size_t);
static bool is_dropped(
    const struct field *fields, size_t n, const char *, bool);
static char *format_field(const struct field *);

/* Read and check them all; *fields is to be freed in any case. */
static const char *
read_fields(struct json_object *list, const struct proxyd_conf *conf,
    struct field **fields, size_t *n)
{
	size_t i, before, total = 0, connection = 0;
	const char *error;

	if (!json_object_is_type(list, json_type_array))
		return "bad headers";
	if ((*n = json_object_array_length(list)) > conf->headers_max)
		return "too many headers";
	/* One more: that of none at all may be NULL. */
	if ((*fields = calloc(*n + 1, sizeof(**fields))) == NULL)
		return "out of memory";
	for (i = 0; i < *n; i++) {
		before = total;
		error = read_field(
		    json_object_array_get_idx(list, i), &(*fields)[i], &total);
		if (error != NULL)
			return error;
		if (strcasecmp((*fields)[i].name, "connection") == 0)
			connection += total - before;
		if (total > conf->headers_size_max ||
		    connection > HEADERS_CONNECTION_MAX)
			return "headers too long";
	}
	return NULL;
}

/* Make the list of those to forward. */
static const char *
keep_fields(struct request *r, const struct field *fields, size_t n,
    bool keep_conditions)
{
	size_t i;

	if (n > 0 && (r->headers = calloc(n, sizeof(*r->headers))) == NULL)
		return "out of memory";
	for (i = 0; i < n; i++) {
		if (is_dropped(fields, n, fields[i].name, keep_conditions))
			continue;
		r->headers[r->nheaders] = format_field(&fields[i]);
		if (r->headers[r->nheaders] == NULL)
			return "out of memory";
		r->nheaders++;
	}
	return NULL;
}

static const char *
take_headers(struct request *r, const struct proxyd_conf *conf,
    bool keep_conditions, bool identify)
{
	struct field *fields = NULL;
	struct json_object *list;
	const char *error;
	size_t n;

	if (!json_object_object_get_ex(r->json, "headers", &list) ||
	    list == NULL)
		return NULL;
	error = read_fields(list, conf, &fields, &n);
	if (error == NULL && identify)
		error = take_identity(r, fields, n);
	if (error == NULL) {
		take_purpose(r, fields, n);
		error = keep_fields(r, fields, n, keep_conditions);
	}
	free(fields);
	return error;
}

const char *
request_take_headers(
    struct request *r, const struct proxyd_conf *conf, bool keep_conditions)
{
	return take_headers(r, conf, keep_conditions, true);
}

const char *
request_take_page_headers(struct request *r, const struct proxyd_conf *conf)
{
	return take_headers(r, conf, true, false);
}

/* Read and check ["name","value"]; *total counts the bytes of all. */
static const char *
read_field(struct json_object *pair, struct field *field, size_t *total)
{
	struct json_object *name, *value;
	size_t name_len;

	if (!json_object_is_type(pair, json_type_array) ||
	    json_object_array_length(pair) != 2)
		return "bad headers";
	name = json_object_array_get_idx(pair, 0);
	value = json_object_array_get_idx(pair, 1);
	if (!json_object_is_type(name, json_type_string) ||
	    !json_object_is_type(value, json_type_string))
		return "bad headers";
	field->name = json_object_get_string(name);
	name_len = (size_t)json_object_get_string_len(name);
	field->value = json_object_get_string(value);
	field->value_len = (size_t)json_object_get_string_len(value);
	*total += name_len + field->value_len;
	if (!field_is_token(field->name, name_len))
		return "bad header name";
	if (!field_is_value(field->value, field->value_len))
		return "bad header value";
	field_trim(&field->value, &field->value_len);
	return NULL;
}

/* Find the only header of that name: -1 none, -2 more than one. */
static int
find_only(const struct field *fields, size_t n, const char *name)
{
	int found = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcasecmp(fields[i].name, name) != 0)
			continue;
		if (found != -1)
			return -2;
		found = (int)i;
	}
	return found;
}

/* A number over 0 in the one way that it is written. */
static bool
parse_github_id(const struct field *field, uint64_t *id)
{
	size_t i;

	if (field->value_len == 0 || field->value[0] == '0')
		return false;
	*id = 0;
	for (i = 0; i < field->value_len; i++) {
		unsigned digit = (unsigned)field->value[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(*id, 10, id) ||
		    __builtin_add_overflow(*id, digit, id))
			return false;
	}
	return true;
}

/*
 * Anything but both headers, once each and well-formed, or none at all is
 * refused: a browser may have smuggled one in, and to go on without the
 * identity could show a page meant for somebody else.
 */
static const char *
take_identity(struct request *r, const struct field *fields, size_t n)
{
	int id = find_only(fields, n, "x-orchestrator-user-id");
	int login = find_only(fields, n, "x-orchestrator-username");
	const struct field *name;

	if (id == -1 && login == -1)
		return NULL;
	if (id < 0 || login < 0)
		return "incomplete or repeated identity";
	name = &fields[login];
	if (!parse_github_id(&fields[id], &r->github_id))
		return "bad X-Orchestrator-User-Id";
	if (name->value_len == 0 || name->value_len >= sizeof(r->login) ||
	    memchr(name->value, '\t', name->value_len) != NULL)
		return "bad X-Orchestrator-Username";
	memcpy(r->login, name->value, name->value_len);
	r->identified = true;
	return NULL;
}

/* Whether that is all of its value, in any case. */
static bool
is_text(const struct field *field, const char *text)
{
	return field->value_len == strlen(text) &&
	       strncasecmp(field->value, text, field->value_len) == 0;
}

/* Browsers say so; what says nothing but wants HTML is taken for one. */
static bool
navigates(const struct request *r, const struct field *fields, size_t n)
{
	int mode = find_only(fields, n, "sec-fetch-mode");
	int accept = find_only(fields, n, "accept");

	if (mode != -1)
		return mode >= 0 && is_text(&fields[mode], "navigate");
	if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
		return false;
	return accept >= 0 &&
	       memmem(fields[accept].value, fields[accept].value_len,
		   "text/html", strlen("text/html")) != NULL;
}

/* What for, in the words of browsers (Service Workers; Fetch Metadata). */
static void
take_purpose(struct request *r, const struct field *fields, size_t n)
{
	int dest = find_only(fields, n, "sec-fetch-dest");

	r->service_worker = find_only(fields, n, "service-worker") != -1;
	r->fetched = dest >= 0 && is_text(&fields[dest], "empty");
	r->navigates = navigates(r, fields, n);
}

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcasecmp(name, *names) == 0)
			return true;
	return false;
}

static bool
is_dropped(const struct field *fields, size_t n, const char *name,
    bool keep_conditions)
{
	static const char orchestrator[] = "x-orchestrator-";
	/*
	 * Those that we set, or that speak about a connection; and Expect:
	 * the body is here already, nobody waits for a 100.
	 */
	static const char *const ours[] = { "host", "authorization",
		"content-length", "accept-encoding", "expect", "http2-settings",
		NULL };
	/*
	 * Asks for a 304 or a 206, which without the capability "status"
	 * the browser sees as a 200 that is empty, or a mere part.  The
	 * other conditions are answered with a 412, which gets through.
	 */
	static const char *const conditions[] = { "if-none-match",
		"if-modified-since", "range", "if-range", NULL };
	size_t i;

	if (field_is_hop(name) || is_one_of(name, ours) ||
	    strncasecmp(name, orchestrator, strlen(orchestrator)) == 0)
		return true;
	if (!keep_conditions && is_one_of(name, conditions))
		return true;
	for (i = 0; i < n; i++)
		if (strcasecmp(fields[i].name, "connection") == 0 &&
		    field_list_has(fields[i].value, name))
			return true;
	return false;
}

/* libcurl takes "Name:" for a header to be removed, "Name;" for an empty. */
static char *
format_field(const struct field *field)
{
	char *line;

	if (field->value_len == 0) {
		if (asprintf(&line, "%s;", field->name) == -1)
			return NULL;
		return line;
	}
	if (asprintf(&line, "%s: %.*s", field->name, (int)field->value_len,
		field->value) == -1)
		return NULL;
	return line;
}

void
request_rewrite_conditions(struct request *r, const char *version)
{
	size_t i, kept = 0;
	char *header;

	for (i = 0; i < r->nheaders; i++) {
		header =
		    rewrite_fields_condition(r->headers[i], r->target, version);
		free(r->headers[i]);
		if (header != NULL)
			r->headers[kept++] = header;
	}
	r->nheaders = kept;
}
