#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/slice.h"
#include "proxyd/deny.h"
#include "proxyd/role.h"

/*
 * What a server may do to a path, in this order.  All combinations are
 * tried: one that does more is not always the stricter one.  "/a\b/../x" is
 * "/x" for who takes the backslash as it is, and "/a/x" for others.
 */
#define READ_DECODED	  0x01
#define READ_BACKSLASHES  0x02
#define READ_HOST	  0x04 /* "//host/path", as in a URL */
#define READ_COLLAPSED	  0x08 /* no two slashes, before dots are looked at */
#define READ_DOTS	  0x10
#define READ_DOTS_ENCODED 0x20 /* "%2e" as well, as in a URL */
#define READ_WAYS	  0x40

/* What ends a path, or the part of a segment that is its name. */
static const char ends[] = "/?#;";

/* For everybody, whatever roles there are: one bit for each. */
#define ROLES_ALL ((1U << SESSION_ROLE_COUNT) - 1)

struct path {
	char *text;
	size_t len;
};

struct deny {
	struct closed {
		struct path path; /* without a slash at the end */
		unsigned roles;
	} * paths;
	size_t count;
};

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
decode(struct path *p)
{
	size_t in, out = 0;

	for (in = 0; in < p->len; in++) {
		char c = p->text[in];

		if (c == '%' && p->len - in > 2 &&
		    hex_value(p->text[in + 1]) != -1 &&
		    hex_value(p->text[in + 2]) != -1) {
			c = (char)(hex_value(p->text[in + 1]) << 4 |
				   hex_value(p->text[in + 2]));
			in += 2;
		}
		p->text[out++] = c;
	}
	p->len = out;
}

static void
turn_backslashes(struct path *p)
{
	size_t i;

	for (i = 0; i < p->len; i++)
		if (p->text[i] == '\\')
			p->text[i] = '/';
}

static void
collapse(struct path *p)
{
	size_t in, out = 0;

	for (in = 0; in < p->len; in++)
		if (p->text[in] != '/' || out == 0 || p->text[out - 1] != '/')
			p->text[out++] = p->text[in];
	p->len = out;
}

/* Where the segment ends that begins at that place. */
static size_t
segment_end(const struct path *p, size_t at)
{
	const char *slash = memchr(p->text + at, '/', p->len - at);

	return slash == NULL ? p->len : (size_t)(slash - p->text);
}

static void
drop_host(struct path *p)
{
	size_t at = 0;

	if (p->len < 2 || p->text[0] != '/' || p->text[1] != '/')
		return;
	while (at < p->len && p->text[at] == '/')
		at++;
	at = segment_end(p, at);
	memmove(p->text, p->text + at, p->len - at);
	p->len -= at;
}

/* How many dots the segment is made of, 0 if of anything else. */
static size_t
count_dots(const char *segment, size_t len, bool encoded)
{
	size_t i = 0, dots = 0;

	while (i < len) {
		if (segment[i] == '.')
			i++;
		else if (encoded && len - i > 2 &&
			 strncasecmp(segment + i, "%2e", 3) == 0)
			i += 3;
		else
			return 0;
		dots++;
	}
	return dots;
}

static void
resolve_dots(struct path *p, bool encoded)
{
	size_t at = 0, out = 0, end, dots;

	while (at < p->len) {
		/* A segment, with the slash before it. */
		end = segment_end(p, at + 1);
		dots = count_dots(p->text + at + 1, end - at - 1, encoded);
		if (dots == 2) {
			while (out > 0 && p->text[--out] != '/')
				;
		} else if (dots != 1) {
			memmove(p->text + out, p->text + at, end - at);
			out += end - at;
		}
		at = end;
	}
	p->len = out;
}

