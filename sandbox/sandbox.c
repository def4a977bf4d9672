#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/log.h"
#include "sandbox/sandbox.h"

void
sandbox_enter(enum program program, bool confined)
{
	static const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	umask(077);
	/* A core file or a debugger of the same user would see secrets. */
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		fatal("%s: setrlimit", program_name(program));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		fatal("%s: PR_SET_DUMPABLE", program_name(program));
	if (!confined)
		return;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("%s: PR_SET_NO_NEW_PRIVS", program_name(program));
}
