#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/setting.h"
#include "tetherd/settings.h"

static struct settings *
settings_new(void)
{
	struct settings *s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("settings");
	s->from = calloc(settings_table_len, sizeof(*s->from));
	if (s->from == NULL)
		fatal("settings");
	draft_start(&s->draft);
	return s;
}

void
settings_free(struct settings *s)
{
	size_t i;

	if (s == NULL)
		return;
	draft_free(&s->draft);
	for (i = 0; i < settings_table_len; i++)
		free(s->from[i].file);
	for (i = 0; i < s->nfiles; i++)
		free(s->files[i]);
	free(s->files);
	free(s->from);
	free(s->exposed);
	free(s);
}

bool
settings_has_default_file(const struct settings *s)
{
	return s->has_default_file;
}

const char *
settings_file(const struct settings *s, size_t i)
{
	return i < s->nfiles ? s->files[i] : NULL;
}

const struct conf *
settings_conf(const struct settings *s)
{
	return &s->draft.conf;
}

static void
claim_for_flag(struct settings *settings, const char *words, const char *flag)
{
	struct reading r = {
		.settings = settings,
		.setting = setting_find("log", words),
		.origin = { ORIGIN_FLAG, flag, 0 },
	};

	setting_claim(&r);
}

static void
read_flags(struct settings *settings, const struct sources *sources)
{
	struct parent_conf *parent = &settings->draft.conf.parent;
	unsigned room = LOG_LEVEL_TRACE - parent->log_level;

	if (sources->log_to_stderr) {
		parent->log_to_stderr = true;
		claim_for_flag(settings, "to", "-d");
	}
	if (sources->verbose > 0) {
		parent->log_level +=
		    sources->verbose < room ? sources->verbose : room;
		claim_for_flag(settings, "level", "-v");
	}
}

struct settings *
settings_read(const struct sources *sources, struct complaints *complaints)
{
	struct settings *s = settings_new();

	if (sources->file != NULL)
		(void)settings_read_file(
		    s, sources->file, true, sources->macros, complaints);
	else
		s->has_default_file = settings_read_file(
		    s, SETTINGS_FILE, false, sources->macros, complaints);
	if (sources->env_file != NULL)
		settings_read_env_file(s, sources->env_file, complaints);
	settings_read_environment(s, complaints);
	read_flags(s, sources);
	settings_finish(s, complaints);
	if (complaints_count(complaints) == 0)
		return s;
	settings_free(s);
	return NULL;
}
