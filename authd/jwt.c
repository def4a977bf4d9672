#include <string.h>

#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "authd/jwt.h"

#define DIGEST_SIZE 32

/* The text being built: what does not fit makes it fail as a whole. */
struct text {
	char *data;
	size_t len;
	size_t size;
	int failed;
};

static int jwt_payload(struct text *, int64_t, const char *, int64_t);
static int jwt_hmac(uint8_t *, const char *, const char *, size_t);
static void text_add_base64url(struct text *, const void *, size_t);
static void text_add_char(struct text *, char);

int
jwt_init(void)
{
	/* RFC 4231, test case 2. */
	static const uint8_t expected[DIGEST_SIZE] = { 0x5b, 0xdc, 0xc1, 0x46,
		0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
		0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
		0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43 };
	static const char data[] = "what do ya want for nothing?";
	uint8_t digest[DIGEST_SIZE];

	if (jwt_hmac(digest, "Jefe", data, strlen(data)) == -1)
		return -1;
	return memcmp(digest, expected, sizeof(digest)) == 0 ? 0 : -1;
}

int
jwt_sign(char *token, size_t size, const char *secret, int64_t user_id,
    const char *username, int64_t iat)
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	struct text t = { .data = token, .size = size };
	uint8_t digest[DIGEST_SIZE];

	text_add_base64url(&t, header, strlen(header));
	text_add_char(&t, '.');
	if (jwt_payload(&t, user_id, username, iat) == -1 || t.failed ||
	    jwt_hmac(digest, secret, token, t.len) == -1)
		goto fail;
	text_add_char(&t, '.');
	text_add_base64url(&t, digest, sizeof(digest));
	text_add_char(&t, '\0');
	explicit_bzero(digest, sizeof(digest));
	if (t.failed)
		goto fail;
	return 0;
fail:
	explicit_bzero(token, size);
	return -1;
}

static int
jwt_payload(struct text *t, int64_t user_id, const char *username, int64_t iat)
{
	struct json_object *o = json_object_new_object();
	const char *json = NULL;
	int ok;

	if (o == NULL)
		return -1;
	ok =
	    json_object_object_add(
		o, "userId", json_object_new_int64(user_id)) == 0 &&
	    json_object_object_add(
		o, "username", json_object_new_string(username)) == 0 &&
	    json_object_object_add(o, "iat", json_object_new_int64(iat)) == 0 &&
	    json_object_object_add(
		o, "exp", json_object_new_int64(iat + JWT_LIFETIME)) == 0;
	if (ok)
		json = json_object_to_json_string_ext(
		    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (json != NULL)
		text_add_base64url(t, json, strlen(json));
	(void)json_object_put(o);
	return json == NULL ? -1 : 0;
}

static int
jwt_hmac(uint8_t *digest, const char *secret, const char *data, size_t len)
{
	unsigned int n = 0;

	if (HMAC(EVP_sha256(), secret, (int)strlen(secret),
		(const unsigned char *)data, len, digest, &n) == NULL ||
	    n != DIGEST_SIZE)
		return -1;
	return 0;
}

/* RFC 4648 section 5, without padding as RFC 7515 wants it. */
static void
text_add_base64url(struct text *t, const void *data, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-_";
	const uint8_t *p = data;
	uint32_t bits = 0;
	int nbits = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		bits = (bits << 8 | p[i]) & 0xffff;
		for (nbits += 8; nbits >= 6; nbits -= 6)
			text_add_char(t, digits[bits >> (nbits - 6) & 0x3f]);
	}
	if (nbits > 0)
		text_add_char(t, digits[bits << (6 - nbits) & 0x3f]);
}

static void
text_add_char(struct text *t, char c)
{
	if (t->len == t->size) {
		t->failed = 1;
		return;
	}
	t->data[t->len++] = c;
}
