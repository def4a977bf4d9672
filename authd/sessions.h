#ifndef AUTHD_SESSIONS_H
#define AUTHD_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "authd/jwt.h"
#include "common/session.h"

struct access_verdict;
struct authd_conf;
struct sessions;
struct status;
struct tether_db;

/*
 * Answers who may use the upstream as whom: a verdict (access.h), identity,
 * secret and JWT brought together, with the JWTs of a while in memory.
 */

/* JWTs kept; the least recently used goes first. */
#define SESSIONS_MAX 1024

/*
 * The age, in seconds, at which a JWT is replaced.  Past half of its life
 * the upstream would send a longer-lived one along with every answer.
 */
#define SESSIONS_RENEW (JWT_LIFETIME / 2 - 300)

/*
 * How long an answer may be kept, in milliseconds, at most: so long may
 * somebody go on whom the upstream has deleted.
 */
#define SESSIONS_LIFETIME_OK	 60000
#define SESSIONS_LIFETIME_DENIED 5000
#define SESSIONS_LIFETIME_BUSY	 1000

/*
 * conf must outlive it.  Makes tether.db with its directory, before the
 * sandbox; that it cannot is logged, and tried again later.  Fatal without
 * memory, or if a library does not work.
 */
struct sessions *sessions_new(const struct authd_conf *);
void sessions_free(struct sessions *);

/* Our own database, which lives as long as the sessions. */
struct tether_db *sessions_tether_db(struct sessions *);

/*
 * The session of the person that a verdict is about, at the time now.  Always
 * fills in *session, which holds a JWT if its status is SESSION_OK: wipe it.
 */
void sessions_get(struct sessions *, const struct access_verdict *, time_t now,
    struct session *session);

/*
 * The session of the instance itself, which is nobody's github_id and has the
 * login SESSION_SERVICE_LOGIN, in the same manner.  To act for people is
 * refused where there are rules, to watch where runs are not to be watched;
 * to watch leaves both databases as they are.  Returns whether a JWT was made
 * for it.
 */
bool sessions_get_service(struct sessions *, enum session_service, time_t now,
    struct session *session);

/* The operator has said something about this person: look again. */
void sessions_drop(struct sessions *, uint64_t github_id);

/* Forget secret, JWTs and user ids, and open the databases anew. */
void sessions_refresh(struct sessions *);

/* The same, as the conf that was given has another content now. */
void sessions_reload(struct sessions *);

/* Fill in all but the handles of authd's values (status.def). */
void sessions_status(const struct sessions *, struct status *);

/* Log one line about what was done so far. */
void sessions_log_status(const struct sessions *);

#endif
