#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <grp.h>
#include <linux/capability.h>

#include "common/child.h"
#include "sandbox/privileges.h"
#include "tests/unit/sandbox/held.h"

/* Who each program is once it runs, and that it stays that. */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define UID 12345
#define GID 54321

#define BIT(capability) (UINT64_C(1) << (capability))
#define LAUNCHER                                              \
	(BIT(CAP_CHOWN) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | \
	    BIT(CAP_SYS_CHROOT))
#define PARENT (BIT(CAP_KILL) | BIT(CAP_DAC_READ_SEARCH))

static bool is_root;
static char secret[] = "/tmp/tetherd-secret.XXXXXX"; /* root's */

static int
make_world(void **state)
{
	int fd;

	if (probe_open(state) == -1)
		return -1;
	is_root = geteuid() == 0;
	/* As a service's folder: others pass through it. */
	assert_int_equal(chmod(probe_world.folder, 0755), 0);
	fd = mkstemp(secret);
	assert_int_not_equal(fd, -1);
	close(fd);
	return 0;
}

static int
end_world(void **state)
{
	(void)unlink(secret);
	return probe_close(state);
}

static void
be(bool sandbox, bool drop, uint32_t uid)
{
	probe_world.confinement = (struct confinement){
		.sandbox = sandbox,
		.drop = drop,
		.uid = uid,
		.gid = uid == 0 ? 0 : GID,
	};
}

static void
assert_value(const struct held *h, const char *name, const char *wanted)
{
	const char *value = held_value(h, name);

	if (strcmp(value, wanted) != 0)
		fail_msg("%s %s, not %s", name, value, wanted);
}

static void
assert_capabilities(const struct held *h, const char *name, uint64_t wanted)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%016jx", (uintmax_t)wanted);
	assert_value(h, name, text);
}

/* Everything but what only root can do. */
static void
test_anybody(void **state)
{
	static const bool sandboxes[] = { true, false };
	struct held h;
	struct stat st;
	size_t i;
	int p;

	(void)state;
	for (i = 0; i < COUNT(sandboxes); i++)
		for (p = 0; p < PROBE_PROGRAMS; p++) {
			be(sandboxes[i], false, 0);
			held_start(&h, (enum probe_program)p, NULL);
			held_look(&h, "status");
			assert_value(&h, "NoNewPrivs:", "1");
			assert_value(&h, "Seccomp:",
			    sandboxes[i] && probe_possible() ? "2" : "0");
			assert_value(&h, "Umask:", "0077");
			assert_capabilities(&h, "CapInh:", 0);
			assert_capabilities(&h, "CapAmb:", 0);
			if (!is_root)
				assert_capabilities(&h, "CapEff:", 0);
			/* Nobody may look into what can not be dumped. */
			assert_int_equal(stat(held_path(&h, "mem"), &st), 0);
			assert_int_equal(st.st_uid, 0);
			held_end(&h);
		}
}

/* As some service managers start it. */
static void
have_more(void)
{
	const gid_t groups[] = { 0, 1, 2 };
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (setgroups(COUNT(groups), groups) == -1 ||
	    syscall(SYS_capget, &header, data) == -1)
		fatal("capget");
	data[0].inheritable = data[0].permitted;
	data[1].inheritable = data[1].permitted;
	if (syscall(SYS_capset, &header, data) == -1 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == -1)
		fatal("capset");
}

static void
test_users(void **state)
{
	static const uint64_t kept[PROBE_PROGRAMS] = {
		[PROBE_LAUNCHER] = LAUNCHER,
		[PROBE_PARENT] = PARENT,
	};
	struct held h;
	int p;

	(void)state;
	if (!is_root)
		skip();
	for (p = 0; p < PROBE_PROGRAMS; p++) {
		be(true, true, UID);
		held_start(&h, (enum probe_program)p, have_more);
		held_look(&h, "status");
		if (kept[p] == 0) {
			assert_value(&h, "Uid:", "12345 12345 12345 12345");
			assert_value(&h, "Gid:", "54321 54321 54321 54321");
			assert_value(&h, "Groups:", "");
		} else {
			assert_value(&h, "Uid:", "0 0 0 0");
			assert_capabilities(&h, "CapBnd:", kept[p]);
		}
		assert_capabilities(&h, "CapPrm:", kept[p]);
		assert_capabilities(&h, "CapEff:", kept[p]);
		assert_capabilities(&h, "CapInh:", 0);
		assert_capabilities(&h, "CapAmb:", 0);
		held_end(&h);
	}
}

