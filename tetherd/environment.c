#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/setting.h"
#include "tetherd/settings.h"

extern char **environ;

#define NAMES 2 /* of a setting, at most */

/* The environment as it was at start, in the order of the table. */
static char **captured;

static char **
captured_at(size_t setting, size_t name)
{
	return &captured[setting * NAMES + name];
}

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

static void
capture(const char *name, char **where, bool secret)
{
	const char *value = getenv(name);

	if (value != NULL) {
		freezero(*where, *where == NULL ? 0 : strlen(*where));
		*where = strdup(value);
		if (*where == NULL)
			fatal("environment");
	}
	if (secret)
		scrub(name);
}

void
settings_capture(void)
{
	const struct setting *s = settings_table;
	size_t i, k;

	if (captured == NULL)
		captured = calloc(settings_table_len, NAMES * sizeof(char *));
	if (captured == NULL)
		fatal("environment");
	for (i = 0; i < settings_table_len; i++)
		for (k = 0; k < NAMES && s[i].names[k] != NULL; k++)
			capture(s[i].names[k], captured_at(i, k), s[i].secret);
}

void
settings_read_environment(
    struct settings *settings, struct complaints *complaints)
{
	const struct setting *s = settings_table;
	size_t i, k;

	for (i = 0; i < settings_table_len; i++)
		for (k = 0; k < NAMES && s[i].names[k] != NULL; k++) {
			struct reading r = {
				.settings = settings,
				.setting = &s[i],
				.origin = { ORIGIN_ENVIRONMENT, s[i].names[k],
				    0 },
				.name = s[i].names[k],
				.complaints = complaints,
			};

			if (*captured_at(i, k) != NULL)
				setting_take_named(&r, *captured_at(i, k));
		}
}
