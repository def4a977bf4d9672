#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "sandbox/sandbox.h"
#include "tetherd/conf.h"
#include "tetherd/reach.h"
#include "tetherd/setting.h"
#include "tetherd/settings.h"

#define PATHS_MAX 256

struct reach {
	struct sandbox_path paths[PATHS_MAX];
	size_t n;
};

static void
add(struct reach *r, const char *path, enum sandbox_access access)
{
	if (r->n == PATHS_MAX)
		fatalx("more than %d folders to read settings from", PATHS_MAX);
	r->paths[r->n].access = access;
	r->paths[r->n].path = strdup(path);
	if (r->paths[r->n++].path == NULL)
		fatal("strdup");
}

/* The folder, as most editors replace a file by another one of that name. */
static void
add_folder(struct reach *r, const char *file, enum sandbox_access access)
{
	char *copy;

	if (file == NULL || file[0] == '\0')
		return;
	copy = strdup(file);
	if (copy == NULL)
		fatal("strdup");
	add(r, dirname(copy), access);
	free(copy);
}

static void
add_settings(struct reach *r, const struct settings *settings)
{
	const struct conf *conf = settings_conf(settings);
	size_t i;

	for (i = 0; i < settings_table_len; i++)
		add_folder(r, settings->from[i].file, SANDBOX_READ);
	for (i = 0; i < CONF_FILE_COUNT; i++)
		add_folder(r, conf->files[i].path, SANDBOX_READ);
	add_folder(r, conf->parent.log_file, SANDBOX_WRITE);
	add_folder(r, conf->parent.audit_file, SANDBOX_WRITE);
}

void
reach_confine(const struct settings *settings, const struct sources *sources,
    const char *socket)
{
	const struct conf *conf = settings_conf(settings);
	struct reach r = { .n = 0 };
	size_t i;

	add_settings(&r, settings);
	add_folder(&r, sources->file, SANDBOX_READ);
	add_folder(&r, sources->env_file, SANDBOX_READ);
	add_folder(&r, socket, SANDBOX_WRITE);
	/* The name service, certificates, and what runs as whom. */
	add(&r, "/etc", SANDBOX_READ);
	add(&r, "/proc", SANDBOX_READ);
	sandbox_parent(&conf->launcher.confinement, r.paths, r.n);
	for (i = 0; i < r.n; i++)
		free((char *)(uintptr_t)r.paths[i].path);
}
