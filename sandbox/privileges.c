#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "sandbox/privileges.h"

#define CAPABILITY_WORDS _LINUX_CAPABILITY_U32S_3

void
privileges_chroot_gone(const struct confinement *c, int fd)
{
	struct stat st;

	if (!c->drop)
		return;
	if (fstat(fd, &st) == -1)
		fatal("chroot");
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || st.st_nlink != 0)
		fatalx("chroot: not an empty folder of root's");
	if (fchdir(fd) == -1 || chroot(".") == -1 || chdir("/") == -1)
		fatal("chroot");
	close(fd);
}

void
privileges_chroot(const struct confinement *c, const char *path)
{
	if (!c->drop)
		return;
	if (chroot(path) == -1 || chdir("/") == -1)
		fatal("chroot %s", path);
}

void
privileges_keep(uint64_t capabilities)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[CAPABILITY_WORDS];
	int i;

	if (syscall(SYS_capget, &header, data) == -1)
		fatal("capget");
	for (i = 0; i < CAPABILITY_WORDS; i++) {
		data[i].permitted &= (uint32_t)(capabilities >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) == -1)
		fatal("capset");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		fatal("PR_CAP_AMBIENT_CLEAR_ALL");
}

/* What set-user-ID programs have been caught at: half a change. */
static void
check_dropped(const struct confinement *c)
{
	uid_t real, effective, saved;
	gid_t rgid, egid, sgid;

	if (getresuid(&real, &effective, &saved) == -1 ||
	    getresgid(&rgid, &egid, &sgid) == -1)
		fatal("getresuid");
	if (real != c->uid || effective != c->uid || saved != c->uid ||
	    rgid != c->gid || egid != c->gid || sgid != c->gid ||
	    getgroups(0, NULL) != 0)
		fatalx("the change of uid did not take place");
	if ((c->uid != 0 && (setuid(0) != -1 || seteuid(0) != -1)) ||
	    (c->gid != 0 && (setgid(0) != -1 || setegid(0) != -1)))
		fatalx("root could be regained");
}

void
privileges_drop(const struct confinement *c)
{
	if (!c->drop)
		return;
	if (setgroups(0, NULL) == -1)
		fatal("setgroups");
	if (setresgid(c->gid, c->gid, c->gid) == -1)
		fatal("setresgid");
	if (setresuid(c->uid, c->uid, c->uid) == -1)
		fatal("setresuid");
	privileges_keep(0);
	check_dropped(c);
}
