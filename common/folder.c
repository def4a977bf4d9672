#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/folder.h"
#include "common/log.h"

/* As many as the kernel follows. */
#define LINKS_MAX 40

static char *
copy(const char *s)
{
	char *c = strdup(s);

	if (c == NULL)
		fatal("strdup");
	return c;
}

/* Cut a path in two: what is left of it is the folder. */
static char *
cut_name(char *path)
{
	char *slash = strrchr(path, '/'), *name;

	if (slash == NULL) {
		name = copy(path);
		(void)strlcpy(path, ".", strlen(path) + 1);
		return name;
	}
	name = copy(slash + 1);
	/* The one that begins a path is the root directory. */
	slash[slash == path ? 1 : 0] = '\0';
	return name;
}

static char *
join(const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) == -1)
		fatal("asprintf");
	return path;
}

/* The real path of a folder, or the one that it was given by. */
static char *
real(const char *folder)
{
	char *path = realpath(folder, NULL);

	return path != NULL ? path : copy(folder);
}

char *
folder_of(const char *path)
{
	char *at = copy(path[0] == '\0' ? "." : path), *name, *folder,
	     target[PATH_MAX];
	ssize_t n;
	int i;

	for (i = 0;; i++) {
		name = cut_name(at);
		folder = real(at);
		free(at);
		at = join(folder, name);
		free(name);
		n = readlink(at, target, sizeof(target) - 1);
		if (n <= 0 || i == LINKS_MAX)
			break;
		target[n] = '\0';
		free(at);
		at = target[0] == '/' ? copy(target) : join(folder, target);
		free(folder);
	}
	free(at);
	return folder;
}
