#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "authd/state_folder.h"
#include "common/confinement.h"
#include "common/log.h"

#define WAY    (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FILES  (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* What there can be in the folder of ours. */
static const char *const names[] = { "tether.db", "tether.db-wal",
	"tether.db-shm", "tether.db-journal" };
#define NNAMES (sizeof(names) / sizeof(names[0]))

/*
 * Root's, and nobody else can put a thing of root's in the place of another:
 * who has made one in a folder like /tmp can do that with his own only.
 */
static bool
is_safe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
	       ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
		   (st.st_mode & S_ISVTX) != 0);
}

/*
 * The next one on the way, in a folder that is safe; made if it is missing and
 * to be made.
 */
static int
step(int at, const char *name, bool make, bool last)
{
	int flags = last ? FOLDER : WAY, fd = openat(at, name, flags);
	mode_t old;

	if (fd != -1 || errno != ENOENT || !make)
		return fd;
	old = umask(0);
	(void)mkdirat(at, name, last ? 0700 : 0755);
	(void)umask(old);
	return openat(at, name, flags);
}

/* Without a step back. */
static bool
leads_down(const char *path)
{
	const char *up = strstr(path, "/..");

	while (up != NULL && up[3] != '/' && up[3] != '\0')
		up = strstr(up + 1, "/..");
	return path[0] == '/' && up == NULL;
}

/*
 * The folder, to which only root can have led us; or -1.  *missing: it, or one
 * on the way, is not there.
 */
static int
walk(const char *path, bool make, bool *missing)
{
	char copy[PATH_MAX], *rest = copy, *name, *next;
	int fd = open("/", WAY), to;

	*missing = false;
	if (!leads_down(path) ||
	    strlcpy(copy, path, sizeof(copy)) >= sizeof(copy)) {
		close(fd);
		return -1;
	}
	rest += strspn(rest, "/");
	while (fd != -1 && (name = strsep(&rest, "/")) != NULL) {
		next = rest == NULL ? NULL : rest + strspn(rest, "/");
		rest = next == NULL || *next == '\0' ? NULL : next;
		to = -1;
		if (is_safe(fd)) {
			to = step(fd, name, make, rest == NULL);
			*missing = to == -1 && errno == ENOENT;
		}
		close(fd);
		fd = to;
	}
	return fd;
}

static bool
is_known(const char *name)
{
	size_t i;

	for (i = 0; i < NNAMES; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Nobody's /var/lib, because of a setting with a slip in it. */
static bool
is_ours(int folder)
{
	int fd = openat(folder, ".", FOLDER);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool known = true;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return false;
	}
	while (known && (entry = readdir(dir)) != NULL)
		known = is_known(entry->d_name);
	(void)closedir(dir);
	return known;
}

/* By one name only: by another one it may be a file of importance. */
static void
give_file(int folder, const char *name, const struct confinement *c)
{
	int fd = openat(folder, name, FILES);
	struct stat st;

	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	    st.st_nlink == 1 && fchown(fd, c->uid, c->gid) == -1)
		log_warn("%s: can't give it to uid %u", name, c->uid);
	close(fd);
}

/* The folder last: what is in it is the user's to change from there on. */
static void
give(int folder, const char *path, const struct confinement *c)
{
	size_t i;

	for (i = 0; i < NNAMES; i++)
		give_file(folder, names[i], c);
	if (fchown(folder, c->uid, c->gid) == -1)
		log_warn("state directory %s: can't give it to uid %u", path,
		    c->uid);
}

void
state_folder_give(const char *path, const struct confinement *c)
{
	bool missing;
	int fd;

	if (!c->drop || c->uid == 0)
		return;
	fd = walk(path, true, &missing);
	if (fd == -1)
		return;
	if (!is_safe(fd))
		log_debugx("state directory %s: not root's alone", path);
	else if (!is_ours(fd))
		log_warnx("state directory %s: belongs to root, and there are "
			  "files of others in it: not given to uid %u",
		    path, c->uid);
	else
		give(fd, path, c);
	close(fd);
}

bool
state_folder_is_to_give(const char *path, const struct confinement *c)
{
	bool missing, is;
	int fd;

	if (!c->drop || c->uid == 0)
		return false;
	fd = walk(path, false, &missing);
	if (fd == -1)
		return missing;
	is = is_safe(fd) && is_ours(fd);
	close(fd);
	return is;
}

int
state_folder_make(const char *path)
{
	char at[PATH_MAX];
	char *p;

	if (strlcpy(at, path, sizeof(at)) >= sizeof(at)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (p = at + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(at, 0700) == -1 && access(at, F_OK) == -1)
			return -1;
		*p = '/';
	}
	return mkdir(at, 0700) == -1 && errno != EEXIST ? -1 : 0;
}
