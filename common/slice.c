#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/slice.h"

static void
add_by_role(struct msg_out *m, char *const texts[SESSION_ROLE_COUNT])
{
	int role;

	for (role = 0; role < SESSION_ROLE_COUNT; role++)
		msg_add_str(m, texts[role]);
}

static void
get_by_role(struct msg *m, char *texts[SESSION_ROLE_COUNT])
{
	int role;

	for (role = 0; role < SESSION_ROLE_COUNT; role++)
		texts[role] = msg_get_strdup(m);
}

static void
free_by_role(char *texts[SESSION_ROLE_COUNT])
{
	int role;

	for (role = 0; role < SESSION_ROLE_COUNT; role++)
		free(texts[role]);
}

void
slice_add_connector(struct msg_out *m, const struct connector_conf *c)
{
	msg_add_u8(m, c->enabled);
	msg_add_u8(m, c->tls);
	msg_add_str(m, c->host);
	msg_add_u32(m, c->port);
	msg_add_str(m, c->target);
	msg_add_str(m, c->client_id);
	msg_add_u32(m, c->reconnect_ms);
	msg_add_u32(m, c->heartbeat_ms);
	msg_add_str(m, c->ca_file);
	msg_add_u32(m, c->message_max);
	msg_add_u32(m, c->json_depth);
	msg_add_u32(m, c->total_ms);
	msg_add_str(m, c->hostname);
	msg_add_str(m, c->project);
	msg_add_str(m, c->version);
	msg_add_str(m, c->callback_url);
	msg_add_str(m, c->claim_users);
	msg_add_str(m, c->claim_orgs);
	msg_add_str(m, c->claim_teams);
	confinement_add(m, &c->confinement);
}

static int
get_connector(void *conf, struct msg *m)
{
	struct connector_conf *c = conf;

	c->ca_fd = -1;
	c->enabled = msg_get_u8(m);
	c->tls = msg_get_u8(m);
	c->host = msg_get_strdup(m);
	c->port = msg_get_u32(m);
	c->target = msg_get_strdup(m);
	c->client_id = msg_get_strdup(m);
	c->reconnect_ms = msg_get_u32(m);
	c->heartbeat_ms = msg_get_u32(m);
	c->ca_file = msg_get_strdup(m);
	c->message_max = msg_get_u32(m);
	c->json_depth = msg_get_u32(m);
	c->total_ms = msg_get_u32(m);
	c->hostname = msg_get_strdup(m);
	c->project = msg_get_strdup(m);
	c->version = msg_get_strdup(m);
	c->callback_url = msg_get_strdup(m);
	c->claim_users = msg_get_strdup(m);
	c->claim_orgs = msg_get_strdup(m);
	c->claim_teams = msg_get_strdup(m);
	confinement_get(m, &c->confinement);
	return msg_end(m) ? 0 : -1;
}

void
slice_add_proxyd(struct msg_out *m, const struct proxyd_conf *c)
{
	msg_add_str(m, c->upstream_host);
	msg_add_u32(m, c->upstream_port);
	msg_add_u32(m, c->requests_max);
	msg_add_u32(m, c->body_max);
	msg_add_u64(m, c->buffered_max);
	msg_add_u32(m, c->connect_ms);
	msg_add_u32(m, c->total_ms);
	msg_add_u32(m, c->tunnels_max);
	msg_add_u32(m, c->tunnels_user_max);
	msg_add_u32(m, c->chats_max);
	msg_add_u32(m, c->chat_idle_ms);
	msg_add_u32(m, c->headers_max);
	msg_add_u32(m, c->headers_size_max);
	msg_add_u32(m, c->json_depth);
	msg_add_u8(m, c->watch_runs);
	msg_add_u8(m, c->page_script_external);
	msg_add_str(m, c->callback_url);
	msg_add_str(m, c->deny_paths);
	add_by_role(m, c->deny_paths_role);
	msg_add_u8(m, c->rules);
	msg_add_u32(m, c->requests_rate);
	msg_add_u32(m, c->tunnels_rate);
	msg_add_u32(m, c->failures_rate);
	msg_add_u8(m, c->audit);
	confinement_add(m, &c->confinement);
}

