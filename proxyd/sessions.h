#ifndef PROXYD_SESSIONS_H
#define PROXYD_SESSIONS_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "common/session.h"

/*
 * Who is who, as authd says: asked once per person, and once for each purpose
 * of the instance itself; kept for as long as authd allows.
 */

struct proxyd;
struct sessions;

/* One that waits; a member of its owner.  Zeroed when it does not wait. */
struct session_wait {
	TAILQ_ENTRY(session_wait) entry;
	struct session_entry *in;
	/* Called once, later; the session is valid only inside, and
	 * sessions_get() must not be called there. */
	void (*done)(void *arg, const struct session *);
	void *arg;
};

/* Fatal when out of memory. */
struct sessions *sessions_new(struct proxyd *);
void sessions_free(struct sessions *);

/*
 * The session of a person, valid until the next call of any function here;
 * or NULL, and wait->done() will be called.
 */
const struct session *sessions_get(struct sessions *, uint64_t github_id,
    const char *login, struct session_wait *wait);

/*
 * The same for the instance itself, which is never counted among people: its
 * session has the github_id 0 and the login SESSION_SERVICE_LOGIN.
 */
const struct session *sessions_get_service(
    struct sessions *, enum session_service, struct session_wait *wait);

/* Does nothing unless it waits. */
void sessions_cancel(struct session_wait *);

/*
 * The upstream does not accept the JWT that this person has: ask again next
 * time.
 */
void sessions_forget(struct sessions *, uint64_t github_id, const char *login);

/* The same for the instance, whatever its purpose. */
void sessions_forget_service(struct sessions *);

/*
 * Messages of authd; it came (back): ask what it did not answer, and from
 * now on what only its forerunner did.  sessions_on_session() returns -1 for
 * a session that is malformed, or another person's than was asked about.
 */
int sessions_on_session(struct sessions *, struct msg *);
void sessions_flush(struct sessions *);
void sessions_on_authd(struct sessions *);

/*
 * flushed() is called whenever all sessions count no more, after they do not:
 * who relies on one for longer than a request asks again then, and is told
 * what holds now.  It may call sessions_get().
 */
void sessions_on_flush(
    struct sessions *, void (*flushed)(void *arg), void *arg);

/* People who are known or asked about. */
size_t sessions_count(const struct sessions *);

#endif
