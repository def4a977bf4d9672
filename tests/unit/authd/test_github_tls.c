/* Whom authd believes to be GitHub. */

#include "authd/github_internal.h"
#include "tests/unit/authd/github_fixture.h"

#define SECURE "https://api.test"

/* A certificate of its own that is for names, valid for so many seconds. */
struct identity {
	EVP_PKEY *key;
	X509 *x;
};

static struct identity
identity_new(const char *names, long seconds)
{
	struct identity id = { EVP_EC_gen("P-256"), X509_new() };
	X509_NAME *name = X509_get_subject_name(id.x);
	X509_EXTENSION *extension;

	assert_non_null(id.key);
	X509_set_version(id.x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id.x), 1);
	X509_gmtime_adj(X509_getm_notBefore(id.x), -7200);
	X509_gmtime_adj(X509_getm_notAfter(id.x), seconds);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)names, -1, -1, 0);
	X509_set_issuer_name(id.x, name);
	X509_set_pubkey(id.x, id.key);
	extension =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	assert_non_null(extension);
	X509_add_ext(id.x, extension, -1);
	X509_EXTENSION_free(extension);
	assert_true(X509_sign(id.x, id.key, EVP_sha256()) > 0);
	return id;
}

static void
identity_free(struct identity *id)
{
	X509_free(id->x);
	EVP_PKEY_free(id->key);
}