/* One reading of the path, into p, which has room for it. */
static void
read_path(struct path *p, const char *path, size_t len, unsigned how)
{
	memcpy(p->text, path, len);
	p->len = len;
	if ((how & READ_DECODED) != 0)
		decode(p);
	if ((how & READ_BACKSLASHES) != 0)
		turn_backslashes(p);
	if ((how & READ_HOST) != 0)
		drop_host(p);
	if ((how & READ_COLLAPSED) != 0)
		collapse(p);
	if ((how & READ_DOTS) != 0)
		resolve_dots(p, (how & READ_DOTS_ENCODED) != 0);
	collapse(p);
}

static char *
allocate(size_t len)
{
	char *text = malloc(len + 1);

	if (text == NULL)
		fatal("deny path");
	return text;
}

static void
add_path(struct deny *d, unsigned roles, const char *path, size_t len)
{
	struct path *p;

	d->paths = reallocarray(d->paths, d->count + 1, sizeof(*d->paths));
	if (d->paths == NULL)
		fatal("deny path");
	d->paths[d->count].roles = roles;
	p = &d->paths[d->count++].path;
	p->text = allocate(len);
	read_path(p, path, len, READ_DECODED | READ_DOTS);
	if (p->len > 0 && p->text[p->len - 1] == '/')
		p->len--;
}

static void
add_paths(struct deny *d, unsigned roles, const char *paths)
{
	size_t len;

	for (; *paths != '\0'; paths += len + (paths[len] == '\n')) {
		len = strcspn(paths, "\n");
		if (len > 0)
			add_path(d, roles, paths, len);
	}
}

struct deny *
deny_new_paths(const char *paths)
{
	struct deny *d = calloc(1, sizeof(*d));

	if (d == NULL)
		fatal("deny path");
	add_paths(d, ROLES_ALL, paths);
	return d;
}

struct deny *
deny_new(const struct proxyd_conf *conf)
{
	struct deny *d = deny_new_paths(conf->deny_paths);
	unsigned role;

	for (role = 0; role < SESSION_ROLE_COUNT; role++)
		add_paths(d, 1U << role, conf->deny_paths_role[role]);
	if (d->count > 0)
		return d;
	free(d);
	return NULL;
}

void
deny_free(struct deny *d)
{
	size_t i;

	if (d == NULL)
		return;
	for (i = 0; i < d->count; i++)
		free(d->paths[i].path.text);
	free(d->paths);
	free(d);
}

static bool
is_closed(const struct deny *d, unsigned roles, const struct path *p)
{
	const struct path *closed;
	size_t i, len;

	for (i = 0; i < d->count; i++) {
		closed = &d->paths[i].path;
		len = closed->len;
		if ((d->paths[i].roles & roles) != 0 && p->len >= len &&
		    strncasecmp(p->text, closed->text, len) == 0 &&
		    (p->len == len || memchr(ends, p->text[len], sizeof(ends))))
			return true;
	}
	return false;
}

/* Whether that is a way of its own: nothing is decoded twice. */
static bool
is_way(unsigned how)
{
	if ((how & READ_DOTS_ENCODED) == 0)
		return true;
	return (how & READ_DOTS) != 0 && (how & READ_DECODED) == 0;
}

/* Whether there is but one reading, as for nearly all paths. */
static bool
is_plain(const char *path, size_t len)
{
	return memchr(path, '%', len) == NULL &&
	       memchr(path, '\\', len) == NULL &&
	       memmem(path, len, "//", 2) == NULL &&
	       memmem(path, len, "/.", 2) == NULL;
}

bool
deny_matches(const struct deny *d, enum session_role role, const char *target)
{
	unsigned roles = role == ROLE_NOBODY ? ROLES_ALL : 1U << role;
	unsigned how, ways;
	bool closed = false;
	struct path p;
	size_t len;

	if (d == NULL)
		return false;
	len = strcspn(target, "?");
	ways = is_plain(target, len) ? 1 : READ_WAYS;
	p.text = allocate(len);
	for (how = 0; how < ways && !closed; how++) {
		if (!is_way(how))
			continue;
		read_path(&p, target, len, how);
		closed = is_closed(d, roles, &p);
	}
	free(p.text);
	return closed;
}
