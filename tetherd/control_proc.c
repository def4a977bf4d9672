#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tetherd/control_proc.h"

#define STATUS_SIZE 4096

/* The n-th number behind a name, which starts a line. */
static bool
field(const char *text, const char *name, int n, int base, uint64_t *value)
{
	size_t len = strlen(name);
	const char *at = text;
	char *end;

	while (strncmp(at, name, len) != 0) {
		at = strchr(at, '\n');
		if (at == NULL)
			return false;
		at++;
	}
	at += len;
	while (n-- > 0) {
		*value = strtoull(at, &end, base);
		if (end == at)
			return false;
		at = end;
	}
	return true;
}

void
control_proc_parse(const char *text, struct control_proc *p)
{
	uint64_t uid, rss, seccomp, no_new_privs, capabilities;

	*p = (struct control_proc){ .known = false };
	/* One that has died but was not waited for has no VmRSS. */
	if (!field(text, "Uid:", 2, 10, &uid) ||
	    !field(text, "VmRSS:", 1, 10, &rss) ||
	    !field(text, "Seccomp:", 1, 10, &seccomp) ||
	    !field(text, "NoNewPrivs:", 1, 10, &no_new_privs) ||
	    !field(text, "CapEff:", 1, 16, &capabilities))
		return;
	p->known = true;
	p->uid = (uint32_t)uid;
	p->rss = rss * 1024;
	p->seccomp = (uint32_t)seccomp;
	p->no_new_privs = no_new_privs != 0;
	p->capabilities = capabilities;
}

void
control_proc_get(pid_t pid, struct control_proc *p)
{
	char path[sizeof("/proc//status") + 3 * sizeof(pid_t)];
	char text[STATUS_SIZE];
	ssize_t n;
	int fd;

	*p = (struct control_proc){ .known = false };
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	control_proc_parse(text, p);
}
