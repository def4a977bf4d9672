#include "sandbox/confine.h"
#include "sandbox/privileges.h"
#include "sandbox/process.h"
#include "sandbox/sandbox.h"

/* Those that all limits together allow, see tetherd.conf(5), and some more. */
#define FILES 16384

static void
restrict_proxyd(const struct confinement *c)
{
	privileges_drop(c);
	process_restrict(FILES, 0);
	process_alone();
}

void
sandbox_proxyd(const struct confinement *c, int root, uint16_t port)
{
	const struct landlock_rules rules = {
		.connect = &port,
		.nconnect = 1,
	};

	privileges_chroot_gone(c, root);
	restrict_proxyd(c);
	CONFINE(c, &rules, &calls_base, &calls_proxyd, &calls_proxyd_tcp);
}

void
sandbox_proxyd_unix(const struct confinement *c, const char *folder)
{
	static const struct landlock_rules nothing;

	privileges_chroot(c, folder);
	restrict_proxyd(c);
	CONFINE(c, &nothing, &calls_base, &calls_proxyd, &calls_proxyd_unix);
}
