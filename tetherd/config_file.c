#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/config_file.h"
#include "tetherd/parse.h"
#include "tetherd/reach.h"

static int refuse(char *why, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static int
refuse(char *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, CONFIG_FILE_WHY_MAX, format, ap);
	va_end(ap);
	return -1;
}

int
config_file_check(const struct stat *st, char why[CONFIG_FILE_WHY_MAX])
{
	unsigned mode = st->st_mode & 07777;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		return refuse(why, "owned by uid %u, neither root nor us",
		    (unsigned)st->st_uid);
	if ((mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(
		    why, "writable by group or others (mode %04o)", mode);
	return 0;
}

/* The size that it had a moment ago says nothing: it may grow, and what /proc
 * shows has none. */
static int
read_text(struct config_file *file, int fd, char *why)
{
	ssize_t n;

	/* With room for a byte too many, or the NUL. */
	file->text = malloc(PARSE_FILE_MAX + 1);
	if (file->text == NULL)
		fatal("malloc");
	do {
		n = read(fd, file->text + file->size,
		    PARSE_FILE_MAX + 1 - file->size);
		if (n == -1)
			return refuse(why, "%s", strerror(errno));
		file->size += (size_t)n;
	} while (n > 0 && file->size <= PARSE_FILE_MAX);
	if (file->size > PARSE_FILE_MAX)
		return refuse(why, "larger than 1 MiB");
	file->text[file->size] = '\0';
	return 0;
}

static int
read_open(struct config_file *file, int fd, bool any, char *why)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return refuse(why, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, "not a regular file");
	if (!any && config_file_check(&st, why) == -1)
		return -1;
	file->mode = st.st_mode & 07777;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	return read_text(file, fd, why);
}

static int
read_file(struct config_file *file, const char *path, bool any, char *why)
{
	int fd, rc;

	memset(file, 0, sizeof(*file));
	/* Whatever is there: opening must not wait for it or obey it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1) {
		rc = errno;
		(void)refuse(why, "%s", reach_error(path, SANDBOX_READ));
		errno = rc;
		return -1;
	}
	rc = read_open(file, fd, any, why);
	close(fd);
	if (rc == -1) {
		config_file_free(file);
		errno = EINVAL;
		return -1;
	}
	file->path = strdup(path);
	if (file->path == NULL)
		fatal("strdup");
	return 0;
}

int
config_file_read(
    struct config_file *file, const char *path, char why[CONFIG_FILE_WHY_MAX])
{
	return read_file(file, path, false, why);
}

int
config_file_read_any(
    struct config_file *file, const char *path, char why[CONFIG_FILE_WHY_MAX])
{
	return read_file(file, path, true, why);
}

void
config_file_drop_text(struct config_file *file)
{
	if (file->text != NULL)
		freezero(file->text, file->size);
	file->text = NULL;
	file->size = 0;
}

void
config_file_free(struct config_file *file)
{
	config_file_drop_text(file);
	free(file->path);
	file->path = NULL;
}

bool
config_file_is_exposed(const struct config_file *file)
{
	return (file->mode & S_IROTH) != 0;
}