static int
get_proxyd(void *conf, struct msg *m)
{
	struct proxyd_conf *c = conf;

	c->upstream_host = msg_get_strdup(m);
	c->upstream_port = msg_get_u32(m);
	c->requests_max = msg_get_u32(m);
	c->body_max = msg_get_u32(m);
	c->buffered_max = msg_get_u64(m);
	c->connect_ms = msg_get_u32(m);
	c->total_ms = msg_get_u32(m);
	c->tunnels_max = msg_get_u32(m);
	c->tunnels_user_max = msg_get_u32(m);
	c->chats_max = msg_get_u32(m);
	c->chat_idle_ms = msg_get_u32(m);
	c->headers_max = msg_get_u32(m);
	c->headers_size_max = msg_get_u32(m);
	c->json_depth = msg_get_u32(m);
	c->watch_runs = msg_get_u8(m) != 0;
	c->page_script_external = msg_get_u8(m) != 0;
	c->callback_url = msg_get_strdup(m);
	c->deny_paths = msg_get_strdup(m);
	get_by_role(m, c->deny_paths_role);
	c->rules = msg_get_u8(m) != 0;
	c->requests_rate = msg_get_u32(m);
	c->tunnels_rate = msg_get_u32(m);
	c->failures_rate = msg_get_u32(m);
	c->audit = msg_get_u8(m);
	confinement_get(m, &c->confinement);
	return msg_end(m) ? 0 : -1;
}

void
slice_add_authd(struct msg_out *m, const struct authd_conf *c)
{
	msg_add_str(m, c->database_path);
	msg_add_str(m, c->state_dir);
	msg_add_str(m, c->jwt_secret);
	msg_add_u8(m, c->jwt_secret_default);
	msg_add_str(m, c->orchestrator);
	msg_add_str(m, c->token);
	msg_add_str(m, c->github_token);
	msg_add_str(m, c->github_api);
	msg_add_str(m, c->github_ca_file);
	add_by_role(m, c->users);
	add_by_role(m, c->teams);
	add_by_role(m, c->orgs);
	msg_add_u32(m, c->cache_allowed_ms);
	msg_add_u32(m, c->cache_refused_ms);
	msg_add_u32(m, c->failures_rate);
	msg_add_u8(m, c->watch_runs);
	msg_add_u8(m, c->adopt);
	msg_add_u8(m, c->trial);
	confinement_add(m, &c->confinement);
}

static int
get_authd(void *conf, struct msg *m)
{
	struct authd_conf *c = conf;

	c->github_ca_fd = -1;
	c->database_path = msg_get_strdup(m);
	c->state_dir = msg_get_strdup(m);
	c->jwt_secret = msg_get_strdup(m);
	c->jwt_secret_default = msg_get_u8(m);
	c->orchestrator = msg_get_strdup(m);
	c->token = msg_get_strdup(m);
	c->github_token = msg_get_strdup(m);
	c->github_api = msg_get_strdup(m);
	c->github_ca_file = msg_get_strdup(m);
	get_by_role(m, c->users);
	get_by_role(m, c->teams);
	get_by_role(m, c->orgs);
	c->cache_allowed_ms = msg_get_u32(m);
	c->cache_refused_ms = msg_get_u32(m);
	c->failures_rate = msg_get_u32(m);
	c->watch_runs = msg_get_u8(m) != 0;
	c->adopt = msg_get_u8(m);
	c->trial = msg_get_u8(m) != 0;
	confinement_get(m, &c->confinement);
	return msg_end(m) ? 0 : -1;
}

void
slice_add_dialer(struct msg_out *m, const struct dialer_conf *c)
{
	msg_add_str(m, c->host);
	msg_add_u32(m, c->port);
	msg_add_str(m, c->proxy_host);
	msg_add_u32(m, c->proxy_port);
	msg_add_str(m, c->proxy_auth);
	msg_add_u32(m, c->timeout_ms);
	confinement_add(m, &c->confinement);
}

