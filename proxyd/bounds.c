#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "proxyd/bounds.h"
#include "proxyd/proxyd.h"
#include "proxyd/upstream.h"
#include "proxyd/upstream_address.h"
#include "sandbox/privileges.h"
#include "sandbox/sandbox.h"

/* A path in two parts: "" is the root directory itself. */
struct place {
	char *folder;
	char name[PATH_MAX]; /* begins with a slash */
};

/*
 * Where the socket is once symbolic links are followed; those that lead to its
 * folder alone if it is not there yet.  -1 if that is not there either.
 */
static int
find_place(const char *path, struct place *place)
{
	char *real = realpath(path, NULL), *copy;

	copy = strdup(real != NULL ? real : path);
	free(real);
	if (copy == NULL)
		fatal("sandbox");
	(void)strlcpy(place->name, strrchr(copy, '/'), sizeof(place->name));
	place->folder = realpath(dirname(copy), NULL);
	free(copy);
	return place->folder == NULL ? -1 : 0;
}

/* What stands in for the socket's path is its name below the new root. */
static const char *
confine_below_folder(struct proxyd *p, const char *path)
{
	static char why[CHILD_WHY_SIZE];
	const struct confinement *c = &p->conf.confinement;
	struct place place;
	int rc;

	privileges_lend(c);
	rc = find_place(path, &place);
	privileges_take_back(c);
	if (rc == -1) {
		(void)snprintf(why, sizeof(why),
		    "the folder of the web app's socket %s: %s", path,
		    strerror(errno));
		return why;
	}
	if (!upstream_address_set_path(place.name))
		return "the web app's socket: its name is too long";
	close(CHILD_FD_ROOT);
	sandbox_proxyd_unix(c, place.folder);
	free(place.folder);
	(void)upstream_change(p->upstream, &p->conf);
	return NULL;
}

const char *
bounds_set(struct proxyd *p)
{
	const struct confinement *c = &p->conf.confinement;
	const char *path = upstream_path(p->upstream);

	if (path != NULL && c->drop)
		return confine_below_folder(p, path);
	if (path != NULL)
		sandbox_proxyd_unix(c, "/");
	else
		sandbox_proxyd(
		    c, CHILD_FD_ROOT, (uint16_t)p->conf.upstream_port);
	return NULL;
}

static bool
is_path(const struct proxyd_conf *conf)
{
	struct upstream_address a;

	return upstream_address_parse(&a, conf) == NULL &&
	       upstream_address_path(&a) != NULL;
}

bool
bounds_exclude(const struct proxyd_conf *now, const struct proxyd_conf *next)
{
	const struct confinement *c = &now->confinement;
	bool path = is_path(now);

	if (!confinement_is_same(c, &next->confinement))
		return true;
	if (path != is_path(next))
		return c->sandbox || c->drop;
	if (path)
		return c->drop &&
		       strcmp(now->upstream_host, next->upstream_host) != 0;
	return c->sandbox && now->upstream_port != next->upstream_port;
}
