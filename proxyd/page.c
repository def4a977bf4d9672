#include <ctype.h>
#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/embed.h"
#include "proxyd/page.h"

EMBED(page_js, "proxyd/page.js");
EMBED(worker_js, "proxyd/worker.js");

#define HASH_SIZE BASE64_SIZE(SHA256_DIGEST_LENGTH)

/* The base64 of a SHA-256 of two texts, NUL-terminated. */
static void
hash(const char *a, size_t a_len, const char *b, size_t b_len,
    char out[HASH_SIZE + 1])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct base64 encoder = { 0 };
	SHA2_CTX sha;
	size_t n;

	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)a, a_len);
	SHA256Update(&sha, (const uint8_t *)b, b_len);
	SHA256Final(digest, &sha);
	n = base64_feed(&encoder, digest, sizeof(digest), out);
	n += base64_finish(&encoder, out + n);
	out[n] = '\0';
}

struct rewrite_insert
page_script(void)
{
	return (
	    struct rewrite_insert){ page_js, (size_t)(page_js_end - page_js) };
}

const char *
page_script_hash(void)
{
	static char text[sizeof("sha256-") + HASH_SIZE];

	if (text[0] == '\0') {
		(void)strlcpy(text, "sha256-", sizeof(text));
		hash(page_js, page_script().len, "", 0, text + strlen(text));
	}
	return text;
}

const char *
page_version(void)
{
	static char text[sizeof(TETHERD_VERSION) + 1 + HASH_SIZE];
	char sum[HASH_SIZE + 1];
	size_t i;

	if (text[0] != '\0')
		return text;
	hash(page_js, page_script().len, worker_js,
	    (size_t)(worker_js_end - worker_js), sum);
	/* Fit for URLs and entity tags, and long enough. */
	for (i = 0; i < 8; i++)
		if (!isalnum((unsigned char)sum[i]))
			sum[i] = '_';
	(void)snprintf(text, sizeof(text), "%s.%.8s", TETHERD_VERSION, sum);
	return text;
}

/*
 * A string of JSON that means the same inside of a <script>, whatever is in
 * it: all but the plainest is a \u escape.  What is not ASCII would be
 * Latin-1, but there is none in ids and logins that get this far.
 */
static void
write_string(FILE *out, const char *name, const char *value)
{
	(void)fprintf(out, "\"%s\":\"", name);
	for (; *value != '\0'; value++) {
		if (isalnum((unsigned char)*value) ||
		    strchr("-._~/%", *value) != NULL)
			(void)fputc(*value, out);
		else
			(void)fprintf(out, "\\u%04x", (unsigned char)*value);
	}
	(void)fputc('"', out);
}

static void
write_config(FILE *out, const struct page *page, bool person)
{
	(void)fputc('{', out);
	write_string(out, "base", page->prefix->text);
	(void)fputc(',', out);
	write_string(out, "client", page->client_id);
	if (person) {
		(void)fputc(',', out);
		write_string(out, "handle", page->handle);
		(void)fputc(',', out);
		write_string(out, "login", page->login);
		if (page->token != NULL) {
			(void)fputc(',', out);
			write_string(out, "callback", page->callback);
			(void)fputc(',', out);
			write_string(out, "token", page->token);
		}
	} else if (page->base64)
		(void)fputs(",\"base64\":true", out);
	(void)fputc('}', out);
}

char *
page_injection(const struct page *page)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	(void)fputs(
	    "<script type=\"application/json\" id=\"tetherd-page\">", out);
	write_config(out, page, true);
	(void)fputs("</script>", out);
	if (page->external)
		(void)fprintf(out, "<script src=\"%s%s?v=%s\"></script>",
		    page->prefix->text, PAGE_SCRIPT_PATH, page_version());
	else
		(void)fprintf(out, "<script>%s</script>", page_js);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

char *
page_worker(const struct page *page)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	/* It is one function, to be called with what it needs. */
	(void)fprintf(out, "%s(", worker_js);
	write_config(out, page, false);
	(void)fputs(");\n", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
