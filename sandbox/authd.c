#include <sys/resource.h>

#include "sandbox/confine.h"
#include "sandbox/privileges.h"
#include "sandbox/process.h"
#include "sandbox/sandbox.h"

/* Databases with their logs, GitHub's sockets, channels, and some to spare. */
#define FILES 128

static bool is_user;

void
sandbox_authd_user(const struct confinement *c)
{
	if (!is_user)
		privileges_drop(c);
	is_user = true;
}

void
sandbox_authd(const struct confinement *c, const char *database_folder,
    const char *state_folder)
{
	const struct sandbox_path paths[] = {
		{ database_folder, SANDBOX_WRITE },
		{ state_folder, SANDBOX_WRITE },
	};
	const struct landlock_rules rules = {
		.paths = paths,
		.npaths = sizeof(paths) / sizeof(paths[0]),
	};

	sandbox_authd_user(c);
	process_restrict(FILES, RLIM_INFINITY);
	process_alone();
	CONFINE(c, &rules, &calls_base, &calls_files, &calls_authd);
}