static int
get_dialer(void *conf, struct msg *m)
{
	struct dialer_conf *c = conf;

	c->host = msg_get_strdup(m);
	c->port = msg_get_u32(m);
	c->proxy_host = msg_get_strdup(m);
	c->proxy_port = msg_get_u32(m);
	c->proxy_auth = msg_get_strdup(m);
	c->timeout_ms = msg_get_u32(m);
	confinement_get(m, &c->confinement);
	return msg_end(m) ? 0 : -1;
}

void
slice_add_launcher(struct msg_out *m, const struct launcher_conf *c)
{
	confinement_add(m, &c->confinement);
}

static int
get_launcher(void *conf, struct msg *m)
{
	struct launcher_conf *c = conf;

	confinement_get(m, &c->confinement);
	return msg_end(m) ? 0 : -1;
}

static void
free_secret(char *s)
{
	if (s != NULL)
		freezero(s, strlen(s));
}

void
slice_free_connector(struct connector_conf *c)
{
	/* A zeroed struct has no file either: nobody hands over number 0. */
	if (c->ca_fd > 0)
		close(c->ca_fd);
	free(c->host);
	free(c->target);
	free(c->client_id);
	free(c->ca_file);
	free(c->hostname);
	free(c->project);
	free(c->version);
	free(c->callback_url);
	free(c->claim_users);
	free(c->claim_orgs);
	free(c->claim_teams);
	memset(c, 0, sizeof(*c));
	c->ca_fd = -1;
}

void
slice_free_proxyd(struct proxyd_conf *c)
{
	free(c->upstream_host);
	free(c->callback_url);
	free(c->deny_paths);
	free_by_role(c->deny_paths_role);
	memset(c, 0, sizeof(*c));
}

void
slice_free_authd(struct authd_conf *c)
{
	if (c->github_ca_fd > 0)
		close(c->github_ca_fd);
	free(c->database_path);
	free(c->state_dir);
	free(c->orchestrator);
	free_secret(c->jwt_secret);
	free_secret(c->token);
	free_secret(c->github_token);
	free(c->github_api);
	free(c->github_ca_file);
	free_by_role(c->users);
	free_by_role(c->teams);
	free_by_role(c->orgs);
	memset(c, 0, sizeof(*c));
	c->github_ca_fd = -1;
}

void
slice_free_dialer(struct dialer_conf *c)
{
	free(c->host);
	free(c->proxy_host);
	free_secret(c->proxy_auth);
	memset(c, 0, sizeof(*c));
}

static const char *
get_file_connector(void *conf, enum conf_file which, const char *path, int fd)
{
	struct connector_conf *c = conf;

	(void)path;
	if (which != CONF_FILE_CA || c->ca_fd != -1) {
		close(fd);
		return "a file that is not for this process";
	}
	c->ca_fd = fd;
	return NULL;
}

/* None of the rest of the program has a use for files. */
static const char *
get_file_none(void *conf, enum conf_file which, const char *path, int fd)
{
	(void)conf;
	(void)which;
	(void)path;
	close(fd);
	return "a file that is not for this process";
}

bool
slice_is_token(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

/* What is wrong with a file that holds a secret: "token file: PATH: empty". */
static const char *complain(const char *, const char *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static const char *
complain(const char *what, const char *path, const char *format, ...)
{
	static char text[512];
	char why[128];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	(void)snprintf(text, sizeof(text), "%s: %s: %s", what, path, why);
	return text;
}

/* All of the file, which is closed, or -1 with errno set. */
static ssize_t
read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int error;

	do {
		n = pread(fd, text + len, size - len, (off_t)len);
		len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && len < size) || (n == -1 && errno == EINTR));
	error = errno;
	close(fd);
	errno = error;
	return n == -1 ? -1 : (ssize_t)len;
}

/*
 * What is wrong with the n bytes of a file, or NULL; those that end it, a
 * newline, are cut off.
 */
