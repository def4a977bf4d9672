#ifndef TETHERD_CONTROL_SOCKET_H
#define TETHERD_CONTROL_SOCKET_H

#include <sys/types.h>

#include <limits.h>

/*
 * The socket in the file system at which tetherctl finds tetherd.
 */
struct control_socket {
	int fd; /* listening, or -1: there is none */
	gid_t group;
	char path[PATH_MAX];
	dev_t device;
	ino_t inode;
};

/*
 * Make it, with mode 0660, at path ("" or NULL: the usual place) and for
 * that group ("" or NULL: our own).  One that nobody answers on any more is
 * replaced.  Fatal if the group is unknown or a path that was asked for
 * cannot be had; without the usual place a warning is all.
 */
void control_socket_open(
    struct control_socket *, const char *path, const char *group);

/* Close it and remove it, unless another one took its place. */
void control_socket_close(struct control_socket *);

#endif
