#ifndef TETHERD_CONTROL_PEER_H
#define TETHERD_CONTROL_PEER_H

#include <sys/types.h>

#include <stddef.h>

/*
 * Who connected to the control socket, as the kernel knows it, and what he
 * may do.  The mode of the socket's file only keeps strangers off earlier.
 */

enum control_right {
	CONTROL_NOTHING,
	CONTROL_LOOK,	/* show, stats */
	CONTROL_CHANGE, /* all */
};

struct control_peer {
	uid_t uid;
	pid_t pid;
	enum control_right right;
};

/*
 * Ask the kernel about the other end of a socket (unix(7): SO_PEERCRED,
 * SO_PEERGROUPS), and judge.  Nothing is allowed to whom it cannot tell.
 */
void control_peer_get(int fd, gid_t group, struct control_peer *);

/* Log that he was refused; at most a line a second, of all that are. */
void control_peer_log_refusal(const struct control_peer *);

/* Log, as debug, what else he did wrong; at most 50 lines a second. */
void control_peer_log_fault(const struct control_peer *, const char *what);

/*
 * What somebody may do: all as root or as the owner, look on as a member of
 * the group, be it the first one or one of n further ones.
 */
enum control_right control_peer_right(uid_t uid, gid_t gid, const gid_t *groups,
    size_t n, uid_t owner, gid_t group);

#endif