static const char *
check_secret(char *text, size_t *n, const char *what, const char *path)
{
	if (*n > 0 && text[*n - 1] == '\n')
		--*n;
	if (*n > 0 && text[*n - 1] == '\r')
		--*n;
	if (*n == 0)
		return complain(what, path, "empty");
	if (*n > CONF_SECRET_MAX)
		return complain(
		    what, path, "longer than %d bytes", CONF_SECRET_MAX);
	if (memchr(text, '\0', *n) != NULL)
		return complain(what, path, "contains a NUL");
	if (memchr(text, '\n', *n) != NULL)
		return complain(what, path, "more than one line");
	return NULL;
}

/* The secret in fd instead of *secret: NULL, or what is wrong with it. */
static const char *
read_secret(char **secret, const char *what, const char *path, int fd)
{
	/* Too long by one, even without what may end it. */
	char text[CONF_SECRET_MAX + 3];
	ssize_t n = read_all(fd, text, sizeof(text));
	size_t len = n == -1 ? 0 : (size_t)n;
	const char *why;
	char *copy;

	if (n == -1)
		return complain(what, path, "%s", strerror(errno));
	why = len == sizeof(text) ? complain(what, path, "longer than %d bytes",
					CONF_SECRET_MAX)
				  : check_secret(text, &len, what, path);
	if (why == NULL) {
		copy = strndup(text, len);
		if (copy == NULL)
			why = complain(what, path, "out of memory");
		else {
			free_secret(*secret);
			*secret = copy;
		}
	}
	explicit_bzero(text, sizeof(text));
	return why;
}

static const char *
read_token(char **token, const char *what, const char *path, int fd)
{
	const char *why = read_secret(token, what, path, fd);

	if (why != NULL || slice_is_token(*token))
		return why;
	return complain(
	    what, path, "contains characters that have no place in a token");
}

static const char *
get_file_authd(void *conf, enum conf_file which, const char *path, int fd)
{
	struct authd_conf *c = conf;

	switch (which) {
	case CONF_FILE_TOKEN:
		return read_token(&c->token, "token file", path, fd);
	case CONF_FILE_JWT_SECRET:
		return read_secret(&c->jwt_secret, "jwt secret file", path, fd);
	case CONF_FILE_GITHUB_TOKEN:
		return read_token(
		    &c->github_token, "github token file", path, fd);
	case CONF_FILE_GITHUB_CA:
		if (c->github_ca_fd != -1)
			return get_file_none(conf, which, path, fd);
		c->github_ca_fd = fd;
		return NULL;
	case CONF_FILE_CA:
	case CONF_FILE_COUNT:
	default:
		return get_file_none(conf, which, path, fd);
	}
}

static void
clear_connector(void *conf)
{
	slice_free_connector(conf);
}

static void
clear_proxyd(void *conf)
{
	slice_free_proxyd(conf);
}

static void
clear_authd(void *conf)
{
	slice_free_authd(conf);
}

static void
clear_dialer(void *conf)
{
	slice_free_dialer(conf);
}

/* There is nothing to free in it. */
static void
clear_launcher(void *conf)
{
	memset(conf, 0, sizeof(struct launcher_conf));
}

const struct slice_type slice_connector = {
	.type = MSG_CONF_CONNECTOR,
	.size = sizeof(struct connector_conf),
	.get = get_connector,
	.get_file = get_file_connector,
	.clear = clear_connector,
};

const struct slice_type slice_proxyd = {
	.type = MSG_CONF_PROXYD,
	.size = sizeof(struct proxyd_conf),
	.get = get_proxyd,
	.get_file = get_file_none,
	.clear = clear_proxyd,
};

const struct slice_type slice_authd = {
	.type = MSG_CONF_AUTHD,
	.size = sizeof(struct authd_conf),
	.get = get_authd,
	.get_file = get_file_authd,
	.clear = clear_authd,
};

const struct slice_type slice_dialer = {
	.type = MSG_CONF_DIALER,
	.size = sizeof(struct dialer_conf),
	.get = get_dialer,
	.get_file = get_file_none,
	.clear = clear_dialer,
};

const struct slice_type slice_launcher = {
	.type = MSG_CONF_LAUNCHER,
	.size = sizeof(struct launcher_conf),
	.get = get_launcher,
	.get_file = get_file_none,
	.clear = clear_launcher,
};
