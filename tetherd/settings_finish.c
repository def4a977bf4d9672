#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/proxy.h"
#include "tetherd/setting.h"
#include "tetherd/url.h"

static void
replace(char **s, const char *with)
{
	char *now = strdup(with);

	if (now == NULL)
		fatal("settings");
	free(*s);
	*s = now;
}

/* It must be set because of the mode; one that is wrong is not missing. */
static void
say_if_missing(
    struct settings *settings, const char *words, struct complaints *complaints)
{
	const struct setting *s = setting_find("orchestrator", words);
	struct reading mode;

	if (settings_from(settings, s)->kind != ORIGIN_DEFAULT)
		return;
	setting_reread(
	    &mode, settings, setting_find("orchestrator", "mode"), complaints);
	if (mode.name == NULL)
		complain(complaints, &mode.origin,
		    "%s: not set, but mode is client", words);
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

static void
finish_url(struct settings *settings, struct complaints *complaints)
{
	struct conf *conf = &settings->draft.conf;
	struct reading r;
	struct url url;
	const char *why;

	if (settings->draft.url[0] == '\0') {
		say_if_missing(settings, "url", complaints);
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
	replace(&conf->connector.host, url.host);
	replace(&conf->connector.target, url.target);
	replace(&conf->dialer.host, url.host);
	conf->dialer.port = url.port;
	url_free(&url);
}

static void
finish_proxy(struct settings *settings, struct complaints *complaints)
{
	struct draft *d = &settings->draft;
	struct dialer_conf *dialer = &d->conf.dialer;
	struct reading r;
	const char *why;

	/* As everywhere: this proxy is for targets that speak TLS. */
	if (!d->conf.connector.tls || d->proxy[0] == '\0' ||
	    proxy_is_bypassed(d->no_proxy, dialer->host, dialer->port))
		return;
	why = proxy_parse(d->proxy, dialer);
	if (why == NULL)
		return;
	setting_reread(
	    &r, settings, setting_find("orchestrator", "proxy"), complaints);
	say_unusable(&r, why);
}

static void
finish_client(struct settings *settings, struct complaints *complaints)
{
	const struct setting *token_file =
	    setting_find("orchestrator", "token file");

	finish_url(settings, complaints);
	finish_proxy(settings, complaints);
	if (settings_from(settings, token_file)->kind == ORIGIN_DEFAULT)
		say_if_missing(settings, "token", complaints);
}

static void
say_idle(struct settings *settings, struct complaints *complaints)
{
	const struct setting *s;
	struct reading r;

	for (s = settings_table; s < settings_table + settings_table_len; s++) {
		setting_reread(&r, settings, s, complaints);
		if (s->idle && r.origin.kind != ORIGIN_DEFAULT)
			setting_wrong_mildly(
			    &r, "has no effect in this version");
	}
}

void
settings_finish(struct settings *settings, struct complaints *complaints)
{
	struct conf *conf = &settings->draft.conf;

	conf->connector.sandbox = conf->parent.sandbox;
	conf->proxyd.sandbox = conf->parent.sandbox;
	conf->authd.sandbox = conf->parent.sandbox;
	conf->dialer.sandbox = conf->parent.sandbox;
	conf->github_dialer.sandbox = conf->parent.sandbox;
	if (conf->connector.enabled)
		finish_client(settings, complaints);
	if (complaints_count(complaints) == 0)
		say_idle(settings, complaints);
}
