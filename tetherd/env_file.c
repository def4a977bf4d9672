#include <sys/stat.h>

#include <string.h>

#include "tetherd/config_file.h"
#include "tetherd/dotenv.h"
#include "tetherd/setting.h"

struct env_file {
	const char *path;
	struct settings *settings;
	struct complaints *complaints;
	bool has_secret;
};

static struct origin
origin_at(const struct env_file *file, unsigned line)
{
	return (struct origin){ ORIGIN_ENV_FILE, file->path, line };
}

static void
on_wrong(void *arg, unsigned line, const char *why)
{
	struct env_file *file = arg;
	struct origin origin = origin_at(file, line);

	complain(file->complaints, &origin, "%s", why);
}

/* The table's own copy of the name, NULL for none of the setting. */
static const char *
find_name(const struct setting *s, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(s->names) / sizeof(s->names[0]); i++)
		if (s->names[i] != NULL && strcmp(s->names[i], name) == 0)
			return s->names[i];
	return NULL;
}

/* Of two names of a setting one is the stronger, wherever both stand. */
static bool
is_outdone(const struct reading *r)
{
	const struct provenance *from = settings_from(r->settings, r->setting);

	return from->kind == ORIGIN_ENV_FILE && r->name != from->name &&
	       from->name == r->setting->names[1];
}

/* A value of each setting that has the name: usually of none. */
static void
on_found(void *arg, unsigned line, const char *name, const char *value)
{
	struct env_file *file = arg;
	const struct setting *s;

	for (s = settings_table; s < settings_table + settings_table_len; s++) {
		struct reading r = {
			.settings = file->settings,
			.setting = s,
			.origin = origin_at(file, line),
			.name = find_name(s, name),
			.complaints = file->complaints,
		};

		if (r.name == NULL || value[0] == '\0')
			continue;
		file->has_secret =
		    file->has_secret || setting_is_secret(s, value);
		if (!is_outdone(&r))
			setting_take_named(&r, value);
	}
}

static const struct dotenv_ops dotenv_ops = {
	.found = on_found,
	.wrong = on_wrong,
};

static void
check_mode(const struct env_file *file, unsigned mode)
{
	struct origin origin = origin_at(file, 0);

	if ((mode & S_IWOTH) != 0)
		complain(file->complaints, &origin,
		    "writable by others (mode %04o)", mode);
	else if ((mode & S_IROTH) != 0 && file->has_secret)
		complain_mildly(file->complaints, &origin,
		    "readable by others (mode %04o), but holds secrets", mode);
}

void
settings_read_env_file(
    struct settings *settings, const char *path, struct complaints *complaints)
{
	struct env_file file = { path, settings, complaints, false };
	struct origin origin = origin_at(&file, 0);
	char why[CONFIG_FILE_WHY_MAX];
	struct config_file read;

	if (config_file_read_any(&read, path, why) == -1) {
		complain(complaints, &origin, "%s", why);
		return;
	}
	/* What stands behind a NUL would be ignored without a word. */
	if (strlen(read.text) < read.size)
		complain(complaints, &origin, "contains a NUL");
	dotenv_parse(read.text, &dotenv_ops, &file);
	check_mode(&file, read.mode);
	config_file_free(&read);
}
