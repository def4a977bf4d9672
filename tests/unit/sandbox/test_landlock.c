#include <sys/prctl.h>

#include "sandbox/calls.h"
#include "sandbox/landlock.h"
#include "tests/unit/sandbox/world.h"

/*
 * Landlock by itself: what it refuses here it refuses to a program that found
 * its way around the lists of system calls.
 */

#define OK   "ok"
#define NO   "EACCES"
#define PERM "EPERM"

/* In place of the real one: no system call is refused. */
void
calls_confine(const struct calls *const lists[], size_t n)
{
	(void)lists;
	(void)n;
}

/* What a kernel can refuse. */

#define FS_1  UINT64_C(0x1fff)
#define FS_2  UINT64_C(0x3fff)
#define FS_3  UINT64_C(0x7fff)
#define FS_5  UINT64_C(0xffff)
#define EXEC  UINT64_C(1)
#define BIND  UINT64_C(1)
#define NET   UINT64_C(3)
#define SOCK  UINT64_C(1)
#define SCOPE UINT64_C(3)

static void
test_masks(void **state)
{
	static const struct landlock_rules nothing,
	    lax = { .any_connect = true, .any_file = true },
	    loud = { .signals = true };
	static const struct {
		unsigned abi;
		const struct landlock_rules *rules;
		struct landlock_handled handled;
	} table[] = {
		{ 1, &nothing, { FS_1, 0, 0 } },
		{ 2, &nothing, { FS_2, 0, 0 } },
		{ 3, &nothing, { FS_3, 0, 0 } },
		{ 4, &nothing, { FS_3, NET, 0 } },
		{ 5, &nothing, { FS_5, NET, 0 } },
		{ 6, &nothing, { FS_5, NET, SCOPE } },
		{ 7, &nothing, { FS_5, NET, SCOPE } },
		{ 99, &nothing, { FS_5, NET, SCOPE } },
		{ 1, &lax, { EXEC, 0, 0 } },
		{ 3, &lax, { EXEC, 0, 0 } },
		{ 4, &lax, { EXEC, BIND, 0 } },
		{ 6, &lax, { EXEC, BIND, SCOPE } },
		{ 1, &loud, { FS_1, 0, 0 } },
		{ 5, &loud, { FS_5, NET, 0 } },
		{ 6, &loud, { FS_5, NET, SOCK } },
	};
	struct landlock_handled handled;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		memset(&handled, 0xff, sizeof(handled));
		landlock_handle(table[i].rules, table[i].abi, &handled);
		if (memcmp(&handled, &table[i].handled, sizeof(handled)) != 0)
			fail_msg("row %zu: %jx %jx %jx", i,
			    (uintmax_t)handled.fs, (uintmax_t)handled.net,
			    (uintmax_t)handled.scoped);
	}
}

