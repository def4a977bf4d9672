#ifndef TETHERD_CONTROL_CLIENT_H
#define TETHERD_CONTROL_CLIENT_H

#include <stdint.h>

#include "tetherd/control_peer.h"

/*
 * A client of the control socket.  It is read from only while it waits for
 * nothing: not while a command is under way, nor while it has not taken the
 * last answer.  So it costs the memory of one answer, whatever it does.
 */

struct children;
struct control_admin;
struct control_client;
struct event_base;
struct inquiries;
struct reload;

/* What the clients share. */
struct control_shared {
	struct event_base *base;
	struct children *children;
	struct reload *reload;
	struct inquiries *inquiries;
	struct control_admin *admin;
	uint64_t started;  /* see control_show_now() */
	unsigned landlock; /* see control_show.h */
	unsigned clients;  /* how many there are; each counts itself */
};

/*
 * One more, at the other end of fd, which is taken over.  It frees itself;
 * gone is called then.  Fatal when out of memory.
 */
struct control_client *control_client_new(struct control_shared *, int fd,
    const struct control_peer *,
    void (*gone)(void *arg, struct control_client *), void *arg);

/* Without calling gone.  NULL is allowed. */
void control_client_free(struct control_client *);

/* Answer the command that is under way, if there is one: tetherd ends. */
void control_client_dismiss(struct control_client *);

#endif