/* authd, where the databases are root's. */
static void
test_root_without_rights(void **state)
{
	struct held h;

	(void)state;
	if (!is_root)
		skip();
	be(true, true, 0);
	held_start(&h, PROBE_AUTHD, have_more);
	held_look(&h, "status");
	assert_value(&h, "Uid:", "0 0 0 0");
	assert_value(&h, "Groups:", "");
	assert_capabilities(&h, "CapPrm:", 0);
	assert_capabilities(&h, "CapEff:", 0);
	assert_capabilities(&h, "CapBnd:", 0);
	held_end(&h);
}

static size_t
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			n++;
	closedir(dir);
	return n;
}

static void
test_roots(void **state)
{
	static const char *const names[] = { "root", "cwd" };
	struct stat st;
	struct held h;
	char link[128];
	ssize_t n;
	size_t i;
	int p;

	(void)state;
	if (!is_root)
		skip();
	for (p = 0; p < PROBE_AUTHD; p++) {
		be(true, true, UID);
		held_start(&h, (enum probe_program)p, NULL);
		for (i = 0; i < COUNT(names); i++) {
			n = readlink(
			    held_path(&h, names[i]), link, sizeof(link) - 1);
			assert_in_range(n, 1, sizeof(link) - 1);
			link[n] = '\0';
			assert_int_equal(stat(held_path(&h, names[i]), &st), 0);
			if (p == PROBE_PROXYD_UNIX) {
				assert_string_equal(link, probe_world.folder);
				continue;
			}
			assert_non_null(strstr(link, " (deleted)"));
			assert_int_equal(st.st_uid, 0);
			assert_int_equal(st.st_nlink, 0);
			assert_int_equal(
			    count_entries(held_path(&h, names[i])), 0);
		}
		held_end(&h);
	}
}

/* What is tried, by those who may make any system call. */

static int
try_setuid(void)
{
	return setuid(0);
}

static int
try_seteuid(void)
{
	return seteuid(0);
}

static int
try_setresuid(void)
{
	return setresuid((uid_t)-1, 0, (uid_t)-1);
}

static int
try_setgid(void)
{
	return setgid(0);
}

static int
try_setgroups(void)
{
	const gid_t root = 0;

	return setgroups(1, &root);
}

static int
try_capset(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = 1, .permitted = 1 },
	};

	return (int)syscall(SYS_capset, &header, data);
}

static int
try_chroot(void)
{
	return chroot(".");
}

