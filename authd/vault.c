#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "authd/vault.h"
#include "common/log.h"
#include "common/slice.h"

/* The smallest piece of memory, in bytes; a power of two. */
#define PIECE_MIN 32

/* CRYPTO_secure_malloc_init() says so if mlock(2) was refused. */
#define NOT_LOCKED 2

void
vault_init(void)
{
	switch (CRYPTO_secure_malloc_init(VAULT_SIZE, PIECE_MIN)) {
	case 1:
		break;
	case NOT_LOCKED:
		log_infox("secrets in memory are not locked: they may be "
			  "written to swap (limit for locked memory)");
		break;
	default:
		fatalx("no memory for secrets");
	}
}

void *
vault_new(size_t size)
{
	/* Without the heap OpenSSL would take memory of any kind. */
	if (!CRYPTO_secure_malloc_initialized())
		fatalx("memory for secrets is not there yet");
	return OPENSSL_secure_zalloc(size);
}

char *
vault_copy(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = vault_new(size);

	if (copy != NULL)
		memcpy(copy, s, size);
	return copy;
}

char *
vault_copy_cached(const char *s)
{
	if (CRYPTO_secure_used() + strlen(s) + 1 > VAULT_CACHE_MAX)
		return NULL;
	return vault_copy(s);
}

void
vault_free(void *secret)
{
	/* Wiped up to the whole size of its piece. */
	OPENSSL_secure_free(secret);
}

/* Move one string, unless it is there already. */
static int
keep(char **secret)
{
	char *copy;

	if (*secret == NULL || CRYPTO_secure_allocated(*secret))
		return 0;
	if ((copy = vault_copy(*secret)) == NULL)
		return -1;
	freezero(*secret, strlen(*secret));
	*secret = copy;
	return 0;
}

static void
drop(char **secret)
{
	if (*secret == NULL || !CRYPTO_secure_allocated(*secret))
		return;
	vault_free(*secret);
	*secret = NULL;
}

int
vault_keep_conf(struct authd_conf *conf)
{
	int rc = keep(&conf->jwt_secret);

	if (keep(&conf->token) == -1)
		rc = -1;
	if (keep(&conf->github_token) == -1)
		rc = -1;
	return rc;
}

void
vault_drop_conf(struct authd_conf *conf)
{
	drop(&conf->jwt_secret);
	drop(&conf->token);
	drop(&conf->github_token);
}
