#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/complaints.h"
#include "tetherd/draft.h"
#include "tetherd/dotenv.h"
#include "tetherd/settings.h"

#define ENV_FILE_MAX  (1024 * 1024)
#define VALUE_MAX     4096
#define CLIENT_ID_MAX 128

extern char **environ;

typedef const char *(*setter)(struct draft *, const char *);

static const char *
put(char **where, const char *value)
{
	if (*where != NULL)
		freezero(*where, strlen(*where));
	*where = strdup(value);
	return *where == NULL ? "out of memory" : NULL;
}

static const char *
put_number(uint32_t *where, const char *value, uint32_t min, uint32_t max)
{
	static char why[64];
	const char *error;
	long long n = strtonum(value, min, max, &error);

	if (error != NULL) {
		snprintf(
		    why, sizeof(why), "not a number from %u to %u", min, max);
		return why;
	}
	*where = (uint32_t)n;
	return NULL;
}

static const char *
set_mode(struct draft *d, const char *value)
{
	d->conf.connector.enabled = strcmp(value, "client") == 0;
	if (!d->conf.connector.enabled && strcmp(value, "standalone") != 0)
		return "neither standalone nor client";
	return NULL;
}

static const char *
set_url(struct draft *d, const char *value)
{
	return put(&d->url, value);
}

