#include <arpa/inet.h>

#include <stdio.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "connector/tls.h"

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

const char *
tls_error(struct bufferevent *bev, char *buf, size_t size)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	unsigned long error = bufferevent_get_openssl_error(bev);
	long verified = SSL_get_verify_result(ssl);
	const char *reason;

	if (verified != X509_V_OK)
		reason = X509_verify_cert_error_string(verified);
	else
		reason = ERR_reason_error_string(error);
	if (reason == NULL)
		reason = "connection closed";
	(void)snprintf(buf, size, "TLS: %s", reason);
	return buf;
}
