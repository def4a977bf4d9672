#ifndef COMMON_TRUST_H
#define COMMON_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

/*
 * Whom we believe: certificates of authorities, and what else TLS is to keep
 * to.
 */

#define TRUST_DIGEST_SIZE 32 /* SHA-256 */

/* Zeroed, one that trusts nobody. */
struct trust {
	SSL_CTX *ctx;			   /* NULL for nobody */
	uint8_t digest[TRUST_DIGEST_SIZE]; /* of a file's bytes, else zeroes */
};

/*
 * Trust every certificate of a file, PEM, of at most CONF_FILE_MAX bytes.  It
 * is read from its beginning on, and fd stays the caller's; path is for
 * messages.  Returns NULL, or what is wrong with it, valid until the next
 * call; *trust is untouched then.
 */
const char *trust_read_file(struct trust *, const char *path, int fd);

/*
 * The system's store, all of it, while files can still be opened: its file and
 * what its folder holds.
 */
void trust_read_system(struct trust *);

/* Share what another one has. */
void trust_copy(struct trust *, const struct trust *from);

/* Whether both came from the same bytes. */
bool trust_is_same(const struct trust *, const struct trust *);

void trust_clear(struct trust *);

#endif
