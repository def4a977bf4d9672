#include <arpa/inet.h>

#include <stdio.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "connector/tls.h"

/* OpenSSL's reason for an alert is its number, one byte, and an offset. */
#define ALERT_REASON_MAX (SSL_AD_REASON_OFFSET + UINT8_MAX)

/* Name the server in the handshake, and check that it is the one. */
static int
expect_host(SSL *ssl, const char *host)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, host, address) == 1 ||
	    inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set_tlsext_host_name(ssl, host) != 1)
		return 0;
	return SSL_set1_host(ssl, host);
}

struct bufferevent *
tls_connect(SSL_CTX *ctx, struct event_base *base, int fd, const char *host)
{
	struct bufferevent *bev;
	SSL *ssl = SSL_new(ctx);

	if (ssl == NULL)
		return NULL;
	if (expect_host(ssl, host) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	bev = bufferevent_openssl_socket_new(
	    base, fd, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		SSL_free(ssl);
	return bev;
}

/* What OpenSSL says in words that only its authors understand. */
static const char *
explain(int reason)
{
	switch (reason) {
	case SSL_R_WRONG_VERSION_NUMBER:
		return "what the other end sent is not TLS";
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_AD_REASON_OFFSET + SSL_AD_PROTOCOL_VERSION:
		return "the other end does not offer TLS 1.2 or newer";
	default:
		return NULL;
	}
}

static const char *
describe(unsigned long error, char *buf, size_t size)
{
	int reason = ERR_GET_REASON(error);
	const char *text = explain(reason);

	if (text != NULL)
		return text;
	if (reason > SSL_AD_REASON_OFFSET && reason <= ALERT_REASON_MAX) {
		(void)snprintf(buf, size, "the other end refuses: %s",
		    SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
		return buf;
	}
	text = ERR_reason_error_string(error);
	return text == NULL ? "unknown error" : text;
}

/*
 * What all began with: they come in reverse order, with those of the kernel
 * and results of SSL_get_error(), which are of no library, among them.
 */
static unsigned long
first_error(struct bufferevent *bev)
{
	unsigned long error, first = 0;

	while ((error = bufferevent_get_openssl_error(bev)) != 0)
		if (ERR_GET_LIB(error) == ERR_LIB_SSL)
			first = error;
	return first;
}

bool
tls_error(struct bufferevent *bev, char *why, size_t size)
{
	unsigned long error = first_error(bev);
	long verified = SSL_get_verify_result(bufferevent_openssl_get_ssl(bev));
	char text[128];

	if (verified != X509_V_OK) {
		(void)snprintf(why, size, "TLS: certificate refused: %s",
		    X509_verify_cert_error_string(verified));
		return true;
	}
	/* Hanging up without a farewell is no different from one with it. */
	if (error == 0 ||
	    ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return false;
	(void)snprintf(
	    why, size, "TLS: %s", describe(error, text, sizeof(text)));
	return true;
}
