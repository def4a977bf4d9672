#include <sys/types.h>

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/draft.h"

#define KIB 1024
#define MIB (1024 * KIB)

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

void
draft_start(struct draft *d)
{
	char hostname[HOST_NAME_MAX + 1];
	char cwd[PATH_MAX];
	size_t i;

	if (gethostname(hostname, sizeof(hostname)) == -1)
		fatal("gethostname");
	hostname[sizeof(hostname) - 1] = '\0';
	/* It can be gone when the settings are read again. */
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		(void)strlcpy(cwd, "/", sizeof(cwd));
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
			.claim_users = copy(""),
			.claim_orgs = copy(""),
			.claim_teams = copy(""),
			.ca_fd = -1,
			.message_max = 32 * MIB,
			.json_depth = 64,
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
			.chats_max = 64,
			.chat_idle_ms = 1800000,
			.headers_max = 256,
			.headers_size_max = 128 * KIB,
			.json_depth = 64,
			.watch_runs = true,
			.requests_rate = 20000,
			.tunnels_rate = 6000,
			.failures_rate = 600,
			.callback_url = copy(""),
			.deny_paths = copy(""),
		},
		.conf.authd = {
			.database_path = home_path(".cloudcli/auth.db"),
			.state_dir = home_path(".local/state/tetherd"),
			.jwt_secret = copy(""),
			.orchestrator = copy(""),
			.token = copy(""),
			.github_token = copy(""),
			.github_api = copy("https://api.github.com"),
			.github_ca_file = copy(""),
			.github_ca_fd = -1,
			.cache_allowed_ms = 300000,
			.cache_refused_ms = 60000,
			.adopt = true,
		},
		.conf.dialer = {
			.host = copy(""),
			.proxy_host = copy(""),
			.proxy_auth = copy(""),
			.timeout_ms = 30000,
		},
		.conf.github_dialer = {
			.host = copy(""),
			.proxy_host = copy(""),
			.proxy_auth = copy(""),
			.timeout_ms = 8000,
		},
		.conf.parent = {
			.socket = copy(""),
			.group = copy(""),
			.log_file = copy(""),
			.audit_file = copy(""),
			.log_level = LOG_LEVEL_INFO,
			.sandbox = true,
		},
		.url = copy(""),
		.proxy = copy(""),
		.no_proxy = copy(""),
		.claim_users = copy(""),
		.claim_orgs = copy(""),
		.claim_teams = copy(""),
	};
	for (i = 0; i < SESSION_ROLE_COUNT; i++) {
		d->conf.proxyd.deny_paths_role[i] = copy("");
		d->conf.authd.users[i] = copy("");
		d->conf.authd.teams[i] = copy("");
		d->conf.authd.orgs[i] = copy("");
	}
	for (i = 0; i < CONF_FILE_COUNT; i++)
		d->conf.files[i].fd = -1;
}

struct conf *
draft_take(struct draft *d)
{
	struct conf *conf = malloc(sizeof(*conf));

	if (conf == NULL)
		fatal("configuration");
	*conf = d->conf;
	conf_reset(&d->conf);
	draft_free(d);
	return conf;
}

static void
free_secret(char *s)
{
	if (s != NULL)
		freezero(s, strlen(s));
}

void
draft_free(struct draft *d)
{
	conf_clear(&d->conf);
	/* Both URLs may hold a password or a token. */
	free_secret(d->url);
	free_secret(d->proxy);
	free(d->no_proxy);
	free(d->claim_users);
	free(d->claim_orgs);
	free(d->claim_teams);
	d->url = d->proxy = d->no_proxy = NULL;
	d->claim_users = d->claim_orgs = d->claim_teams = NULL;
}
