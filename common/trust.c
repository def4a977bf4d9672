#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "common/log.h"
#include "common/slice.h"
#include "common/trust.h"

/* Room for a reason with the name of a file; that is cut, if need be. */
#define WHY_SIZE 512
#define PATH_LEN 400

static const char *
openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason == NULL ? "unknown error" : reason;
}

/* A connection as we want it, which trusts nobody yet. */
static SSL_CTX *
context_new(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		fatalx("TLS: no context");
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		fatalx("TLS: can't ask for TLS 1.2");
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	/* An idle connection should not hold 34 KiB of buffers. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

/*
 * The bytes of a file, malloc'd.  The parent hands out the same open file
 * again and again: its offset is not ours.
 */
static char *
read_all(int fd, size_t *len, const char **why)
{
	char *text = malloc(CONF_FILE_MAX + 1);
	ssize_t n = 1;

	if (text == NULL)
		fatal("ca file");
	for (*len = 0; n > 0 && *len <= CONF_FILE_MAX; *len += (size_t)n) {
		n = pread(
		    fd, text + *len, CONF_FILE_MAX + 1 - *len, (off_t)*len);
		if (n == -1)
			break;
	}
	if (n == -1)
		*why = strerror(errno);
	else if (*len > CONF_FILE_MAX)
		*why = "larger than 1 MiB";
	else
		return text;
	free(text);
	return NULL;
}

/* Nobody sits there to be asked for the password of a certificate. */
static int
no_password(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

/* Every certificate of a text: NULL, or what is wrong with it. */
static const char *
add_certificates(X509_STORE *store, const char *text, size_t len)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	const char *why = NULL;
	size_t count = 0;
	X509 *x;

	if (bio == NULL)
		fatalx("ca file: out of memory");
	ERR_clear_error();
	while (why == NULL && (x = PEM_read_bio_X509_AUX(
				   bio, NULL, no_password, NULL)) != NULL) {
		if (X509_STORE_add_cert(store, x) != 1)
			why = openssl_reason();
		X509_free(x);
		count++;
	}
	BIO_free(bio);
	/* That is how the end of the text looks. */
	if (why == NULL &&
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		why = openssl_reason();
	ERR_clear_error();
	if (why == NULL && count == 0)
		why = "no certificates in it";
	return why;
}

const char *
trust_read_file(struct trust *trust, const char *path, int fd)
{
	static char message[WHY_SIZE];
	struct trust new = { 0 };
	const char *why = NULL;
	size_t len;
	char *text = read_all(fd, &len, &why);

	if (text != NULL) {
		new.ctx = context_new();
		why = add_certificates(
		    SSL_CTX_get_cert_store(new.ctx), text, len);
		if (EVP_Digest(
			text, len, new.digest, NULL, EVP_sha256(), NULL) != 1)
			fatalx("ca file: no SHA-256");
		free(text);
	}
	if (why != NULL) {
		(void)snprintf(message, sizeof(message), "ca file: %.*s: %s",
		    PATH_LEN, path, why);
		trust_clear(&new);
		return message;
	}
	*trust = new;
	return NULL;
}

/* As c_rehash(1) names links to certificates: "5ed36f99.0". */
static bool
is_hash(const char *name)
{
	size_t digits = strspn(name, "0123456789abcdef");

	return digits == 8 && name[digits] == '.' &&
	       strspn(name + digits + 1, "0123456789") ==
		   strlen(name + digits + 1) &&
	       name[digits + 1] != '\0';
}

/* What is in a folder of the system's, of which nothing has to be usable. */
static void
add_folder(X509_STORE *store, const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char path[PATH_MAX];

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (is_hash(entry->d_name) &&
		    (size_t)snprintf(path, sizeof(path), "%s/%s", folder,
			entry->d_name) < sizeof(path))
			(void)X509_STORE_load_file(store, path);
	(void)closedir(dir);
}

/* As libcrypto has it, where there is an environment. */
static const char *
place(const char *variable, const char *usual)
{
	const char *set = getenv(variable);

	return set != NULL ? set : usual;
}

/*
 * All of it now: what libcrypto does by default is to look for a file whenever
 * it misses a certificate.
 */
void
trust_read_system(struct trust *trust)
{
	struct trust new = { .ctx = context_new() };
	X509_STORE *store = SSL_CTX_get_cert_store(new.ctx);

	(void)X509_STORE_load_file(
	    store, place(X509_get_default_cert_file_env(),
		       X509_get_default_cert_file()));
	add_folder(store, place(X509_get_default_cert_dir_env(),
			      X509_get_default_cert_dir()));
	ERR_clear_error();
	*trust = new;
}

void
trust_copy(struct trust *trust, const struct trust *from)
{
	*trust = *from;
	if (trust->ctx != NULL && SSL_CTX_up_ref(trust->ctx) != 1)
		fatalx("TLS: no context");
}

bool
trust_is_same(const struct trust *a, const struct trust *b)
{
	return (a->ctx == NULL) == (b->ctx == NULL) &&
	       memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

void
trust_clear(struct trust *trust)
{
	SSL_CTX_free(trust->ctx);
	memset(trust, 0, sizeof(*trust));
}
