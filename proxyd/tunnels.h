#ifndef PROXYD_TUNNELS_H
#define PROXYD_TUNNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "proxyd/tunnel.h"

/*
 * All tunnels, by their ids: how many there may be, their timers and their
 * end.  Those that still say goodbye count, too.
 */

/*
 * Pieces of one person that are not credited: each is a user_request, of
 * which the connector has only so many for all.  Not looked at for a tunnel
 * that has few.
 */
#define TUNNELS_OWED_MAX 1024
#define TUNNELS_OWED_FEW 4

struct proxyd;
struct tunnels;
struct user_request;

/* Fatal when out of memory. */
struct tunnels *tunnels_new(struct proxyd *);
void tunnels_free(struct tunnels *);

/* Open one, as a user_request asks; all replies to it come from here. */
void tunnels_open(
    struct tunnels *, enum tunnel_kind, const struct user_request *);

/* The one of that id that the page still knows, or NULL. */
struct tunnel *tunnels_find(struct tunnels *, const char *id);

/*
 * Where it is decided whether a person may have this tunnel: NULL, or why
 * not, for the page.  First whether authd is to be asked at all, then by the
 * role that it names, which the tunnel has from then on, and the target (path
 * and query); what helps is told to the tunnel.
 */
const char *tunnels_may_ask(const struct tunnels *, const struct tunnel *);
const char *tunnels_may_open(
    struct tunnels *, struct tunnel *, enum session_role, const char *target);

/* Count that something was refused to the tunnel's person. */
void tunnels_note_denied(struct tunnels *, const struct tunnel *);

/* Whether a piece more is not too much for the tunnel's person. */
bool tunnels_may_send(const struct tunnels *, const struct tunnel *);

/* The outbox has room again. */
void tunnels_continue(struct tunnels *);

/* The link is down, or the connector is gone: nobody can be told. */
void tunnels_clear(struct tunnels *);

/* Told to stop: pages and upstream are, too, and no more are opened. */
void tunnels_drain(struct tunnels *);

/* Another proxyd follows: none is opened here, and pages open theirs anew. */
void tunnels_leave(struct tunnels *);

/* Other paths are closed from now on: tunnels to one of them end. */
void tunnels_close_denied(struct tunnels *);

/*
 * The upstream is another one from now on: tunnels to the old one end, so
 * that their pages open them again.
 */
void tunnels_move(struct tunnels *);

/*
 * How many of them people use: those that may be opened, until they are over;
 * changed() is called after that number did.
 */
size_t tunnels_in_use(const struct tunnels *);
void tunnels_on_use(struct tunnels *, void (*changed)(void *arg), void *arg);

/* How many there are; done() is called when there are none any more. */
size_t tunnels_count(const struct tunnels *);
void tunnels_on_none(struct tunnels *, void (*done)(void *arg), void *arg);

#endif
