#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/slice.h"
#include "tetherd/config_file.h"
#include "tetherd/reach.h"
#include "tetherd/snapshot.h"

/* Since Linux 6.3: nothing in it is ever a program. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* A secret may end with CR and LF, which are no part of it. */
#define SECRET_FILE_MAX (CONF_SECRET_MAX + 2)

static bool refuse(char *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* Always false. */
static bool
refuse(char *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, SNAPSHOT_WHY_MAX, format, ap);
	va_end(ap);
	return false;
}

static bool
refuse_errno(char *why)
{
	return refuse(why, "%s", strerror(errno));
}

static bool
check_secret(const struct stat *st, char *why)
{
	if (config_file_check(st, why) == -1)
		return false;
	if ((st->st_mode & S_IROTH) != 0)
		return refuse(why, "readable by others (mode %04o)",
		    (unsigned)st->st_mode & 07777);
	return true;
}

static bool
check_size(off_t size, bool secret, char *why)
{
	if (secret && size == 0)
		return refuse(why, "empty");
	if (secret && size > SECRET_FILE_MAX)
		return refuse(why, "longer than %d bytes", CONF_SECRET_MAX);
	if (size > CONF_FILE_MAX)
		return refuse(why, "larger than 1 MiB");
	return true;
}

/* Links are followed: that is how secrets get to their place. */
static int
open_checked(const char *path, bool secret, char *why)
{
	struct stat st;
	/* A FIFO would block. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool good;

	if (fd == -1)
		good = refuse(why, "%s", reach_error(path, SANDBOX_READ));
	else if (fstat(fd, &st) == -1)
		good = refuse_errno(why);
	else if (S_ISDIR(st.st_mode))
		good = refuse(why, "%s", strerror(EISDIR));
	else if (!S_ISREG(st.st_mode))
		good = refuse(why, "not a regular file");
	else
		good = (!secret || check_secret(&st, why)) &&
		       check_size(st.st_size, secret, why);
	if (good)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

static int
create(void)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("tetherd", flags | MFD_NOEXEC_SEAL);

	if (fd == -1 && errno == EINVAL)
		fd = memfd_create("tetherd", flags);
	return fd;
}

/* One byte more than may be there: the file can grow meanwhile. */
static bool
copy(int to, int from, bool secret, char *why)
{
	off_t size = 0, max = secret ? SECRET_FILE_MAX : CONF_FILE_MAX;
	ssize_t n;

	while (size <= max &&
	       (n = sendfile(to, from, NULL, (size_t)(max + 1 - size))) != 0) {
		if (n == -1 && errno != EINTR)
			return refuse_errno(why);
		if (n > 0)
			size += n;
	}
	if (!check_size(size, secret, why))
		return false;
	if (lseek(to, 0, SEEK_SET) == -1 || fcntl(to, F_ADD_SEALS, SEALS) == -1)
		return refuse_errno(why);
	return true;
}

static int
snapshot(const char *path, bool secret, char *why)
{
	int from = open_checked(path, secret, why), to;

	if (from == -1)
		return -1;
	to = create();
	if (to == -1)
		(void)refuse_errno(why);
	else if (!copy(to, from, secret, why)) {
		close(to);
		to = -1;
	}
	close(from);
	return to;
}

int
snapshot_file(const char *path, char why[SNAPSHOT_WHY_MAX])
{
	return snapshot(path, false, why);
}

int
snapshot_secret(const char *path, char why[SNAPSHOT_WHY_MAX])
{
	return snapshot(path, true, why);
}