static int
try_passwd(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int
climb(void)
{
	int i;

	for (i = 0; i < 64; i++)
		if (chdir("..") == -1)
			return -1;
	return open("etc/passwd", O_RDONLY);
}

static int
try_make(void)
{
	return mkdir("/tetherd-probe", 0700);
}

static int
try_make_here(void)
{
	return open("probe", O_WRONLY | O_CREAT, 0600);
}

static int
read_secret(void)
{
	return open(secret, O_RDONLY);
}

static int
try_signal(void)
{
	return kill(getppid(), 0);
}

static int
try_ptrace(void)
{
	return (int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static void
test_no_way_back(void **state)
{
#define OK   "ok"
#define NO   "EACCES"
#define PERM "EPERM"
#define NONE "ENOENT"
#define ALL(x)                \
	{                     \
		x, x, x, x, x \
	}
	static const struct {
		const char *what;
		probe_attempt *attempt;
		/* connector, proxyd, proxyd with unix:, authd, dialer */
		const char *results[PROBE_LAUNCHER];
	} table[] = {
		{ "setuid", try_setuid, ALL(PERM) },
		{ "seteuid", try_seteuid, ALL(PERM) },
		{ "setresuid", try_setresuid, ALL(PERM) },
		{ "setgid", try_setgid, ALL(PERM) },
		{ "setgroups", try_setgroups, ALL(PERM) },
		{ "capset", try_capset, ALL(PERM) },
		{ "ptrace", try_ptrace, ALL(PERM) },
		{ "signal", try_signal, ALL(PERM) },
		/* They may not even look into their empty folder. */
		{ "chroot", try_chroot, { NO, NO, PERM, PERM, PERM } },
		{ "a file by its name", try_passwd, { NO, NO, NONE, OK, OK } },
		{ "the way up", climb, { NO, NO, NONE, OK, OK } },
		{ "a folder in the root", try_make, ALL(NO) },
		{ "a file where we are", try_make_here,
		    { NO, NO, NO, NULL, NULL } },
		{ "a file of root's", read_secret, { NO, NO, NONE, NO, NO } },
	};
	const char *result;
	int wrong = 0;
	size_t i, p;

	(void)state;
	if (!is_root)
		skip();
	be(false, true, UID);
	for (i = 0; i < COUNT(table); i++)
		for (p = 0; p < PROBE_LAUNCHER; p++) {
			if (table[i].results[p] == NULL)
				continue;
			result = probe((enum probe_program)p, table[i].attempt);
			if (strcmp(result, table[i].results[p]) == 0)
				continue;
			print_error("%s, %s: %s\n", probe_names[p],
			    table[i].what, result);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

/* What must end a process before it goes on with more than it should have. */

static int root = -1;
static void (*what)(void);

static void
chroot_gone(void)
{
	privileges_chroot_gone(&probe_world.confinement, root);
}

static void
chroot_nowhere(void)
{
	privileges_chroot(&probe_world.confinement, "/no/such/folder");
}

static void
drop(void)
{
	privileges_drop(&probe_world.confinement);
}

static void
drop_without_rights(void)
{
	privileges_keep(0);
	drop();
}

static bool
is_fatal(void (*function)(void))
{
	int status;
	pid_t pid;

	what = function;
	(void)fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		log_to_socket(probe_world.log_end);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 1;
}

static void
open_root(const char *path)
{
	if (root != -1)
		close(root);
	root = path == NULL ? -1 : open(path, O_PATH | O_CLOEXEC);
}

static void
test_fatal(void **state)
{
	(void)state;
	be(false, true, UID);
	if (!is_root) {
		assert_true(is_fatal(drop));
		assert_true(is_fatal(chroot_gone));
		skip();
	}
	assert_true(is_fatal(chroot_nowhere));
	assert_true(is_fatal(chroot_gone));
	/* One that is still there could be filled. */
	open_root(probe_world.folder);
	assert_true(is_fatal(chroot_gone));
	/* No folder at all. */
	open_root(secret);
	assert_true(is_fatal(chroot_gone));
	/* Somebody else's. */
	open_root(NULL);
	root = probe_root();
	assert_false(is_fatal(chroot_gone));
	assert_int_equal(fchownat(root, "", UID, GID, AT_EMPTY_PATH), 0);
	assert_true(is_fatal(chroot_gone));
	open_root(NULL);
	assert_false(is_fatal(drop));
	assert_true(is_fatal(drop_without_rights));
}

static char theirs[] = "/tmp/tetherd-theirs.XXXXXX"; /* the user's alone */

/* As the launcher's children are, which may not look where they like. */
static void
look_as_user(void)
{
	const struct confinement *c = &probe_world.confinement;

	privileges_keep(LAUNCHER);
	if (eaccess(theirs, X_OK) == 0)
		fatalx("root may");
	privileges_lend(c);
	if (eaccess(theirs, X_OK) == -1 || geteuid() != UID ||
	    getegid() != GID || getgroups(0, NULL) != 0)
		fatalx("the user may not");
	if (eaccess(secret, R_OK) == 0)
		fatalx("the user may see root's");
	privileges_take_back(c);
	if (eaccess(theirs, X_OK) == 0 || geteuid() != 0 || getegid() != 0)
		fatalx("still the user");
	/* All that there was. */
	privileges_chroot(c, theirs);
	if (eaccess("/", X_OK) == 0 || eaccess(secret, F_OK) == 0)
		fatalx("not there");
	if (chown("/", 0, 0) == -1 || chown("/", UID, GID) == -1)
		fatal("chown");
	privileges_drop(c);
	if (eaccess("/", X_OK) == -1)
		fatalx("not at home");
}

/* Whom it changes nothing for but the rights, which come back. */
static void
look_as_root(void)
{
	privileges_keep(LAUNCHER);
	privileges_lend(&probe_world.confinement);
	privileges_take_back(&probe_world.confinement);
	drop();
}

static void
test_lend(void **state)
{
	(void)state;
	if (!is_root)
		skip();
	be(false, true, UID);
	assert_non_null(mkdtemp(theirs));
	assert_int_equal(chown(theirs, UID, GID), 0);
	assert_false(is_fatal(look_as_user));
	be(false, true, 0);
	assert_false(is_fatal(look_as_root));
	assert_int_equal(rmdir(theirs), 0);
}

/* Nothing of it where nothing is to be dropped. */
static void
test_stay(void **state)
{
	(void)state;
	be(false, false, UID);
	assert_false(is_fatal(chroot_nowhere));
	assert_false(is_fatal(chroot_gone));
	assert_false(is_fatal(drop));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anybody),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_root_without_rights),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_no_way_back),
		cmocka_unit_test(test_fatal),
		cmocka_unit_test(test_lend),
		cmocka_unit_test(test_stay),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
