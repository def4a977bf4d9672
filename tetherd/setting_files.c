#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/setting.h"
#include "tetherd/snapshot.h"
#include "tetherd/value.h"

static char *
copy(const char *s)
{
	char *c = strdup(s);

	if (c == NULL)
		fatal("settings");
	return c;
}

/* Where its name is part of a slice, too, else NULL. */
static char **
name_of(const struct setting *s, struct draft *d)
{
	switch (s->file) {
	case CONF_FILE_CA:
		return &d->conf.connector.ca_file;
	case CONF_FILE_GITHUB_CA:
		return &d->conf.authd.github_ca_file;
	case CONF_FILE_TOKEN:
	case CONF_FILE_JWT_SECRET:
	case CONF_FILE_GITHUB_TOKEN:
	case CONF_FILE_COUNT:
		break;
	}
	return NULL;
}

/* path is taken over. */
static void
put_file(const struct setting *s, struct draft *d, char *path, int fd)
{
	struct conf_open_file *file = &d->conf.files[s->file];
	char **name;

	free(file->path);
	if (file->fd != -1)
		close(file->fd);
	file->path = path;
	file->fd = fd;
	name = name_of(s, d);
	if (name == NULL)
		return;
	free(*name);
	*name = copy(path == NULL ? "" : path);
}

static void
set_file(const struct reading *r, const char *path)
{
	char why[SNAPSHOT_WHY_MAX], *absolute = setting_absolute(r, path);
	int fd;

	if (absolute == NULL)
		return;
	fd = name_of(r->setting, &r->settings->draft) == NULL
		 ? snapshot_secret(path, why)
		 : snapshot_file(path, why);
	if (fd != -1) {
		put_file(r->setting, &r->settings->draft, absolute, fd);
		return;
	}
	if (r->name != NULL)
		setting_wrong(r, "%s", why);
	else
		setting_wrong(r, "%s: %s", path, why);
	free(absolute);
}

static void
clear_file(const struct setting *s, struct draft *d)
{
	put_file(s, d, NULL, -1);
}

static bool
print_file(const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	const char *path = d->conf.files[s->file].path;

	*at = SIZE_MAX;
	if (path == NULL)
		return false;
	value_quote(f, path);
	return true;
}

const struct setting_type type_file = {
	.set = set_file,
	.clear = clear_file,
	.print = print_file,
};
