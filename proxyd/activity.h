#ifndef PROXYD_ACTIVITY_H
#define PROXYD_ACTIVITY_H

/*
 * Whether people use this instance, or it works for them: told to the
 * connector whenever that changes.
 */

struct proxyd;

/* Something that counts changed: tunnels, chat sessions or runs. */
void activity_update(struct proxyd *);

/*
 * The connector is new, and knows nothing yet; or what runs is known for the
 * first time: before that nothing is said of an instance that seems idle.
 */
void activity_tell(struct proxyd *);

#endif
