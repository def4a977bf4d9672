#ifndef AUTHD_JWT_H
#define AUTHD_JWT_H

#include <stddef.h>
#include <stdint.h>

/* JSON Web Tokens (RFC 7519) as the upstream makes and checks them. */

/* How long a token is valid, in seconds. */
#define JWT_LIFETIME 3600

/*
 * Make libcrypto read all that it wants to read from files, and prove that
 * it computes HMAC-SHA256.  Before the sandbox.  Returns 0, or -1.
 */
int jwt_init(void);

/*
 * Write a token for a user of the upstream, issued at iat (seconds since
 * the epoch), signed with HS256, into token, which the caller wipes.
 * Returns 0, or -1 if it does not fit or memory or libcrypto fail.
 */
int jwt_sign(char *token, size_t size, const char *secret, int64_t user_id,
    const char *username, int64_t iat);

#endif
