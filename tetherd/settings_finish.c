#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/privileges.h"
#include "tetherd/proxy.h"
#include "tetherd/setting.h"
#include "tetherd/settings.h"
#include "tetherd/url.h"

/* Of a tetherd that root starts for somebody else. */
#define STATE_FOLDER "/var/lib/tetherd"

/* It must be set because of the mode. */
static void
say_no_url(struct settings *settings, struct complaints *complaints)
{
	const struct setting *s = setting_find("orchestrator", "url");
	struct reading mode;

	if (settings_from(settings, s)->kind != ORIGIN_DEFAULT)
		return;
	setting_reread(
	    &mode, settings, setting_find("orchestrator", "mode"), complaints);
	if (mode.name == NULL)
		complain(complaints, &mode.origin,
		    "url: not set, but mode is client");
	else
		complain(complaints, &(struct origin){ .file = s->names[0] },
		    "not set, but %s is client", mode.name);
}

/* In tetherd.conf it was complained about already. */
static void
say_unusable(const struct reading *r, const char *why)
{
	if (r->name != NULL)
		setting_wrong(r, "%s", why);
}

/* "host:port", the same for each way to write it; malloc'd or NULL. */
static char *
make_authority(const struct url *url)
{
	bool bracketed = strchr(url->host, ':') != NULL;
	char *text, *c;

	if (asprintf(&text, "%s%s%s:%u", bracketed ? "[" : "", url->host,
		bracketed ? "]" : "", url->port) == -1)
		return NULL;
	for (c = text; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return text;
}

static void
finish_url(struct settings *settings, struct complaints *complaints)
{
	struct conf *conf = &settings->draft.conf;
	struct reading r;
	struct url url;
	const char *why;

	if (settings->draft.url[0] == '\0') {
		say_no_url(settings, complaints);
		return;
	}
	why = url_parse(settings->draft.url, &url);
	if (why != NULL) {
		setting_reread(&r, settings,
		    setting_find("orchestrator", "url"), complaints);
		say_unusable(&r, why);
		url_free(&url);
		return;
	}
	conf->connector.tls = url.tls;
	conf->connector.port = url.port;
	setting_put(&conf->connector.host, strdup(url.host));
	setting_put(&conf->connector.target, strdup(url.target));
	setting_put(&conf->authd.orchestrator, make_authority(&url));
	setting_put(&conf->dialer.host, strdup(url.host));
	conf->dialer.port = url.port;
	url_free(&url);
}

static void
finish_proxy(struct settings *settings, bool tls, struct dialer_conf *dialer,
    struct complaints *complaints)
{
	struct draft *d = &settings->draft;
	struct reading r;
	const char *why;

	/* As everywhere: this proxy is for targets that speak TLS. */
	if (!tls || d->proxy[0] == '\0' ||
	    proxy_is_bypassed(d->no_proxy, dialer->host, dialer->port))
		return;
	why = proxy_parse(d->proxy, dialer);
	if (why == NULL)
		return;
	setting_reread(
	    &r, settings, setting_find("orchestrator", "proxy"), complaints);
	say_unusable(&r, why);
}

/* Without rules nobody is asked for at GitHub. */
static void
finish_github(struct settings *settings, struct complaints *complaints)
{
	struct conf *conf = &settings->draft.conf;
	struct dialer_conf *dialer = &conf->github_dialer;
	struct url url;
	const char *why = url_parse_http(conf->authd.github_api, &url);

	/* It was checked when it was set. */
	if (why != NULL)
		fatalx("github api url: %s", why);
	setting_put(&dialer->host, strdup(url.host));
	dialer->port = url.port;
	if (conf->connector.enabled && conf->proxyd.rules)
		finish_proxy(settings, url.tls, dialer, complaints);
	url_free(&url);
}

/* Of two kinds of lines in one file neither would be of use. */
static void
finish_audit(struct settings *settings, struct complaints *complaints)
{
	const struct parent_conf *conf = &settings->draft.conf.parent;
	struct reading r;

	if (conf->audit_file[0] == '\0' ||
	    strcmp(conf->audit_file, conf->log_file) != 0)
		return;
	setting_reread(&r, settings, setting_find("audit", "file"), complaints);
	setting_wrong(&r, "the log is to be in that file, too");
}

/*
 * Another user cannot pass through root's home, where the default would be.
 */
void
settings_assign(struct settings *settings)
{
	struct conf *conf = &settings->draft.conf;
	const struct confinement *c = &conf->authd.confinement;
	const struct setting *s = setting_find("", "state directory");

	privileges_assign(conf);
	if (c->drop && c->uid != 0 &&
	    settings_from(settings, s)->kind == ORIGIN_DEFAULT)
		setting_put(&conf->authd.state_dir, strdup(STATE_FOLDER));
}

void
settings_finish(struct settings *settings, struct complaints *complaints)
{
	struct conf *conf = &settings->draft.conf;

	settings_assign(settings);
	conf->authd.failures_rate = conf->proxyd.failures_rate;
	conf->authd.watch_runs = conf->proxyd.watch_runs;
	conf->proxyd.json_depth = conf->connector.json_depth;
	conf->connector.total_ms = conf->proxyd.total_ms;
	setting_put(
	    &conf->proxyd.callback_url, strdup(conf->connector.callback_url));
	if (conf->connector.enabled) {
		finish_url(settings, complaints);
		finish_proxy(
		    settings, conf->connector.tls, &conf->dialer, complaints);
	}
	settings_finish_rules(settings, complaints);
	finish_github(settings, complaints);
	finish_audit(settings, complaints);
}
