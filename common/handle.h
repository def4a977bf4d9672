#ifndef COMMON_HANDLE_H
#define COMMON_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"
#include "common/session.h"

/*
 * Handles: what a page holds in place of a JWT.  proxyd asks authd for one
 * (HANDLE_NEW) for each page that it shows to a person, and whose one it is
 * (HANDLE_CHECK) when a page opens a tunnel; the answers, HANDLE and
 * HANDLE_OWNER, carry the id of the question, and always come.
 */

/*
 * "tether_" and 256 random bits in base64url (RFC 4648 section 5): one word
 * without a dot, which the web app takes for no JWT.
 */
#define HANDLE_PREFIX "tether_"
#define HANDLE_LEN    50
#define HANDLE_SIZE   (HANDLE_LEN + 1)

/* True if a string of any length looks like a handle. */
bool handle_is_valid(const char *handle);

/*
 * The payload of HANDLE and HANDLE_CHECK; "" stands for no handle.  The
 * reader returns -1, with "", if it is malformed or does not look like one.
 */
void handle_add(struct msg_out *, const char *handle);
int handle_read(struct msg *, char handle[HANDLE_SIZE]);

/*
 * The payload of HANDLE_NEW and HANDLE_OWNER; id 0 for nobody.  The reader
 * returns -1 if it is malformed.
 */
void handle_owner_add(struct msg_out *, uint64_t github_id, const char *login);
int handle_owner_read(
    struct msg *, uint64_t *github_id, char login[SESSION_LOGIN_MAX]);

#endif
