#include <sys/resource.h>

#include <linux/capability.h>

#include "sandbox/confine.h"
#include "sandbox/privileges.h"
#include "sandbox/process.h"
#include "sandbox/sandbox.h"

/*
 * Channels and logs of all, clients of the control socket, files of a reload.
 */
#define FILES 512

void
sandbox_parent(
    const struct confinement *c, const struct sandbox_path *paths, size_t n)
{
	const struct landlock_rules rules = {
		.paths = paths,
		.npaths = n,
		.signals = true, /* its children are no descendants of it */
	};

	/* Its children's processes, and files that are the web app's. */
	privileges_keep(
	    (UINT64_C(1) << CAP_KILL) | (UINT64_C(1) << CAP_DAC_READ_SEARCH));
	process_restrict(FILES, RLIM_INFINITY);
	process_alone();
	CONFINE(c, &rules, &calls_base, &calls_files, &calls_parent);
}
