#ifndef AUTHD_TOKENS_H
#define AUTHD_TOKENS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "authd/database.h"
#include "common/admin.h"
#include "common/client_id.h"

/*
 * Tokens that orchestrators granted to this instance, by "host:port": kept in
 * tether.db, and in memory for as long as it cannot be written to.
 */

struct tether_db;
struct tokens;

/* Bytes, without the NUL. */
#define TOKENS_TOKEN_MAX     4096
#define TOKENS_CLIENT_ID_MAX CLIENT_ID_MAX

/* The database must outlive it.  Fatal when out of memory. */
struct tokens *tokens_new(struct tether_db *);
void tokens_free(struct tokens *);

/*
 * The token for a host, and the client id that it was granted for: DB_OK.
 * Both are "" with DB_NONE, if there is none, and with DB_FAILED (logged), if
 * nobody can tell now.  The caller wipes the token.
 */
enum db_result tokens_get(struct tokens *, const char *host,
    char token[TOKENS_TOKEN_MAX + 1], char client_id[TOKENS_CLIENT_ID_MAX + 1]);

/*
 * Keep a token in place of the host's one, and say so in the log; now is the
 * time of day.  DB_FAILED if it is only kept in memory.
 */
enum db_result tokens_put(struct tokens *, const char *host, const char *token,
    const char *client_id, time_t now);

/*
 * Call each() for every host that there is a token of, at most max times.
 * Whether it is used the caller knows better.
 */
enum db_result tokens_list(struct tokens *, size_t max,
    void (*each)(void *arg, const struct admin_token *), void *arg);

/*
 * Forget the token of a host: "host:port", or the host alone if just one of
 * that name is there.  DB_NONE if there is none, DB_TAKEN if it might be one
 * of several.
 */
enum db_result tokens_forget(struct tokens *, const char *host);

#endif
