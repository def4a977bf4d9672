#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "common/log.h"
#include "sandbox/landlock.h"

/*
 * linux/landlock.h as of Linux 6.12, for headers that are older: what the
 * kernel knows is asked at run time.
 */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP	(1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL		    (1ULL << 1)
#endif
#define RULE_NET_PORT 2

struct net_port {
	uint64_t access;
	uint64_t port;
};

/* Since which ABI the kernel can refuse what; see landlock(7). */
#define ABI_REFER    2
#define ABI_TRUNCATE 3
#define ABI_NET	     4
#define ABI_IOCTL    5
#define ABI_SCOPED   6

#define FS_FIRST (LANDLOCK_ACCESS_FS_REFER - 1)

/* What a rule about a file that is no folder may say. */
#define FS_OF_FILE                                                      \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_EXECUTE)

static const uint64_t access_of[] = {
	[SANDBOX_READ] = LANDLOCK_ACCESS_FS_READ_FILE,
	[SANDBOX_LOG] = LANDLOCK_ACCESS_FS_READ_FILE |
			LANDLOCK_ACCESS_FS_WRITE_FILE |
			LANDLOCK_ACCESS_FS_MAKE_REG,
	/* A folder is opened to have it written to disk. */
	[SANDBOX_WRITE] =
	    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE,
	[SANDBOX_REMOVE] = LANDLOCK_ACCESS_FS_REMOVE_FILE,
	[SANDBOX_EXECUTE] = LANDLOCK_ACCESS_FS_EXECUTE,
};

unsigned
sandbox_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (unsigned)abi;
}

const char *
landlock_lacks(unsigned abi)
{
	if (abi < ABI_TRUNCATE)
		return "truncation of files, TCP ports, ioctls of devices, "
		       "signals and abstract sockets";
	if (abi < ABI_NET)
		return "TCP ports, ioctls of devices, signals and abstract "
		       "sockets";
	if (abi < ABI_IOCTL)
		return "ioctls of devices, signals and abstract sockets";
	if (abi < ABI_SCOPED)
		return "signals and abstract sockets";
	return "";
}

const char *
sandbox_lacks(void)
{
	unsigned abi = sandbox_landlock_abi();

	if (abi == 0)
		fatalx("this kernel has no Landlock, or it is off (see lsm= in "
		       "its command line): with \"sandbox none\" tetherd does "
		       "without");
	return landlock_lacks(abi);
}

/* The first ABI refuses to move files between folders without being asked. */
static uint64_t
fs_known(unsigned abi)
{
	uint64_t fs = FS_FIRST;

	if (abi >= ABI_REFER)
		fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= ABI_IOCTL)
		fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return fs;
}

void
landlock_handle(const struct landlock_rules *r, unsigned abi,
    struct landlock_handled *handled)
{
	*handled = (struct landlock_handled){
		.fs = r->any_file ? LANDLOCK_ACCESS_FS_EXECUTE : fs_known(abi),
	};
	if (abi >= ABI_NET)
		handled->net =
		    LANDLOCK_ACCESS_NET_BIND_TCP |
		    (r->any_connect ? 0 : LANDLOCK_ACCESS_NET_CONNECT_TCP);
	if (abi >= ABI_SCOPED)
		handled->scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET |
				  (r->signals ? 0 : LANDLOCK_SCOPE_SIGNAL);
}

static void
allow_path(
    int ruleset, const struct landlock_handled *h, const struct sandbox_path *p)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = access_of[p->access] & h->fs,
		.parent_fd = open(p->path, O_PATH | O_CLOEXEC),
	};
	struct stat st;

	if (rule.parent_fd == -1) {
		log_debugx("sandbox: %s: %s", p->path, strerror(errno));
		return;
	}
	if (fstat(rule.parent_fd, &st) == -1)
		fatal("%s", p->path);
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_FILE;
	/* The kernel takes no rule that allows nothing. */
	if (rule.allowed_access != 0 &&
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0) == -1)
		fatal("landlock_add_rule: %s", p->path);
	close(rule.parent_fd);
}

static void
allow_connect(int ruleset, uint16_t port)
{
	struct net_port rule = { LANDLOCK_ACCESS_NET_CONNECT_TCP, port };

	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) ==
	    -1)
		fatal("landlock_add_rule: port %u", port);
}

void
landlock_confine(const struct landlock_rules *r)
{
	unsigned abi = sandbox_landlock_abi();
	struct landlock_handled handled;
	size_t i;
	int fd;

	if (abi == 0)
		fatalx("no Landlock");
	landlock_handle(r, abi, &handled);
	/* An older kernel takes a longer struct that ends in zeroes. */
	fd = (int)syscall(
	    SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (fd == -1)
		fatal("landlock_create_ruleset");
	for (i = 0; i < r->npaths; i++)
		allow_path(fd, &handled, &r->paths[i]);
	for (i = 0; i < r->nconnect && abi >= ABI_NET; i++)
		allow_connect(fd, r->connect[i]);
	if (syscall(SYS_landlock_restrict_self, fd, 0) == -1)
		fatal("landlock_restrict_self");
	close(fd);
}
