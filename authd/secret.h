#ifndef AUTHD_SECRET_H
#define AUTHD_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "authd/trouble.h"
#include "authd/upstream_db.h"

struct authd_conf;

/* The web app makes 128 hexadecimal digits; operators may like it longer. */
#define SECRET_MAX 1024

/*
 * The secret that the upstream signs its JWTs with: from the configuration,
 * else from the upstream's own database, which it may make after we start.
 */
struct secret {
	const struct authd_conf *conf;
	char *value; /* from the database; "" if not known; in the vault */
	uint64_t generation; /* of the database that it came from */
	struct trouble trouble;
};

/* Fatal if the vault has no room. */
void secret_init(struct secret *, const struct authd_conf *);
void secret_free(struct secret *);

/* Warn at start-up about a configuration that is dangerous or no use. */
void secret_check(const struct secret *);

/*
 * The secret, valid until the next call of a function here; NULL, and the
 * reason logged, if there is none.  The database must be open.
 */
const char *secret_get(struct secret *, struct upstream_db *);

/* Wipe what was read; it is read again when needed. */
void secret_forget(struct secret *);

#endif
