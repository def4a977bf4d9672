#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/control_peer.h"

/* The most lines a second about what clients did wrong, of each kind. */
#define REFUSALS_LOGGED 1
#define FAULTS_LOGGED	50

struct log_limit {
	time_t second;
	unsigned lines;
};

enum control_right
control_peer_right(uid_t uid, gid_t gid, const gid_t *groups, size_t n,
    uid_t owner, gid_t group)
{
	size_t i;

	if (uid == 0 || uid == owner)
		return CONTROL_CHANGE;
	if (gid == group)
		return CONTROL_LOOK;
	for (i = 0; i < n; i++)
		if (groups[i] == group)
			return CONTROL_LOOK;
	return CONTROL_NOTHING;
}

void
control_peer_get(int fd, gid_t group, struct control_peer *peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred), size = NGROUPS_MAX * sizeof(gid_t);
	gid_t *groups;

	*peer =
	    (struct control_peer){ .uid = (uid_t)-1, .right = CONTROL_NOTHING };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1) {
		log_warn("control: SO_PEERCRED");
		return;
	}
	peer->uid = cred.uid;
	peer->pid = cred.pid;
	groups = malloc(size);
	if (groups == NULL)
		fatal("control");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == -1) {
		log_warn("control: SO_PEERGROUPS");
		size = 0;
	}
	peer->right = control_peer_right(
	    cred.uid, cred.gid, groups, size / sizeof(gid_t), geteuid(), group);
	free(groups);
}

/* Whoever may connect could fill the disk. */
static bool
log_allowed(struct log_limit *l, unsigned max)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != l->second)
		*l = (struct log_limit){ .second = now.tv_sec };
	return l->lines++ < max;
}

void
control_peer_log_refusal(const struct control_peer *peer)
{
	static struct log_limit limit;

	if (log_allowed(&limit, REFUSALS_LOGGED))
		log_infox("control: uid %d, pid %d: permission denied",
		    (int)peer->uid, (int)peer->pid);
}

void
control_peer_log_fault(const struct control_peer *peer, const char *what)
{
	static struct log_limit limit;

	if (log_allowed(&limit, FAULTS_LOGGED))
		log_debugx("control: uid %d, pid %d: %s", (int)peer->uid,
		    (int)peer->pid, what);
}
