#include <string.h>

#include "common/log.h"
#include "tetherd/setting.h"
#include "tetherd/setting_check.h"

#define DAY	86400000
#define KIB	((uint64_t)1024)
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)
#define AT_ONCE 4096
#define MILLION 1000000

/* A tunnel holds one of the connector's user requests as long as it lives, and
 * what is sent through it needs further ones. */
#define TUNNELS_AT_ONCE (AT_ONCE / 2)

static const struct setting_choice modes[] = { { "client", true },
	{ "standalone", false }, { NULL, 0 } };
static const struct setting_choice scripts[] = { { "inline", false },
	{ "external", true }, { NULL, 0 } };
static const struct setting_choice yes_no[] = { { "yes", true },
	{ "no", false }, { NULL, 0 } };
static const struct setting_choice levels[] = { { "brief", LOG_LEVEL_INFO },
	{ "verbose", LOG_LEVEL_DEBUG }, { "trace", LOG_LEVEL_TRACE },
	{ NULL, 0 } };
static const struct setting_choice places[] = { { "syslog", false },
	{ "stderr", true }, { NULL, 0 } };
static const struct setting_choice sandboxes[] = { { "full", true },
	{ "none", false }, { NULL, 0 } };

#define AT(member)                                \
	.offset = offsetof(struct draft, member), \
	.size = sizeof(((struct draft *)NULL)->member)
#define RANGE(low, high) .min = (low), .max = (high)

