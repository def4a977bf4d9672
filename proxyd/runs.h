#ifndef PROXYD_RUNS_H
#define PROXYD_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the upstream works at: as it says itself when it is asked (run_poll.h),
 * and in between as chat sockets tell (chat_tap.h).
 */

struct proxyd;
struct run_list;
struct runs;

/* The web apps that there are, by how they tell. */
enum run_app {
	RUN_APP_NONE, /* nobody knows */
	RUN_APP_OLD,
	RUN_APP_NEW
};

/* Of which more is known than their number. */
#define RUNS_MAX 256

/* Holds the name of a session, with its NUL. */
#define RUN_SESSION_SIZE 132

/*
 * How long one that began may be missing from what the app says: it hears of
 * it on another connection, and the old one lists it late.
 */
#define RUN_GRACE_OLD_MS 3000
#define RUN_GRACE_NEW_MS 1000

/* How long one counts whose end nobody would see, and that nobody confirms. */
#define RUN_UNHEARD_MS 3600000

/* Fatal when out of memory. */
struct runs *runs_new(struct proxyd *);
void runs_free(struct runs *);

/* Something runs; activity_update() is called whenever that changes. */
bool runs_any(const struct runs *);

/* The app was asked, or could not be, or is not to be. */
bool runs_are_known(const struct runs *);

/* Some of them are known from sockets alone so far. */
bool runs_are_doubtful(const struct runs *);

/*
 * For the operator: "2 (asked: cloudcli)", "none (from traffic)" or "unknown:
 * why".  Valid until the next call.
 */
const char *runs_text(const struct runs *);

/*
 * What to know of: the link is up or down, there is another upstream, the
 * settings changed, authd came (back), a tunnel or chat opened or closed.
 */
void runs_on_link(struct runs *);
void runs_on_upstream(struct runs *);
void runs_on_settings(struct runs *);
void runs_on_use(struct runs *);

/*
 * What a chat socket tells, which is the owner of what began there.  The
 * session may be "" where its name is not known, or not yet: it is named
 * later, or else one of the owner's ends when no other can be meant.  After
 * each of these the app is asked.
 */
void runs_begin(
    struct runs *, enum run_app, const void *owner, const char *session);
void runs_name(struct runs *, const void *owner, const char *session);
void runs_end(
    struct runs *, enum run_app, const void *owner, const char *session);
/*
 * It does not run, as was asked on some socket: that was perhaps before it
 * began on another, so that it counts only where the owner is gone.
 */
void runs_deny(struct runs *, const char *session);
/* Something happened, whatever it was. */
void runs_doubt(struct runs *);

/* Whether the owner has one; the owner is gone, but what runs goes on. */
bool runs_has(const struct runs *, const void *owner);
void runs_disown(struct runs *, const void *owner);

/*
 * For run_poll.c: what the app said when it was asked at asked_ms
 * (monotonic); or that it could not be asked, and why, a text that stays.
 */
void runs_on_answer(
    struct runs *, enum run_app, const struct run_list *, int64_t asked_ms);
void runs_on_failure(struct runs *, const char *why);
/* Nothing listens there: nothing runs. */
void runs_on_absence(struct runs *);

#endif
