#include <string.h>

#include "proxyd/field.h"
#include "proxyd/rewrite_csp.h"
#include "proxyd/rewrite_fields.h"

struct directive {
	const char *text; /* without blanks around it */
	size_t len;
	size_t name_len;
	bool ignored; /* by browsers: it has bytes over ASCII */
};

/* What matters of a source list. */
struct sources {
	size_t count;
	bool none;	    /* 'none' is in it */
	bool self, any;	    /* 'self', * */
	bool unsafe_inline; /* 'unsafe-inline' … */
	bool guarded;	    /* … and what makes browsers ignore it */
};

/* One thing to allow in a policy. */
struct grant {
	const char *const *names; /* of directives, the first found governs */
	const char *source;	  /* to be added, without quotes */
	bool needed;
	bool inherited;		   /* it is default-src that governs */
	struct directive governor; /* text is NULL if nothing does */
	struct sources sources;	   /* of that */
};

/* The next directive of a policy, which is shortened; false at its end. */
static bool
next_directive(const char **policy, size_t *len, struct directive *directive)
{
	const char *semicolon;
	size_t n, i;

	do {
		if (*len == 0)
			return false;
		semicolon = memchr(*policy, ';', *len);
		n = semicolon != NULL ? (size_t)(semicolon - *policy) : *len;
		directive->text = *policy;
		directive->len = n;
		n += semicolon != NULL ? 1 : 0;
		*policy += n;
		*len -= n;
		field_trim(&directive->text, &directive->len);
	} while (directive->len == 0);
	directive->name_len = directive->len;
	directive->ignored = false;
	for (i = 0; i < directive->len; i++) {
		unsigned char c = (unsigned char)directive->text[i];

		if ((c == ' ' || c == '\t') &&
		    directive->name_len == directive->len)
			directive->name_len = i;
		directive->ignored |= c > 0x7f;
	}
	return true;
}

/* The first directive of that name, which is the one that counts. */
static bool
find_directive(const char *policy, size_t len, const char *name,
    struct directive *directive)
{
	while (next_directive(&policy, &len, directive))
		if (!directive->ignored &&
		    directive->name_len == strlen(name) &&
		    strncasecmp(directive->text, name, strlen(name)) == 0)
			return true;
	return false;
}

static bool
is_word(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(s, word, len) == 0;
}

/* A nonce or a hash: a malformed one means nothing to browsers. */
static bool
is_secret(const char *s, size_t len)
{
	static const char *const starts[] = { "'nonce-", "'sha256-", "'sha384-",
		"'sha512-" };
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/-_";
	size_t i, n = 0, pad;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]) && n == 0; i++)
		if (strncasecmp(s, starts[i], strlen(starts[i])) == 0)
			n = strlen(starts[i]);
	if (n == 0 || n >= len || strspn(s + n, base64) == 0)
		return false;
	n += strspn(s + n, base64);
	pad = strspn(s + n, "=");
	return pad <= 2 && n + pad + 1 == len && s[len - 1] == '\'';
}

static void
read_sources(const struct directive *directive, struct sources *sources)
{
	const char *s = directive->text + directive->name_len;
	const char *end = directive->text + directive->len;
	size_t len;

	memset(sources, 0, sizeof(*sources));
	while (s < end) {
		s += strspn(s, " \t");
		len = strcspn(s, " \t;,");
		sources->count++;
		sources->none |= is_word(s, len, "'none'");
		sources->self |= is_word(s, len, "'self'");
		sources->any |= is_word(s, len, "*");
		sources->unsafe_inline |= is_word(s, len, "'unsafe-inline'");
		sources->guarded |=
		    is_word(s, len, "'strict-dynamic'") || is_secret(s, len);
		s += len;
	}
}

static void
find_governor(struct grant *grant, const char *policy, size_t len)
{
	size_t i;

	for (i = 0; grant->names[i] != NULL; i++) {
		if (!find_directive(
			policy, len, grant->names[i], &grant->governor))
			continue;
		read_sources(&grant->governor, &grant->sources);
		grant->inherited = grant->names[i + 1] == NULL;
		return;
	}
	grant->governor.text = NULL;
}

/* The list with one source more; 'none' is only allowed alone. */
static void
write_list(const struct grant *grant, FILE *out)
{
	const struct directive *d = &grant->governor;

	if (grant->sources.count > 1 ||
	    (grant->sources.count == 1 && !grant->sources.none))
		(void)fwrite(
		    d->text + d->name_len, 1, d->len - d->name_len, out);
	(void)fprintf(out, " '%s'", grant->source);
}

static void
write_directive(const struct directive *d, const struct grant *grants,
    size_t count, FILE *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!grants[i].needed || grants[i].inherited ||
		    grants[i].governor.text != d->text)
			continue;
		(void)fwrite(d->text, 1, d->name_len, out);
		write_list(&grants[i], out);
		return;
	}
	(void)fwrite(d->text, 1, d->len, out);
}

static void
write_policy(
    const struct rewrite_fields *how, const char *policy, size_t len, FILE *out)
{
	static const char *const scripts[] = { "script-src-elem", "script-src",
		"default-src", NULL };
	static const char *const connections[] = { "connect-src", "default-src",
		NULL };
	struct grant grants[] = {
		{ .names = scripts, .source = how->script_hash },
		{ .names = connections, .source = "self" },
	};
	struct grant *script = &grants[0], *connect = &grants[1];
	const size_t count = sizeof(grants) / sizeof(grants[0]);
	const char *separator = "";
	struct directive d;
	size_t i;

	for (i = 0; i < count; i++)
		find_governor(&grants[i], policy, len);
	/* A hash would switch 'unsafe-inline' off for the page's own. */
	script->needed =
	    script->governor.text != NULL &&
	    (!script->sources.unsafe_inline || script->sources.guarded);
	connect->needed = connect->governor.text != NULL &&
			  !connect->sources.self && !connect->sources.any;
	for (; next_directive(&policy, &len, &d); separator = "; ") {
		(void)fputs(separator, out);
		write_directive(&d, grants, count, out);
	}
	for (i = 0; i < count; i++) {
		if (!grants[i].needed || !grants[i].inherited)
			continue;
		/* Not script-src-elem, which not every browser knows. */
		(void)fprintf(
		    out, "; %s", i == 0 ? "script-src" : "connect-src");
		write_list(&grants[i], out);
	}
}

bool
rewrite_csp(const struct rewrite_fields *how, const char *value, FILE *out)
{
	size_t len;

	for (;; value += len + 1) {
		len = strcspn(value, ",");
		write_policy(how, value, len, out);
		if (value[len] == '\0')
			return true;
		(void)fputs(", ", out);
	}
}
