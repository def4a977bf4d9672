#include "sandbox/confine.h"
#include "sandbox/privileges.h"
#include "sandbox/process.h"
#include "sandbox/sandbox.h"

/* The orchestrator's sockets, old and new, channels, and some to spare. */
#define FILES 64

void
sandbox_connector(const struct confinement *c, int root)
{
	static const struct landlock_rules nothing;

	privileges_chroot_gone(c, root);
	privileges_drop(c);
	process_restrict(FILES, 0);
	process_alone();
	CONFINE(c, &nothing, &calls_base, &calls_connector);
}
