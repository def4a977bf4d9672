#include <sys/resource.h>

#include <link.h>
#include <linux/capability.h>

#include "sandbox/confine.h"
#include "sandbox/privileges.h"
#include "sandbox/process.h"
#include "sandbox/sandbox.h"

#define BIT(capability) (UINT64_C(1) << (capability))

/* The dynamic loader, which the kernel executes along with a program. */
static int
find_loader(struct dl_phdr_info *program, size_t size, void *path)
{
	size_t i;

	(void)size;
	for (i = 0; i < program->dlpi_phnum; i++)
		if (program->dlpi_phdr[i].p_type == PT_INTERP)
			*(const char **)path =
			    (const char *)(program->dlpi_addr +
					   program->dlpi_phdr[i].p_vaddr);
	/* The first one is the program itself, the others are libraries. */
	return 1;
}

/* What all that it starts inherits, so that it is the union of all of them. */
void
sandbox_launcher(const struct confinement *c, const char *folder)
{
	struct sandbox_path paths[] = {
		{ folder, SANDBOX_EXECUTE },
		{ folder, SANDBOX_EXECUTE },
	};
	const struct landlock_rules rules = {
		.paths = paths,
		.npaths = sizeof(paths) / sizeof(paths[0]),
		.any_connect = true,
		.any_file = true,
	};

	(void)dl_iterate_phdr(find_loader, &paths[1].path);
	privileges_keep(BIT(CAP_CHOWN) | BIT(CAP_SETUID) | BIT(CAP_SETGID) |
			BIT(CAP_SYS_CHROOT));
	process_restrict(RLIM_INFINITY, RLIM_INFINITY);
	CONFINE(c, &rules, &calls_base, &calls_launcher, &calls_start,
	    &calls_files, &calls_connector, &calls_proxyd, &calls_proxyd_tcp,
	    &calls_proxyd_unix, &calls_authd, &calls_dialer);
}