const struct setting settings_table[] = {
	{ "", "control socket", { NULL }, &type_path, AT(conf.parent.socket),
	    .check = check_socket },
	{ "", "control group", { NULL }, &type_text, AT(conf.parent.group),
	    .check = check_group },
	{ "", "state directory", { "STATE_DIRECTORY" }, &type_folder,
	    AT(conf.authd.state_dir) },
	{ "", "sandbox", { NULL }, &type_choice, AT(conf.parent.sandbox),
	    .choices = sandboxes },

	{ "orchestrator", "mode", { "ORCHESTRATOR_MODE" }, &type_choice,
	    AT(conf.connector.enabled), .choices = modes,
	    .why = "neither standalone nor client" },
	{ "orchestrator", "url", { "ORCHESTRATOR_URL" }, &type_url, AT(url),
	    .secret = true },
	{ "orchestrator", "token", { "ORCHESTRATOR_TOKEN" }, &type_secret,
	    AT(conf.authd.token), .check = check_token, .secret = true,
	    .group = GROUP_TOKEN },
	{ "orchestrator", "token file", { NULL }, &type_file,
	    .file = CONF_FILE_TOKEN, .group = GROUP_TOKEN },
	{ "orchestrator", "client id", { "ORCHESTRATOR_CLIENT_ID" }, &type_text,
	    AT(conf.connector.client_id), .check = check_client_id },
	{ "orchestrator", "reconnect interval",
	    { "ORCHESTRATOR_RECONNECT_INTERVAL" }, &type_duration,
	    AT(conf.connector.reconnect_ms), RANGE(1, DAY) },
	{ "orchestrator", "heartbeat interval",
	    { "ORCHESTRATOR_HEARTBEAT_INTERVAL" }, &type_duration,
	    AT(conf.connector.heartbeat_ms), RANGE(1, DAY) },
	{ "orchestrator", "callback url", { "ORCHESTRATOR_CALLBACK_URL" },
	    &type_text, AT(conf.connector.callback_url),
	    .check = check_http_url },
	{ "orchestrator", "proxy", { "https_proxy", "HTTPS_PROXY" },
	    &type_proxy, AT(proxy), .secret = true },
	{ "orchestrator", "no proxy", { "no_proxy", "NO_PROXY" }, &type_list,
	    AT(no_proxy), .check = check_no_proxy, .separator = ',' },
	{ "orchestrator", "ca file", { "SSL_CERT_FILE" }, &type_file,
	    .file = CONF_FILE_CA, .yields = true },
	{ "orchestrator", "claim user", { "ORCHESTRATOR_CLAIM_USER" },
	    &type_list, AT(claim_users), .check = check_login,
	    .separator = ' ' },
	{ "orchestrator", "claim org", { "ORCHESTRATOR_CLAIM_ORG" }, &type_list,
	    AT(claim_orgs), .check = check_login, .separator = ' ' },
	{ "orchestrator", "claim team", { "ORCHESTRATOR_CLAIM_TEAM" },
	    &type_list, AT(claim_teams), .check = check_team,
	    .separator = ' ' },

	{ "upstream", "address", { NULL }, &type_text,
	    AT(conf.proxyd.upstream_host), .check = check_address },
	{ "upstream", "port", { "PORT" }, &type_number,
	    AT(conf.proxyd.upstream_port), RANGE(1, 65535) },
	{ "upstream", "database", { "DATABASE_PATH" }, &type_path,
	    AT(conf.authd.database_path) },
	{ "upstream", "jwt secret", { "JWT_SECRET" }, &type_secret,
	    AT(conf.authd.jwt_secret), .secret = true, .group = GROUP_JWT },
	{ "upstream", "jwt secret file", { NULL }, &type_file,
	    .file = CONF_FILE_JWT_SECRET, .group = GROUP_JWT },
	{ "upstream", "jwt secret default", { NULL }, &type_flag,
	    AT(conf.authd.jwt_secret_default), .group = GROUP_JWT },
	{ "upstream", "page script", { "TETHERD_PAGE_SCRIPT" }, &type_choice,
	    AT(conf.proxyd.page_script_external), .choices = scripts,
	    .why = "must be inline or external" },
	{ "upstream", "watch runs", { NULL }, &type_choice,
	    AT(conf.proxyd.watch_runs), .choices = yes_no },

	{ "github", "api url", { "GITHUB_API_URL" }, &type_text,
	    AT(conf.authd.github_api), .check = check_api_url },
	{ "github", "token", { "GITHUB_TOKEN" }, &type_secret,
	    AT(conf.authd.github_token), .check = check_token, .secret = true,
	    .group = GROUP_GITHUB },
	{ "github", "token file", { NULL }, &type_file,
	    .file = CONF_FILE_GITHUB_TOKEN, .group = GROUP_GITHUB },
	{ "github", "ca file", { "SSL_CERT_FILE" }, &type_file,
	    .file = CONF_FILE_GITHUB_CA, .yields = true },
	{ "github", "cache allowed", { NULL }, &type_duration,
	    AT(conf.authd.cache_allowed_ms), RANGE(0, DAY) },
	{ "github", "cache refused", { NULL }, &type_duration,
	    AT(conf.authd.cache_refused_ms), RANGE(0, DAY) },

	{ "policy", "users", { "ORCHESTRATOR_GITHUB_USERS" }, &type_list,
	    AT(conf.authd.users[SESSION_ROLE_FULL]), .check = check_login,
	    .separator = ' ' },
	{ "policy", "read-only users", { NULL }, &type_list,
	    AT(conf.authd.users[SESSION_ROLE_READ_ONLY]), .check = check_login,
	    .separator = ' ' },
	{ "policy", "team", { "ORCHESTRATOR_GITHUB_TEAM" }, &type_list,
	    AT(conf.authd.teams[SESSION_ROLE_FULL]), .check = check_team,
	    .separator = ' ' },
	{ "policy", "read-only team", { NULL }, &type_list,
	    AT(conf.authd.teams[SESSION_ROLE_READ_ONLY]), .check = check_team,
	    .separator = ' ' },
	{ "policy", "org", { "ORCHESTRATOR_GITHUB_ORG" }, &type_list,
	    AT(conf.authd.orgs[SESSION_ROLE_FULL]), .check = check_login,
	    .separator = ' ' },
	{ "policy", "read-only org", { NULL }, &type_list,
	    AT(conf.authd.orgs[SESSION_ROLE_READ_ONLY]), .check = check_login,
	    .separator = ' ' },
	{ "policy", "adopt", { NULL }, &type_choice, AT(conf.authd.adopt),
	    .choices = yes_no },
	{ "policy", "deny path", { NULL }, &type_list,
	    AT(conf.proxyd.deny_paths), .check = check_deny_path,
	    .separator = '\n' },
	{ "policy", "full deny path", { NULL }, &type_list,
	    AT(conf.proxyd.deny_paths_role[SESSION_ROLE_FULL]),
	    .check = check_deny_path, .separator = '\n' },
	{ "policy", "read-only deny path", { NULL }, &type_list,
	    AT(conf.proxyd.deny_paths_role[SESSION_ROLE_READ_ONLY]),
	    .check = check_deny_path, .separator = '\n' },

	{ "limits", "requests", { NULL }, &type_number,
	    AT(conf.proxyd.requests_max), RANGE(1, AT_ONCE) },
	{ "limits", "request time", { NULL }, &type_duration,
	    AT(conf.proxyd.total_ms), RANGE(100, 600000) },
	{ "limits", "connect time", { NULL }, &type_duration,
	    AT(conf.proxyd.connect_ms), RANGE(10, 60000) },
	{ "limits", "body", { NULL }, &type_size, AT(conf.proxyd.body_max),
	    RANGE(64 * KIB, GIB) },
	{ "limits", "memory", { NULL }, &type_size,
	    AT(conf.proxyd.buffered_max), RANGE(MIB, 64 * GIB) },
	{ "limits", "message", { NULL }, &type_size,
	    AT(conf.connector.message_max), RANGE(64 * KIB, 64 * MIB) },
	{ "limits", "tunnels", { NULL }, &type_number,
	    AT(conf.proxyd.tunnels_max), RANGE(0, TUNNELS_AT_ONCE) },
	{ "limits", "tunnels per user", { NULL }, &type_number,
	    AT(conf.proxyd.tunnels_user_max), RANGE(0, TUNNELS_AT_ONCE) },
	{ "limits", "chat sessions", { NULL }, &type_number,
	    AT(conf.proxyd.chats_max), RANGE(0, AT_ONCE / 4) },
	{ "limits", "chat idle time", { NULL }, &type_duration,
	    AT(conf.proxyd.chat_idle_ms), RANGE(1000, DAY) },
	{ "limits", "headers", { NULL }, &type_number,
	    AT(conf.proxyd.headers_max), RANGE(16, AT_ONCE) },
	{ "limits", "header size", { NULL }, &type_size,
	    AT(conf.proxyd.headers_size_max), RANGE(4 * KIB, MIB) },
	{ "limits", "json depth", { NULL }, &type_number,
	    AT(conf.connector.json_depth), RANGE(8, 1024) },
	{ "limits", "requests per second", { NULL }, &type_number,
	    AT(conf.proxyd.requests_rate), RANGE(0, MILLION) },
	{ "limits", "tunnels per minute", { NULL }, &type_number,
	    AT(conf.proxyd.tunnels_rate), RANGE(0, MILLION) },
	{ "limits", "failures per minute", { NULL }, &type_number,
	    AT(conf.proxyd.failures_rate), RANGE(0, MILLION) },

	{ "log", "level", { NULL }, &type_choice, AT(conf.parent.log_level),
	    .choices = levels },
	{ "log", "to", { NULL }, &type_choice, AT(conf.parent.log_to_stderr),
	    .choices = places },
	{ "log", "file", { NULL }, &type_path, AT(conf.parent.log_file) },

	{ "audit", "requests", { NULL }, &type_choice, AT(conf.proxyd.audit),
	    .choices = yes_no },
	{ "audit", "file", { NULL }, &type_path, AT(conf.parent.audit_file) },
};

const size_t settings_table_len =
    sizeof(settings_table) / sizeof(settings_table[0]);

const char *const settings_blocks[] = { "", "orchestrator", "upstream",
	"github", "policy", "limits", "log", "audit", NULL };

const struct setting *
setting_find(const char *block, const char *words)
{
	size_t i;

	for (i = 0; i < settings_table_len; i++)
		if (strcmp(settings_table[i].block, block) == 0 &&
		    strcmp(settings_table[i].words, words) == 0)
			return &settings_table[i];
	fatalx("no setting %s in %s", words, block);
}
