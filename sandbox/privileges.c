#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
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

static void
get_capabilities(struct __user_cap_data_struct data[CAPABILITY_WORDS])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	if (syscall(SYS_capget, &header, data) == -1)
		fatal("capget");
}

static void
set_capabilities(const struct __user_cap_data_struct data[CAPABILITY_WORDS])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	if (syscall(SYS_capset, &header, data) == -1)
		fatal("capset");
}

/* Of those that are ours, the ones in the mask count, and no others. */
static void
use_capabilities(uint64_t mask)
{
	struct __user_cap_data_struct data[CAPABILITY_WORDS];
	int i;

	get_capabilities(data);
	for (i = 0; i < CAPABILITY_WORDS; i++)
		data[i].effective =
		    data[i].permitted & (uint32_t)(mask >> (32 * i));
	set_capabilities(data);
}

void
privileges_lend(const struct confinement *c)
{
	if (!c->drop)
		return;
	if (setgroups(0, NULL) == -1 ||
	    setresgid((gid_t)-1, c->gid, (gid_t)-1) == -1 ||
	    setresuid((uid_t)-1, c->uid, (uid_t)-1) == -1)
		fatal("the files of uid %u", c->uid);
	use_capabilities(UINT64_C(1) << CAP_SYS_CHROOT);
}

void
privileges_take_back(const struct confinement *c)
{
	if (!c->drop)
		return;
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == -1 ||
	    setresgid((gid_t)-1, 0, (gid_t)-1) == -1)
		fatal("setresuid");
	use_capabilities(UINT64_MAX);
}

void
privileges_chroot(const struct confinement *c, const char *path)
{
	if (!c->drop)
		return;
	privileges_lend(c);
	if (chroot(path) == -1 || chdir("/") == -1)
		fatal("chroot %s", path);
	privileges_take_back(c);
}

/* What executing a program could give at most; only root can say so. */
static void
bound_capabilities(uint64_t mask)
{
	int i, is_in;

	for (i = 0; (is_in = prctl(PR_CAPBSET_READ, i, 0, 0, 0)) != -1; i++)
		if (is_in == 1 && (mask & (UINT64_C(1) << i)) == 0 &&
		    prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == -1)
			fatal("PR_CAPBSET_DROP");
}

static void
check_capabilities(uint64_t mask)
{
	struct __user_cap_data_struct data[CAPABILITY_WORDS];
	uint32_t not_ours;
	int i;

	get_capabilities(data);
	for (i = 0; i < CAPABILITY_WORDS; i++) {
		not_ours = ~(uint32_t)(mask >> (32 * i));
		if (((data[i].permitted | data[i].effective) & not_ours) != 0 ||
		    data[i].inheritable != 0)
			fatalx("the capabilities are still there");
	}
}

void
privileges_keep(uint64_t mask)
{
	struct __user_cap_data_struct data[CAPABILITY_WORDS];
	int i;

	get_capabilities(data);
	if ((data[0].effective & (1U << CAP_SETPCAP)) != 0)
		bound_capabilities(mask);
	for (i = 0; i < CAPABILITY_WORDS; i++) {
		data[i].permitted &= (uint32_t)(mask >> (32 * i));
		data[i].effective = data[i].permitted;
		/* Nor ambient ones, then. */
		data[i].inheritable = 0;
	}
	set_capabilities(data);
	check_capabilities(mask);
}

static bool
may_give_up_groups(void)
{
	char word[sizeof("deny")] = "";
	int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return true;
	(void)!read(fd, word, sizeof(word) - 1);
	close(fd);
	return strcmp(word, "deny") != 0;
}

bool
privileges_are_there(void)
{
	static const uint32_t needed =
	    (1U << CAP_SETUID) | (1U << CAP_SETGID) | (1U << CAP_SYS_CHROOT);
	struct __user_cap_data_struct data[CAPABILITY_WORDS];

	if (geteuid() != 0)
		return false;
	get_capabilities(data);
	return (data[0].effective & needed) == needed && may_give_up_groups();
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

static void
change_user(const struct confinement *c)
{
	if (setgroups(0, NULL) == -1)
		fatal("setgroups");
	if (setresgid(c->gid, c->gid, c->gid) == -1)
		fatal("setresgid");
	if (setresuid(c->uid, c->uid, c->uid) == -1)
		fatal("setresuid");
	/* A change of uid makes the kernel forget it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		fatal("PR_SET_PDEATHSIG");
}

void
privileges_drop(const struct confinement *c)
{
	if (c->drop)
		change_user(c);
	privileges_keep(0);
	if (c->drop)
		check_dropped(c);
}
