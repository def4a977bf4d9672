#include <sys/prctl.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "sandbox/calls.h"
#include "sandbox/landlock.h"
#include "tests/unit/sandbox/probe.h"

/*
 * Landlock by itself: what it refuses here it refuses to a program that found
 * its way around the lists of system calls.
 */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

/* The world: files in probe_world.folder, and two servers. */
#define PROGRAM "program" /* can be executed */
#define NOISE	"noise"	  /* could be, but is none */
#define SECRET	"secret"
#define SUB	"sub"

static char path[128];
static int etc = -1; /* a descriptor of a folder, from before */
static int servers[2] = { -1, -1 };
static uint16_t other_port;
static int local = -1;
static struct sockaddr_un abstract;
static socklen_t abstract_len;

static const char *
in_folder(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", probe_world.folder, name);
	return path;
}

static void
make_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
copy_program(void)
{
	static char text[1 << 20];
	int from = open("/bin/true", O_RDONLY), to;
	ssize_t n = read(from, text, sizeof(text));

	assert_in_range(n, 1, sizeof(text) - 1);
	to = open(in_folder(PROGRAM), O_WRONLY | O_CREAT | O_TRUNC, 0755);
	assert_int_equal(write(to, text, (size_t)n), n);
	close(from);
	close(to);
}

static uint16_t
serve(int *fd)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(*fd, 64), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&sin, &len), 0);
	return ntohs(sin.sin_port);
}

static void
listen_abstract(void)
{
	abstract.sun_family = AF_UNIX;
	(void)snprintf(abstract.sun_path + 1, sizeof(abstract.sun_path) - 1,
	    "tetherd-probe-%d", (int)getpid());
	abstract_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				   strlen(abstract.sun_path + 1));
	local = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(
	    bind(local, (struct sockaddr *)&abstract, abstract_len), 0);
}

static int
make_world(void **state)
{
	if (probe_open(state) == -1)
		return -1;
	/* As root, the launcher executes it with fewer rights than root's. */
	assert_int_equal(chmod(probe_world.folder, 0755), 0);
	make_file(SECRET, "secret", 0600);
	make_file(NOISE, "\177noise", 0755);
	copy_program();
	assert_int_equal(mkdir(in_folder(SUB), 0700), 0);
	etc = open("/etc", O_RDONLY | O_DIRECTORY);
	probe_world.port = serve(&servers[0]);
	other_port = serve(&servers[1]);
	listen_abstract();
	return 0;
}

static int
end_world(void **state)
{
	static const char *const names[] = { SECRET, NOISE, PROGRAM, "new",
		"old", SUB "/secret" };
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		(void)unlink(in_folder(names[i]));
	(void)rmdir(in_folder(SUB));
	close(etc);
	close(servers[0]);
	close(servers[1]);
	close(local);
	return probe_close(state);
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

/* What is tried. */

static int
open_and_close(const char *file, int flags)
{
	int fd = open(file, flags | O_CLOEXEC, 0600);

	if (fd != -1)
		close(fd);
	return fd;
}

static int
read_hosts(void)
{
	return open_and_close("/etc/hosts", O_RDONLY);
}

static int
read_passwd(void)
{
	return open_and_close("/etc/passwd", O_RDONLY);
}

static int
read_passwd_at(void)
{
	return openat(etc, "passwd", O_RDONLY);
}

static int
list_etc(void)
{
	return open_and_close("/etc", O_RDONLY | O_DIRECTORY);
}

static int
read_library(void)
{
	return open_and_close("/usr/lib/os-release", O_RDONLY);
}

static int
read_status(void)
{
	return open_and_close("/proc/self/status", O_RDONLY);
}

static int
write_hosts(void)
{
	return open_and_close("/etc/hosts", O_WRONLY);
}

static int
make_in_tmp(void)
{
	char template[] = "/tmp/tetherd-try.XXXXXX";
	int fd = mkstemp(template);

	if (fd != -1)
		(void)unlink(template);
	return fd;
}

static int
read_secret(void)
{
	return open_and_close(in_folder(SECRET), O_RDONLY);
}

static int
write_secret(void)
{
	return open_and_close(in_folder(SECRET), O_WRONLY);
}

static int
shorten_secret(void)
{
	return truncate(in_folder(SECRET), 3);
}

static int
list_folder(void)
{
	return open_and_close(probe_world.folder, O_RDONLY | O_DIRECTORY);
}

static int
make_new(void)
{
	return open_and_close(in_folder("new"), O_WRONLY | O_CREAT);
}

static int
remove_old(void)
{
	return unlink(in_folder("old"));
}

static int
make_folder(void)
{
	return mkdir(in_folder("more"), 0700);
}

static int
remove_folder(void)
{
	return rmdir(in_folder(SUB));
}

static int
make_link(void)
{
	return symlink("/etc", in_folder("link"));
}

static int
make_socket(void)
{
	return mknod(in_folder("socket"), S_IFSOCK | 0600, 0);
}

static int
make_fifo(void)
{
	return mkfifo(in_folder("fifo"), 0600);
}

static int
move_secret(void)
{
	char to[sizeof(path)];

	(void)snprintf(to, sizeof(to), "%s", in_folder(SUB "/secret"));
	return rename(in_folder(SECRET), to);
}

static int
execute(const char *file)
{
	char *argv[] = { (char *)(uintptr_t)file, NULL };
	char *env[] = { NULL };
	int status;
	pid_t pid = fork();

	if (pid == -1)
		return -1;
	if (pid == 0) {
		(void)execve(file, argv, env);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) == -1)
		return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno == 0 ? 0 : -1;
}

static int
execute_program(void)
{
	return execute(in_folder(PROGRAM));
}

static int
execute_true(void)
{
	return execute("/bin/true");
}

/* In place of ourselves. */
static int
execute_noise(void)
{
	char *argv[] = { path, NULL };

	return execve(in_folder(NOISE), argv, NULL);
}

static int
execute_shell(void)
{
	char *argv[] = { path, NULL };

	return execve("/bin/sh", argv, argv + 1);
}

static int
connect_tcp(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static int
connect_port(void)
{
	return connect_tcp(probe_world.port);
}

static int
connect_other_port(void)
{
	return connect_tcp(other_port);
}

static int
connect_dns(void)
{
	return connect_tcp(53);
}

static int
bind_tcp(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(53053);
	return bind(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static int
signal_starter(void)
{
	return kill(getppid(), 0);
}

static int
signal_self(void)
{
	return kill(getpid(), 0);
}

static int
send_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return (int)sendto(
	    fd, "x", 1, 0, (struct sockaddr *)&abstract, abstract_len);
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