static void
test_lacks(void **state)
{
	static const struct {
		unsigned abi;
		const char *text;
	} table[] = {
		{ 1, "truncation of files, TCP ports, ioctls of devices, "
		     "signals and abstract sockets" },
		{ 2, "truncation of files, TCP ports, ioctls of devices, "
		     "signals and abstract sockets" },
		{ 3, "TCP ports, ioctls of devices, signals and abstract "
		     "sockets" },
		{ 4, "ioctls of devices, signals and abstract sockets" },
		{ 5, "signals and abstract sockets" },
		{ 6, "" },
		{ 7, "" },
		{ 99, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		assert_string_equal(
		    landlock_lacks(table[i].abi), table[i].text);
}

static const struct row {
	const char *what;
	probe_attempt *attempt;
	const char *results[PROBE_PROGRAMS];
} rows[] = {
	/* connector, proxyd, proxyd with unix:, authd, dialer, launcher,
	 * tetherd */
	{ "read /etc/hosts", read_hosts, { NO, NO, NO, NO, OK, OK, OK } },
	{ "read /etc/passwd", read_passwd, { NO, NO, NO, NO, NO, OK, OK } },
	{ "the same by a descriptor of /etc", read_passwd_at,
	    { NO, NO, NO, NO, NO, OK, OK } },
	{ "list /etc", list_etc, { NO, NO, NO, NO, NO, OK, NO } },
	{ "read a library", read_library, { NO, NO, NO, NO, OK, OK, NO } },
	{ "read /proc", read_status, { NO, NO, NO, NO, NO, OK, OK } },
	{ "write to /etc/hosts", write_hosts,
	    { NO, NO, NO, NO, NO, NULL, NO } },
	{ "make a file in /tmp", make_in_tmp,
	    { NO, NO, NO, NO, NO, NULL, NO } },

	{ "read a file of the folder", read_secret,
	    { NO, NO, NO, OK, NO, OK, OK } },
	{ "write to it", write_secret, { NO, NO, NO, OK, NO, OK, OK } },
	{ "shorten it", shorten_secret, { NO, NO, NO, OK, NO, NULL, OK } },
	{ "list the folder", list_folder, { NO, NO, NO, OK, NO, OK, OK } },
	{ "make a file there", make_new, { NO, NO, NO, OK, NO, OK, OK } },
	{ "remove one", remove_old, { NO, NO, NO, OK, NO, OK, OK } },
	{ "make a folder there", make_folder,
	    { NO, NO, NO, NO, NO, NULL, NO } },
	{ "remove a folder", remove_folder, { NO, NO, NO, NO, NO, NULL, NO } },
	{ "make a link there", make_link, { NO, NO, NO, NO, NO, NULL, NO } },
	{ "make a socket there", make_socket,
	    { NO, NO, NO, NO, NO, NULL, NO } },
	{ "make a FIFO there", make_fifo, { NO, NO, NO, NO, NO, NULL, NO } },
	{ "move a file elsewhere", move_secret,
	    { NO, NO, NO, "EXDEV", NO, NULL, "EXDEV" } },

	{ "execute a file of the folder", execute_noise,
	    { NO, NO, NO, NO, NO, "ENOEXEC", NO } },
	{ "run a program of the folder", execute_program,
	    { NULL, NULL, NULL, NULL, NULL, OK, NULL } },
	{ "execute a shell", execute_shell, { NO, NO, NO, NO, NO, NO, NO } },
	{ "run /bin/true", execute_true,
	    { NULL, NULL, NULL, NULL, NULL, NO, NULL } },

	{ "connect to the port", connect_port, { NO, OK, NO, NO, OK, OK, NO } },
	{ "connect to another one", connect_other_port,
	    { NO, NO, NO, NO, NO, OK, NO } },
	{ "connect to a name server", connect_dns,
	    { NO, NO, NO, NO, "ECONNREFUSED", "ECONNREFUSED", NO } },
	{ "listen at a port", bind_tcp, { NO, NO, NO, NO, NO, NO, NO } },

	{ "a signal to ourselves", signal_self,
	    { OK, OK, OK, OK, OK, OK, OK } },
	{ "a signal to another process", signal_starter,
	    { PERM, PERM, PERM, PERM, PERM, PERM, OK } },
	{ "an abstract socket", send_abstract,
	    { PERM, PERM, PERM, PERM, PERM, PERM, PERM } },
};

static void
test_attempts(void **state)
{
	const char *result, *wanted;
	size_t i, p;
	int wrong = 0;

	(void)state;
	if (!probe_possible() || sandbox_landlock_abi() < 6)
		skip();
	for (i = 0; i < COUNT(rows); i++)
		for (p = 0; p < PROBE_PROGRAMS; p++) {
			wanted = rows[i].results[p];
			if (wanted == NULL)
				continue;
			make_file("old", "", 0600);
			(void)unlink(in_folder("new"));
			result = probe((enum probe_program)p, rows[i].attempt);
			if (strcmp(result, wanted) == 0)
				continue;
			print_error("%s, %s: %s, not %s\n", probe_names[p],
			    rows[i].what, result, wanted);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

/* What each kind of access to a folder, or to a file, allows. */

static struct sandbox_path allowed;

static const char *
probe_access(probe_attempt *attempt)
{
	const struct landlock_rules rules = { .paths = &allowed, .npaths = 1 };
	static char result[32];
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		landlock_confine(&rules);
		errno = 0;
		_exit(attempt() == -1 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	(void)snprintf(result, sizeof(result), "%s",
	    WEXITSTATUS(status) == 0 ? OK
				     : strerrorname_np(WEXITSTATUS(status)));
	return result;
}

static void
test_access(void **state)
{
	static const struct {
		const char *what;
		probe_attempt *attempt;
		/* READ, LOG, WRITE, REMOVE, EXECUTE; of the file: the same */
		const char *folder[5], *file[5];
	} table[] = {
		{ "read", read_secret, { OK, OK, OK, NO, NO },
		    { OK, OK, OK, NO, NO } },
		{ "write", write_secret, { NO, OK, OK, NO, NO },
		    { NO, OK, OK, NO, NO } },
		{ "shorten", shorten_secret, { NO, NO, OK, NO, NO },
		    { NO, NO, OK, NO, NO } },
		{ "list", list_folder, { NO, NO, OK, NO, NO },
		    { NO, NO, NO, NO, NO } },
		{ "make", make_new, { NO, OK, OK, NO, NO },
		    { NO, NO, NO, NO, NO } },
		{ "make a folder", make_folder, { NO, NO, NO, NO, NO },
		    { NO, NO, NO, NO, NO } },
		/* Which is reading, too: no program may do all of it. */
		{ "execute", execute_noise, { NO, NO, NO, NO, NO },
		    { NO, NO, NO, NO, NO } },
		{ "elsewhere", read_passwd, { NO, NO, NO, NO, NO },
		    { NO, NO, NO, NO, NO } },
	};
	char folder[sizeof(path)], file[sizeof(path)];
	const char *result;
	size_t i, kind;

	(void)state;
	if (sandbox_landlock_abi() < 3)
		skip();
	(void)snprintf(folder, sizeof(folder), "%s", probe_world.folder);
	(void)snprintf(file, sizeof(file), "%s", in_folder(SECRET));
	for (i = 0; i < COUNT(table); i++)
		for (kind = 0; kind < 5; kind++) {
			(void)unlink(in_folder("new"));
			allowed.access = (enum sandbox_access)kind;
			allowed.path = folder;
			result = probe_access(table[i].attempt);
			if (strcmp(result, table[i].folder[kind]) != 0)
				fail_msg("%s, %zu, folder: %s", table[i].what,
				    kind, result);
			allowed.path = file;
			result = probe_access(table[i].attempt);
			if (strcmp(result, table[i].file[kind]) != 0)
				fail_msg("%s, %zu, file: %s", table[i].what,
				    kind, result);
		}
}

static void
test_remove(void **state)
{
	static const char *const results[] = { NO, NO, OK, OK, NO };
	size_t kind;

	(void)state;
	for (kind = 0; kind < COUNT(results); kind++) {
		make_file("old", "", 0600);
		allowed.access = (enum sandbox_access)kind;
		allowed.path = probe_world.folder;
		assert_string_equal(probe_access(remove_old), results[kind]);
	}
}

/* What is not there is not allowed, and no reason to give up. */
static void
test_absent(void **state)
{
	(void)state;
	allowed.access = SANDBOX_WRITE;
	allowed.path = "/no/such/folder";
	assert_string_equal(probe_access(read_passwd), NO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_lacks),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
