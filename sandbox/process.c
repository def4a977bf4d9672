#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/log.h"
#include "sandbox/process.h"

/* One that looks for leaks is a process of ours that inspects its parent. */
#ifdef SANITIZED
#define DUMPABLE  1
#define PROCESSES RLIM_INFINITY
#else
#define DUMPABLE  0
#define PROCESSES 0
#endif

static void
limit(int resource, const char *name, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now) == -1)
		fatal("getrlimit %s", name);
	if (now.rlim_max > most)
		now.rlim_max = most;
	now.rlim_cur = now.rlim_max;
	if (setrlimit(resource, &now) == -1)
		fatal("setrlimit %s", name);
}

void
process_restrict(rlim_t files, rlim_t file_size)
{
	umask(077);
	limit(RLIMIT_NOFILE, "NOFILE", files);
	limit(RLIMIT_FSIZE, "FSIZE", file_size);
	/* A core file or a debugger of the same user would see secrets. */
	limit(RLIMIT_CORE, "CORE", 0);
	if (prctl(PR_SET_DUMPABLE, DUMPABLE, 0, 0, 0) == -1)
		fatal("PR_SET_DUMPABLE");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("PR_SET_NO_NEW_PRIVS");
}

void
process_alone(void)
{
	limit(RLIMIT_NPROC, "NPROC", PROCESSES);
}