static const char *
set_token(struct draft *d, const char *value)
{
	const char *c;

	for (c = value; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return "white space or other characters that have no "
			       "place in a token";
	return put(&d->conf.authd.token, value);
}

/* It becomes a segment of every proxied URL's path (RFC 3986: pchar). */
static const char *
set_client_id(struct draft *d, const char *value)
{
	const char *c;

	if (strlen(value) > CLIENT_ID_MAX)
		return "longer than 128 characters";
	if (strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
		return "not usable as a part of a URL";
	for (c = value; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) &&
		    strchr("-._~!$&'()*+,;=:@", *c) == NULL)
			return "characters that have no place in a URL";
	return put(&d->conf.connector.client_id, value);
}

static const char *
set_reconnect(struct draft *d, const char *value)
{
	return put_number(
	    &d->conf.connector.reconnect_ms, value, 1, 24 * 3600 * 1000);
}

static const char *
set_heartbeat(struct draft *d, const char *value)
{
	return put_number(
	    &d->conf.connector.heartbeat_ms, value, 1, 24 * 3600 * 1000);
}

static const char *
set_callback_url(struct draft *d, const char *value)
{
	if (strncasecmp(value, "http://", 7) != 0 &&
	    strncasecmp(value, "https://", 8) != 0)
		return "not an http:// or https:// URL";
	return put(&d->conf.connector.callback_url, value);
}

static const char *
set_users(struct draft *d, const char *value)
{
	const char *why = put(&d->conf.authd.users, value);
	char *c;

	if (why != NULL)
		return why;
	for (c = d->conf.authd.users; *c != '\0'; c++)
		if (*c == ',' || isspace((unsigned char)*c))
			*c = ' ';
	return NULL;
}

static const char *
set_teams(struct draft *d, const char *value)
{
	return put(&d->conf.authd.teams, value);
}

static const char *
set_orgs(struct draft *d, const char *value)
{
	return put(&d->conf.authd.orgs, value);
}

static const char *
set_port(struct draft *d, const char *value)
{
	return put_number(&d->conf.proxyd.upstream_port, value, 1, 65535);
}

static const char *
set_database_path(struct draft *d, const char *value)
{
	char path[PATH_MAX], cwd[PATH_MAX];

	if (value[0] == '/')
		return put(&d->conf.authd.database_path, value);
	if (getcwd(cwd, sizeof(cwd)) == NULL ||
	    snprintf(path, sizeof(path), "%s/%s", cwd, value) >=
		(int)sizeof(path))
		return "path too long";
	return put(&d->conf.authd.database_path, path);
}

static const char *
set_jwt_secret(struct draft *d, const char *value)
{
	return put(&d->conf.authd.jwt_secret, value);
}

static const char *
set_ca_file(struct draft *d, const char *value)
{
	struct stat st;

	if (access(value, R_OK) == -1 || stat(value, &st) == -1)
		return strerror(errno);
	if (S_ISDIR(st.st_mode))
		return strerror(EISDIR);
	return put(&d->conf.connector.ca_file, value);
}

static const char *
set_proxy(struct draft *d, const char *value)
{
	return put(&d->proxy, value);
}

static const char *
set_page_script(struct draft *d, const char *value)
{
	d->conf.proxyd.page_script_external = strcmp(value, "external") == 0;
	return d->conf.proxyd.page_script_external ||
		       strcmp(value, "inline") == 0
		   ? NULL
		   : "must be inline or external";
}

static const char *
set_no_proxy(struct draft *d, const char *value)
{
	return put(&d->no_proxy, value);
}

/* The settings; a secret one leaves our environment once it is read. */
static const struct setting {
	const char *name;
	setter set;
	bool secret;
} settings[] = {
	{ "ORCHESTRATOR_MODE", set_mode, false },
	{ "ORCHESTRATOR_URL", set_url, true },
	{ "ORCHESTRATOR_TOKEN", set_token, true },
	{ "ORCHESTRATOR_CLIENT_ID", set_client_id, false },
	{ "ORCHESTRATOR_RECONNECT_INTERVAL", set_reconnect, false },
	{ "ORCHESTRATOR_HEARTBEAT_INTERVAL", set_heartbeat, false },
	{ "ORCHESTRATOR_CALLBACK_URL", set_callback_url, false },
	{ "ORCHESTRATOR_GITHUB_USERS", set_users, false },
	{ "ORCHESTRATOR_GITHUB_TEAM", set_teams, false },
	{ "ORCHESTRATOR_GITHUB_ORG", set_orgs, false },
	{ "PORT", set_port, false },
	{ "TETHERD_PAGE_SCRIPT", set_page_script, false },
	{ "DATABASE_PATH", set_database_path, false },
	{ "JWT_SECRET", set_jwt_secret, true },
	{ "SSL_CERT_FILE", set_ca_file, false },
	{ "https_proxy", set_proxy, true },
	{ "HTTPS_PROXY", set_proxy, true },
	{ "no_proxy", set_no_proxy, false },
	{ "NO_PROXY", set_no_proxy, false },
};
#define NSETTINGS (sizeof(settings) / sizeof(settings[0]))

/* The environment as it was at start. */
static char *captured[NSETTINGS];

/* Secrets of the reference's environment that nothing reads yet. */
static const char *const unused_secrets[] = { "GITHUB_TOKEN" };

static void
scrub(const char *name)
{
	size_t len = strlen(name);
	char **entry;

	/* In place, and each of several with that name: this is what
	 * /proc/PID/environ shows. */
	for (entry = environ; entry != NULL && *entry != NULL; entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			explicit_bzero(
			    *entry + len + 1, strlen(*entry + len + 1));
	unsetenv(name);
}

void
settings_capture(void)
{
	const char *value;
	size_t i;

	for (i = 0; i < NSETTINGS; i++) {
		value = getenv(settings[i].name);
		if (value != NULL && put(&captured[i], value) != NULL)
			fatal("environment");
		if (settings[i].secret)
			scrub(settings[i].name);
	}
	for (i = 0; i < sizeof(unused_secrets) / sizeof(char *); i++)
		scrub(unused_secrets[i]);
}

/* An empty setting is one that is not set. */
static const char *
setting_apply(const struct setting *s, struct draft *d, const char *value)
{
	if (value[0] == '\0')
		return NULL;
	if (strlen(value) > VALUE_MAX)
		return "longer than 4096 bytes";
	return s->set(d, value);
}

static const char *
apply_named(void *arg, const char *name, const char *value)
{
	static char text[256];
	const char *why;
	size_t i;

	for (i = 0; i < NSETTINGS; i++) {
		if (strcmp(settings[i].name, name) != 0)
			continue;
		why = setting_apply(&settings[i], arg, value);
		if (why == NULL)
			return NULL;
		snprintf(text, sizeof(text), "%s: %s", name, why);
		return text;
	}
	return NULL; /* the upstream's .env holds settings of its own */
}

/* The whole file, NUL-terminated; NULL with errno set. */
static char *
read_file(const char *path, size_t *size)
{
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1)
		goto done;
	if (!S_ISREG(st.st_mode) || st.st_size > ENV_FILE_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		goto done;
	}
	*size = (size_t)st.st_size + 1;
	text = calloc(1, *size);
	if (text == NULL)
		goto done;
	while (
	    len < *size - 1 && (n = read(fd, text + len, *size - 1 - len)) > 0)
		len += (size_t)n;
	if (n == -1 && len < *size - 1) {
		freezero(text, *size);
		text = NULL;
	}
done:
	close(fd);
	return text;
}

static int
apply_file(struct draft *d, const char *path)
{
	size_t size = 0;
	unsigned line;
	const char *why;
	char *text = read_file(path, &size);

	if (text == NULL) {
		log_warn("%s", path);
		return -1;
	}
	/* What stands behind a NUL would be ignored without a word. */
	if (strlen(text) < size - 1) {
		freezero(text, size);
		log_warnx("%s: contains a NUL", path);
		return -1;
	}
	why = dotenv_parse(text, apply_named, d, &line);
	freezero(text, size);
	if (why == NULL)
		return 0;
	log_warnx("%s:%u: %s", path, line, why);
	return -1;
}

static int
apply_environment(struct draft *d)
{
	const char *why;
	size_t i;

	for (i = 0; i < NSETTINGS; i++) {
		if (captured[i] == NULL)
			continue;
		why = setting_apply(&settings[i], d, captured[i]);
		if (why != NULL) {
			log_warnx("%s: %s", settings[i].name, why);
			return -1;
		}
	}
	return 0;
}

struct settings {
	struct conf *conf;
};

const struct conf *
settings_conf(const struct settings *s)
{
	return s->conf;
}

void
settings_free(struct settings *s)
{
	if (s == NULL)
		return;
	conf_free(s->conf);
	free(s);
}

struct settings *
settings_read(const struct sources *sources, struct complaints *complaints)
{
	const char *env_file = sources->env_file;
	struct settings *s;
	struct draft draft;
	const char *why, *name;

	draft_start(&draft);
	if ((env_file != NULL && apply_file(&draft, env_file) == -1) ||
	    apply_environment(&draft) == -1) {
		draft_free(&draft);
		return NULL;
	}
	why = draft_finish(&draft, &name);
	if (why != NULL) {
		log_warnx("%s: %s", name, why);
		draft_free(&draft);
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		fatal("settings");
	s->conf = draft_take(&draft);
	(void)complaints;
	return s;
}
