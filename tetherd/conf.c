#include <sys/types.h>

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/channel.h"
#include "tetherd/conf.h"
#include "tetherd/draft.h"
#include "tetherd/proxy.h"
#include "tetherd/url.h"

#define MIB (1024 * 1024)

static char *
copy(const char *s)
{
	char *c = strdup(s);

	if (c == NULL)
		fatal("strdup");
	return c;
}

static char *
home_path(const char *below)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;
	char *path;

	if (home == NULL || home[0] != '/') {
		pw = getpwuid(getuid());
		home = pw == NULL ? "/" : pw->pw_dir;
	}
	if (asprintf(&path, "%s/%s", home, below) == -1)
		fatal("asprintf");
	return path;
}

/* systemd gives a colon-separated list; the first one is ours. */
static char *
state_dir(void)
{
	const char *dir = getenv("STATE_DIRECTORY");

	if (dir == NULL || dir[0] != '/')
		return home_path(".local/state/tetherd");
	return strndup(dir, strcspn(dir, ":"));
}

void
draft_start(struct draft *d)
{
	char hostname[HOST_NAME_MAX + 1];
	char cwd[PATH_MAX];

	if (gethostname(hostname, sizeof(hostname)) == -1)
		fatal("gethostname");
	hostname[sizeof(hostname) - 1] = '\0';
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		fatal("getcwd");
	*d = (struct draft){
		.conf.connector = {
			.host = copy(""),
			.target = copy("/"),
			.client_id = copy(hostname),
			.reconnect_ms = 5000,
			.heartbeat_ms = 30000,
			.ca_file = copy(""),
			.hostname = copy(hostname),
			.project = copy(cwd),
			.version = copy(TETHERD_VERSION),
			.callback_url = copy(""),
			.ca_fd = -1,
			.message_max = 32 * MIB,
			.sandbox = true,
		},
		.conf.proxyd = {
			.upstream_host = copy("127.0.0.1"),
			.upstream_port = 3001,
			.requests_max = 256,
			.body_max = 32 * MIB,
			.buffered_max = 256 * MIB,
			.connect_ms = 5000,
			.total_ms = 29000,
			.tunnels_max = 256,
			.tunnels_user_max = 64,
			.deny_paths = copy(""),
			.sandbox = true,
		},
		.conf.authd = {
			.database_path = home_path(".cloudcli/auth.db"),
			.state_dir = state_dir(),
			.jwt_secret = copy(""),
			.token = copy(""),
			.github_token = copy(""),
			.github_api = copy("https://api.github.com"),
			.users = copy(""),
			.teams = copy(""),
			.orgs = copy(""),
			.adopt = true,
			.sandbox = true,
		},
		.conf.dialer = {
			.host = copy(""),
			.proxy_host = copy(""),
			.proxy_auth = copy(""),
			.timeout_ms = 30000,
			.sandbox = true,
		},
		.url = copy(""),
		.proxy = copy(""),
		.no_proxy = copy(""),
	};
}

static void
replace(char **s, const char *with)
{
	free(*s);
	*s = copy(with);
}

static const char *
finish_url(struct draft *d, const char **name)
{
	struct connector_conf *c = &d->conf.connector;
	struct url url;
	const char *why;

	*name = "ORCHESTRATOR_URL";
	if (d->url[0] == '\0')
		return "not set, but ORCHESTRATOR_MODE is client";
	why = url_parse(d->url, &url);
	if (why != NULL)
		return why;
	c->tls = url.tls;
	c->port = url.port;
	replace(&c->host, url.host);
	replace(&c->target, url.target);
	replace(&d->conf.dialer.host, url.host);
	d->conf.dialer.port = url.port;
	url_free(&url);
	return NULL;
}

static const char *
finish_proxy(struct draft *d, const char **name)
{
	struct dialer_conf *dialer = &d->conf.dialer;

	/* As everywhere: this proxy is for targets that speak TLS. */
	if (!d->conf.connector.tls || d->proxy[0] == '\0' ||
	    proxy_is_bypassed(d->no_proxy, dialer->host, dialer->port))
		return NULL;
	*name = "HTTPS_PROXY";
	return proxy_parse(d->proxy, dialer);
}

const char *
draft_finish(struct draft *d, const char **name)
{
	const char *why;

	if (!d->conf.connector.enabled)
		return NULL;
	why = finish_url(d, name);
	if (why != NULL)
		return why;
	why = finish_proxy(d, name);
	if (why != NULL)
		return why;
	if (d->conf.authd.token[0] == '\0') {
		*name = "ORCHESTRATOR_TOKEN";
		return "not set, but ORCHESTRATOR_MODE is client";
	}
	return NULL;
}

static void
conf_clear(struct conf *conf)
{
	slice_free_connector(&conf->connector);
	slice_free_proxyd(&conf->proxyd);
	slice_free_authd(&conf->authd);
	slice_free_dialer(&conf->dialer);
}

struct conf *
draft_take(struct draft *d)
{
	struct conf *conf = malloc(sizeof(*conf));

	if (conf == NULL)
		fatal("configuration");
	*conf = d->conf;
	memset(&d->conf, 0, sizeof(d->conf));
	draft_free(d);
	return conf;
}

void
draft_free(struct draft *d)
{
	conf_clear(&d->conf);
	/* Both URLs may hold a password or a token. */
	freezero(d->url, d->url == NULL ? 0 : strlen(d->url));
	freezero(d->proxy, d->proxy == NULL ? 0 : strlen(d->proxy));
	free(d->no_proxy);
	memset(d, 0, sizeof(*d));
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	conf_clear(conf);
	free(conf);
}

void
conf_slice(const struct conf *conf, enum program program, struct msg_out *m)
{
	switch (program) {
	case PROGRAM_CONNECTOR:
		msg_start(m, MSG_CONF_CONNECTOR, 0);
		slice_add_connector(m, &conf->connector);
		break;
	case PROGRAM_PROXYD:
		msg_start(m, MSG_CONF_PROXYD, 0);
		slice_add_proxyd(m, &conf->proxyd);
		break;
	case PROGRAM_AUTHD:
		msg_start(m, MSG_CONF_AUTHD, 0);
		slice_add_authd(m, &conf->authd);
		break;
	case PROGRAM_DIALER:
		msg_start(m, MSG_CONF_DIALER, 0);
		slice_add_dialer(m, &conf->dialer);
		break;
	case PROGRAM_PARENT:
	case PROGRAM_TETHERCTL:
	case PROGRAM_COUNT:
		fatalx("no configuration for %s", program_name(program));
	}
}

bool
conf_same_slice(
    const struct conf *a, const struct conf *b, enum program program)
{
	struct msg_out ma, mb;
	bool same;

	conf_slice(a, program, &ma);
	conf_slice(b, program, &mb);
	same = ma.len == mb.len && memcmp(ma.data, mb.data, ma.len) == 0;
	msg_discard(&ma);
	msg_discard(&mb);
	return same;
}

void
conf_send(const struct conf *conf, enum program program, struct channel *ch,
    uint64_t id)
{
	struct msg_out m;

	conf_slice(conf, program, &m);
	m.id = id;
	channel_send(ch, &m, -1);
	channel_send_empty(ch, MSG_CONF_DONE, id);
}
