#ifndef AUTHD_VAULT_H
#define AUTHD_VAULT_H

#include <stddef.h>

/*
 * Memory for secrets that live long: of OpenSSL's secure heap, which stands
 * between guard pages, is never written to swap where the limit for locked
 * memory allows, is in no core file, and is wiped when it is freed.
 */

struct authd_conf;

/* Its size in bytes; libcrypto keeps keys of its own there, too. */
#define VAULT_SIZE (1024 * 1024)

/* What may be made again takes no more than this in all. */
#define VAULT_CACHE_MAX (VAULT_SIZE / 4 * 3)

/*
 * Make it.  After memory.h, before libcrypto is used for anything else and
 * before the sandbox.  Fatal if it cannot be had; that it could not be locked
 * is logged.
 */
void vault_init(void);

/*
 * Zeroed memory, or a copy of a string that is at most that.  NULL if there
 * is no room: never is anything else taken in its place.
 */
void *vault_new(size_t size);
char *vault_copy(const char *);

/* The same for what may be made again, as long as there is plenty of room. */
char *vault_copy_cached(const char *);

/* Wipe and free one.  NULL is allowed. */
void vault_free(void *);

/*
 * Move the secrets of a configuration into the vault, the originals wiped.
 * Returns 0, or -1 if there is no room: what could not be moved is where it
 * was.
 */
int vault_keep_conf(struct authd_conf *);

/*
 * Wipe and free what vault_keep_conf() moved; NULL is in its place.  Before
 * slice_free_authd(), which knows nothing of this.
 */
void vault_drop_conf(struct authd_conf *);

#endif
