#ifndef AUTHD_TETHER_SERVICE_H
#define AUTHD_TETHER_SERVICE_H

#include <time.h>

#include "authd/tether_db.h"

/*
 * Which user of the upstream the instance itself is, in tether.db: at most
 * one, and never one that a person is bound to.  The database must be open;
 * failures are logged and DB_FAILED.
 */

/* Its github_id is 0, its login SESSION_SERVICE_LOGIN: DB_OK or DB_NONE. */
enum db_result tether_service_get(struct tether_db *, struct tether_identity *);

/* Bind it to the user that *service names, whoever was bound to that one. */
enum db_result tether_service_bind(
    struct tether_db *, const struct tether_identity *service, time_t now);

/* Note the time of its latest JWT; waits only little. */
enum db_result tether_service_seen(struct tether_db *, time_t now);

#endif
