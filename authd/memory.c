#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/crypto.h>

#include "authd/memory.h"
#include "common/log.h"

static void
wipe_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* realloc(3) may leave a copy of what was there. */
static void *
wipe_realloc(void *p, size_t size)
{
	size_t old;
	void *now;

	if (p == NULL)
		return malloc(size);
	if (size == 0) {
		wipe_free(p);
		return NULL;
	}
	now = malloc(size);
	if (now == NULL)
		return NULL;
	old = malloc_usable_size(p);
	memcpy(now, p, old < size ? old : size);
	wipe_free(p);
	return now;
}

static void *
openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size == 0 ? NULL : malloc(size);
}

static void *
openssl_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipe_realloc(p, size);
}

static void
openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wipe_free(p);
}

void
memory_start(void)
{
	if (CRYPTO_set_mem_functions(
		openssl_malloc, openssl_realloc, openssl_free) != 1)
		fatalx("OpenSSL was in use before its memory was wiped");
	if (curl_global_init_mem(CURL_GLOBAL_NOTHING, malloc, wipe_free,
		wipe_realloc, strdup, calloc) != CURLE_OK)
		fatalx("curl: no memory functions");
}
