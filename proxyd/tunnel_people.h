#ifndef PROXYD_TUNNEL_PEOPLE_H
#define PROXYD_TUNNEL_PEOPLE_H

#include <stdint.h>

/*
 * Whose tunnels are open, and whether they still may be: each person, however
 * many tunnels they have, is asked about again when what authd said of them
 * is no longer true for sure.
 */

struct proxyd;
struct tunnel;
struct tunnel_people;

/* Fatal when out of memory. */
struct tunnel_people *tunnel_people_new(struct proxyd *);
/* Nobody has a tunnel any more. */
void tunnel_people_free(struct tunnel_people *);

/* Its person may have this tunnel, with the role that stands in it. */
void tunnel_people_join(struct tunnel_people *, struct tunnel *);

/* Does nothing if the tunnel did not join. */
void tunnel_people_leave(struct tunnel *);

/*
 * About once a second: end the tunnels of those who may no longer come in,
 * and those that were opened with another role than their person has now, so
 * that their pages open them again.  Where authd cannot say, all stay as they
 * are until it can.
 */
void tunnel_people_check(struct tunnel_people *, int64_t now_ms);

/* What authd could not say, it may now. */
void tunnel_people_hurry(struct tunnel_people *);

#endif
