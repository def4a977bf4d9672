#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/control_protocol.h"
#include "tetherd/control_socket.h"

#define BACKLOG	    16
#define SOCKET_MODE 0660

/* How often the lock is asked for, and the pause between, in nanoseconds. */
#define LOCK_TRIES 50
#define LOCK_PAUSE 20000000

/* Everybody may pass through it, whatever our umask is. */
static int
system_dir_make(void)
{
	mode_t mask = umask(022);
	int rc = mkdir(CONTROL_SYSTEM_DIR, 0755);

	(void)umask(mask);
	return rc == -1 && errno != EEXIST ? -1 : 0;
}

static const char *
usual_place(char *path, size_t size)
{
	static char why[CONTROL_VALUE_SIZE];

	if (control_path_from("RUNTIME_DIRECTORY", path, size) == 0)
		return NULL;
	if (geteuid() == 0) {
		if (system_dir_make() == -1) {
			(void)snprintf(why, sizeof(why), "%s: %s",
			    CONTROL_SYSTEM_DIR, strerror(errno));
			return why;
		}
		(void)strlcpy(path, CONTROL_SYSTEM_DIR "/" CONTROL_NAME, size);
		return NULL;
	}
	if (control_path_from("XDG_RUNTIME_DIR", path, size) == 0)
		return NULL;
	return "neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR names a folder";
}

/*
 * Lock the folder: of two that start at once, one would take the socket of the
 * other for stale until it listens.  Returns a descriptor to close, or -1:
 * whoever may look into a folder could hold the lock for ever, so that after a
 * second it must do without.
 */
static int
folder_lock(const char *path)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE };
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	int fd, i;

	if (slash != NULL)
		(void)snprintf(folder, sizeof(folder), "%.*s",
		    slash == path ? 1 : (int)(slash - path), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; fd != -1 && i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		(void)nanosleep(&pause, NULL);
	}
	if (fd != -1)
		close(fd);
	return -1;
}

/* Remove what a tetherd that died left behind; nothing else. */
static const char *
remove_stale(const struct sockaddr_un *sun)
{
	struct stat st;
	int fd, rc, error;

	if (lstat(sun->sun_path, &st) == -1)
		return errno == ENOENT ? NULL : strerror(errno);
	if (!S_ISSOCK(st.st_mode))
		return "exists, and is not a socket";
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return strerror(errno);
	rc = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	error = errno;
	close(fd);
	/* EAGAIN: it is only busy. */
	if (rc == 0 || error == EAGAIN)
		return "another tetherd listens there";
	if (error != ECONNREFUSED)
		return strerror(error);
	if (unlink(sun->sun_path) == -1 && errno != ENOENT)
		return strerror(errno);
	return NULL;
}

static const char *
give_rights(int fd, const struct stat *st, gid_t group)
{
	char name[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	if (st->st_gid != group &&
	    fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH) == -1)
		return "we may not give it to the control group";
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return chmod(name, SOCKET_MODE) == -1 ? strerror(errno) : NULL;
}

/*
 * Give the new socket its group and mode, and remember which file it is.
 * By a descriptor: the name might lead elsewhere by now.
 */
static const char *
set_rights(struct control_socket *s)
{
	int fd = open(s->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const char *why = NULL;
	struct stat st;

	if (fd == -1)
		return strerror(errno);
	if (fstat(fd, &st) == -1)
		why = strerror(errno);
	/* Two names: somebody linked another socket of ours to this place. */
	else if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid() ||
		 st.st_nlink != 1)
		why = "was replaced while it was made";
	if (why == NULL) {
		s->device = st.st_dev;
		s->inode = st.st_ino;
		why = give_rights(fd, &st, s->group);
	}
	close(fd);
	return why;
}

/* Returns NULL, or why there is no socket. */
static const char *
socket_make(struct control_socket *s)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *why;
	mode_t mask;
	int rc;

	if (strlcpy(sun.sun_path, s->path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		return strerror(ENAMETOOLONG);
	why = remove_stale(&sun);
	if (why != NULL)
		return why;
	s->fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd == -1)
		return strerror(errno);
	mask = umask(0177);
	rc = bind(s->fd, (struct sockaddr *)&sun, sizeof(sun));
	(void)umask(mask);
	if (rc == -1)
		return strerror(errno);
	why = set_rights(s);
	if (why == NULL && listen(s->fd, BACKLOG) == -1)
		why = strerror(errno);
	if (why != NULL)
		control_socket_close(s);
	return why;
}

void
control_socket_open(
    struct control_socket *s, const char *path, const char *group)
{
	bool wanted = path != NULL && path[0] != '\0';
	struct group *gr;
	const char *why;
	int lock;

	s->fd = -1;
	s->inode = 0;
	s->path[0] = '\0';
	s->group = getegid();
	if (group != NULL && group[0] != '\0') {
		gr = getgrnam(group);
		if (gr == NULL)
			fatalx("control group %s: no such group", group);
		s->group = gr->gr_gid;
	}
	if (!wanted)
		why = usual_place(s->path, sizeof(s->path));
	else if (strlcpy(s->path, path, sizeof(s->path)) >= sizeof(s->path))
		why = strerror(ENAMETOOLONG);
	else
		why = NULL;
	if (why == NULL) {
		lock = folder_lock(s->path);
		why = socket_make(s);
		if (lock != -1)
			close(lock);
	}
	if (why == NULL)
		return;
	if (wanted)
		fatalx("control socket %s: %s", path, why);
	log_warnx("no control socket: %s%s%s", s->path,
	    s->path[0] == '\0' ? "" : ": ", why);
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

void
control_socket_close(struct control_socket *s)
{
	struct stat st;

	if (s->fd == -1)
		return;
	/* While we listen nobody takes our place between the two calls. */
	if (lstat(s->path, &st) == 0 && st.st_dev == s->device &&
	    st.st_ino == s->inode)
		(void)unlink(s->path);
	close(s->fd);
	s->fd = -1;
}
