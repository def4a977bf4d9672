#include <sys/stat.h>

#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/conf.h"
#include "tetherd/reach.h"
#include "tetherd/settings.h"

struct reach {
	struct sandbox_path *paths;
	size_t n;
};

/* What could be reached when the sandbox was entered, by any path. */
static struct {
	struct place {
		dev_t dev;
		ino_t ino;
		enum sandbox_access access;
	} * places;
	size_t n;
} reached;

static char *
copy(const char *s)
{
	char *c = strdup(s);

	if (c == NULL)
		fatal("strdup");
	return c;
}

/* The folder of a path, which is taken over. */
static char *
folder_of(char *path)
{
	char *folder = copy(dirname(path));

	free(path);
	return folder;
}

static void
add(struct reach *r, const char *path, enum sandbox_access access)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->paths[i].access == access &&
		    strcmp(r->paths[i].path, path) == 0)
			return;
	r->paths = reallocarray(r->paths, r->n + 1, sizeof(r->paths[0]));
	if (r->paths == NULL)
		fatal("reallocarray");
	r->paths[r->n++] = (struct sandbox_path){ copy(path), access };
}

static bool
is_root_directory(const char *path)
{
	char *real = realpath(path, NULL);
	bool is = real != NULL && strcmp(real, "/") == 0;

	free(real);
	return is;
}

/*
 * The folder, as most editors replace a file by another one of that name; but
 * not that of all files.
 */
static void
add_folder(struct reach *r, const char *file, enum sandbox_access access)
{
	char *folder = folder_of(copy(file));

	add(r, is_root_directory(folder) ? file : folder, access);
	free(folder);
}

/* Where it stands, and where it is: the one may be a link to the other. */
static void
add_file(struct reach *r, const char *file, enum sandbox_access access)
{
	char *real;

	if (file == NULL || file[0] == '\0')
		return;
	add_folder(r, file, access);
	real = realpath(file, NULL);
	if (real != NULL)
		add_folder(r, real, access);
	free(real);
}

static void
add_settings(struct reach *r, const struct settings *settings)
{
	const struct conf *conf = settings_conf(settings);
	const char *file;
	size_t i;

	for (i = 0; (file = settings_file(settings, i)) != NULL; i++)
		add_file(r, file, SANDBOX_READ);
	for (i = 0; i < CONF_FILE_COUNT; i++)
		add_file(r, conf->files[i].path, SANDBOX_READ);
	add_file(r, conf->parent.log_file, SANDBOX_LOG);
	add_file(r, conf->parent.audit_file, SANDBOX_LOG);
}

static void
remember(const struct reach *r)
{
	struct stat st;
	size_t i;

	reached.places = calloc(r->n, sizeof(reached.places[0]));
	if (reached.places == NULL)
		fatal("calloc");
	for (i = 0; i < r->n; i++)
		if (stat(r->paths[i].path, &st) == 0)
			reached.places[reached.n++] = (struct place){ st.st_dev,
				st.st_ino, r->paths[i].access };
}

void
reach_log(bool sandbox)
{
	const char *lacks;

	if (!sandbox) {
		log_warnx("sandbox none: the processes are not confined");
		return;
	}
	lacks = sandbox_lacks();
	if (lacks[0] != '\0')
		log_warnx("this kernel's Landlock (ABI %u) does not confine %s",
		    sandbox_landlock_abi(), lacks);
}

void
reach_confine(const struct settings *settings, const struct sources *sources,
    const char *socket)
{
	const struct conf *conf = settings_conf(settings);
	struct reach r = { .n = 0 };
	size_t i;

	/* syslog(3) writes local time: its rules are elsewhere. */
	tzset();
	add_settings(&r, settings);
	add_file(&r, sources->env_file, SANDBOX_READ);
	/* Removed at the end. */
	add_file(&r, socket, SANDBOX_REMOVE);
	/* What settings can be expected to name later. */
	add(&r, "/etc", SANDBOX_READ);
	/* What runs as whom. */
	add(&r, "/proc", SANDBOX_READ);
	if (conf->parent.sandbox)
		remember(&r);
	sandbox_parent(&conf->launcher.confinement, r.paths, r.n);
	for (i = 0; i < r.n; i++)
		free((char *)(uintptr_t)r.paths[i].path);
	free(r.paths);
}

static bool
is_place(const char *path, enum sandbox_access access)
{
	struct stat st;
	size_t i;

	if (stat(path, &st) == -1)
		return false;
	for (i = 0; i < reached.n; i++)
		if (reached.places[i].dev == st.st_dev &&
		    reached.places[i].ino == st.st_ino &&
		    (reached.places[i].access == access ||
			(access == SANDBOX_READ &&
			    reached.places[i].access == SANDBOX_LOG)))
			return true;
	return false;
}

/* It, or a folder that it is in, is one of the places. */
static bool
is_reached(const char *path, enum sandbox_access access)
{
	char *at = realpath(path, NULL), *folder;
	bool found;

	if (at == NULL) {
		folder = folder_of(copy(path));
		at = realpath(folder, NULL);
		free(folder);
	}
	/* Then that is what is wrong with it. */
	if (at == NULL)
		return true;
	while (!(found = is_place(at, access)) && strcmp(at, "/") != 0)
		at = folder_of(at);
	free(at);
	return found;
}

const char *
reach_error(const char *path, enum sandbox_access access)
{
	int error = errno;
	const char *why = strerror(error);

	if (error == EACCES && reached.n > 0) {
		if (!is_reached(path, access))
			why = "Permission denied (out of reach of a running "
			      "tetherd: restart it)";
		else if (access == SANDBOX_LOG && geteuid() == 0)
			why = "Permission denied (a running tetherd may write "
			      "what is root's only)";
	}
	errno = error;
	return why;
}
