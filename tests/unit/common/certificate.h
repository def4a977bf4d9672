#ifndef TESTS_UNIT_COMMON_CERTIFICATE_H
#define TESTS_UNIT_COMMON_CERTIFICATE_H

/* Certificates of authorities that nobody knows, and files of them. */

#include <sys/mman.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* PEM, malloc'd. */
static char *
certificate_new(const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_non_null(key);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, x), 1);
	len = BIO_get_mem_data(bio, &text);
	text = strndup(text, (size_t)len);
	assert_non_null(text);
	BIO_free(bio);
	X509_free(x);
	EVP_PKEY_free(key);
	return text;
}

/* Its offset is at the end. */
static int
file_of(const char *text, size_t len)
{
	int fd = memfd_create("ca", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	return fd;
}

#endif
