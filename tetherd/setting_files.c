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

/* The connector tells its messages apart by the name, which is taken over. */
static void
put_file(const struct setting *s, struct draft *d, char *path, int fd)
{
	struct conf_open_file *file = &d->conf.files[s->file];

	free(file->path);
	if (file->fd != -1)
		close(file->fd);
	file->path = path;
	file->fd = fd;
	if (s->file != CONF_FILE_CA)
		return;
	free(d->conf.connector.ca_file);
	d->conf.connector.ca_file = copy(path == NULL ? "" : path);
}

static void
set_file(const struct reading *r, const char *path)
{
	char why[SNAPSHOT_WHY_MAX], *absolute = setting_absolute(r, path);
	int fd;

	if (absolute == NULL)
		return;
	fd = r->setting->file == CONF_FILE_CA ? snapshot_file(path, why)
					      : snapshot_secret(path, why);
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