/* HTTP/2 for those who offer it. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *len,
    const unsigned char *in, unsigned int size, void *arg)
{
	static const unsigned char h2[] = { 2, 'h', '2' };

	(void)ssl;
	(void)arg;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)out, len, h2,
		   sizeof(h2), in, size) == OPENSSL_NPN_NEGOTIATED
		   ? SSL_TLSEXT_ERR_OK
		   : SSL_TLSEXT_ERR_NOACK;
}

/* The servers to come are that one. */
static void
serve_as(const struct identity *id)
{
	SSL_CTX_free(f.tls);
	f.tls = SSL_CTX_new(TLS_server_method());
	assert_non_null(f.tls);
	SSL_CTX_set_alpn_select_cb(f.tls, on_alpn, NULL);
	assert_int_equal(SSL_CTX_use_certificate(f.tls, id->x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(f.tls, id->key), 1);
}

/* The file of those who are trusted. */
static void
trust(const struct identity *id)
{
	FILE *file;
	int fd = memfd_create("ca", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	file = fdopen(dup(fd), "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, id->x), 1);
	(void)fclose(file);
	if (f.conf.github_ca_fd != -1)
		close(f.conf.github_ca_fd);
	f.conf.github_ca_fd = fd;
}

static void
test_good(void **state)
{
	static const char *const urls[] = { SECURE, "https://api.test:8443/x",
		"https://127.0.0.1", "https://[::1]:8443" };
	struct identity id =
	    identity_new("DNS:api.test,IP:127.0.0.1,IP:::1", 3600);
	struct call c;
	size_t i, n;

	(void)state;
	serve_as(&id);
	trust(&id);
	start(SECURE);
	for (i = 0; i < COUNT(urls); i++) {
		set_url(urls[i]);
		f.dials = 0;
		for (n = 0; n < 5; n++) {
			c = get("/user");
			assert_good(&c);
		}
		assert_int_equal(f.dials, 1);
	}
	/* curl adds none of its own. */
	assert_int_equal(sk_X509_OBJECT_num(X509_STORE_get0_objects(
			     SSL_CTX_get_cert_store(f.github->site.trust.ctx))),
	    1);
	assert_non_null(strstr(f.seen, "GET /user HTTP/1.1\r\n"
				       "Host: api.test\r\n"));
	assert_non_null(strstr(f.seen, "Host: [::1]:8443\r\n"));
	identity_free(&id);
}

/* Write it where the system's certificates are looked for by default. */
static void
make_known_to_system(const struct identity *id, const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, id->x), 1);
	(void)fclose(file);
	assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
}

/* Nobody else hears of the token. */
static void
test_refused(void **state)
{
	static const struct {
		const char *names;
		long seconds;
		bool known;
		const char *why;
	} table[] = {
		{ "DNS:api.test", 3600, false, "certificate" },
		{ "DNS:other.test", 3600, true, "api.test" },
		{ "DNS:*.api.test", 3600, true, "api.test" },
		{ "IP:127.0.0.1", 3600, true, "api.test" },
		{ "DNS:api.test", -10, true, "expired" },
	};
	struct identity other = identity_new("DNS:api.test", 3600), id;
	char path[] = "/tmp/authd.XXXXXX";
	struct call c;
	size_t i;
	int fd = mkstemp(path);

	(void)state;
	trust(&other);
	start(SECURE);
	for (i = 0; i < COUNT(table); i++) {
		id = identity_new(table[i].names, table[i].seconds);
		serve_as(&id);
		trust(table[i].known ? &id : &other);
		assert_null(github_check(f.github, &f.conf));
		github_reload(f.github);
		/* Whoever the system knows, the file is what counts. */
		make_known_to_system(&id, path);
		c = get("/user");
		assert_failed(&c, table[i].why);
		identity_free(&id);
	}
	assert_int_equal(f.requests, 0);
	identity_free(&other);
	(void)unsetenv("SSL_CERT_FILE");
	(void)unlink(path);
	(void)close(fd);
}

/* The system's certificates count when there is no file, and only then. */
static void
test_system(void **state)
{
	struct identity id = identity_new("DNS:api.test", 3600);
	struct identity known = identity_new("DNS:api.test", 3600);
	char path[] = "/tmp/authd.XXXXXX";
	int fd = mkstemp(path);
	struct call c;

	(void)state;
	make_known_to_system(&known, path);
	serve_as(&id);
	start(SECURE);
	(void)unsetenv("SSL_CERT_FILE");
	(void)unlink(path);
	(void)close(fd);
	c = get("/user");
	assert_failed(&c, "certificate");
	serve_as(&known);
	c = get("/user");
	assert_good(&c);
	serve_as(&id);
	trust(&id);
	github_reload(f.github);
	c = get("/user");
	assert_good(&c);
	/* The connection that was good is not for those who trust others. */
	close(f.conf.github_ca_fd);
	f.conf.github_ca_fd = -1;
	github_reload(f.github);
	c = get("/user");
	assert_failed(&c, "certificate");
	assert_int_equal(f.requests, 2);
	identity_free(&id);
	identity_free(&known);
}

static void
test_versions(void **state)
{
	static const struct {
		int version;
		bool good;
	} table[] = {
		{ TLS1_3_VERSION, true },
		{ TLS1_2_VERSION, true },
		{ TLS1_1_VERSION, false },
		{ TLS1_VERSION, false },
	};
	struct identity id = identity_new("DNS:api.test", 3600);
	struct call c;
	size_t i;

	(void)state;
	trust(&id);
	start(SECURE);
	for (i = 0; i < COUNT(table); i++) {
		serve_as(&id);
		SSL_CTX_set_security_level(f.tls, 0);
		assert_int_equal(
		    SSL_CTX_set_cipher_list(f.tls, "ALL:@SECLEVEL=0"), 1);
		SSL_CTX_set_min_proto_version(f.tls, table[i].version);
		SSL_CTX_set_max_proto_version(f.tls, table[i].version);
		c = get("/user");
		if (table[i].good)
			assert_good(&c);
		else
			assert_failed(&c, "version");
		set_url("http://127.0.0.1:1");
		set_url(SECURE);
	}
	identity_free(&id);
}

/* What is no TLS is not talked to in the clear, nor the other way round. */
static void
test_plain(void **state)
{
	struct identity id = identity_new("DNS:api.test", 3600);
	struct call c = { 0 };

	(void)state;
	trust(&id);
	start(SECURE);
	ask_until(&c, "/user", 300);
	wait_for(&c.done, 1);
	assert_int_equal(c.answer.result, GITHUB_FAILED);
	assert_int_equal(f.requests, 0);
	identity_free(&id);
}

/* Cut without a goodbye, in the body or after it. */
static void
test_cut(void **state)
{
	struct identity id = identity_new("DNS:api.test", 3600);
	struct call c;

	(void)state;
	serve_as(&id);
	trust(&id);
	start(SECURE);
	on_path((struct reply){ .path = "/cut",
	    .text = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
	    .then = CLOSE });
	on_path((struct reply){
	    .path = "/bye", .text = good, .then = CLOSE, .times = 1 });
	c = get("/cut");
	assert_failed(&c, "");
	c = get("/bye");
	assert_good(&c);
	c = get("/user");
	assert_good(&c);
	assert_int_equal(f.dials, 3);
	identity_free(&id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good),
		TEST(test_refused),
		TEST(test_system),
		TEST(test_versions),
		TEST(test_plain),
		TEST(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
