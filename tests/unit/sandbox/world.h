#ifndef TESTS_UNIT_SANDBOX_WORLD_H
#define TESTS_UNIT_SANDBOX_WORLD_H

/*
 * Files, servers and a socket for programs in their sandboxes to try, and what
 * they try with them.
 */

#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/unit/sandbox/probe.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

static inline const char *
in_folder(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", probe_world.folder, name);
	return path;
}

static inline void
make_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline void
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

static inline uint16_t
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

static inline void
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

static inline int
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

static inline int
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

/* What is tried. */

static inline int
open_and_close(const char *file, int flags)
{
	int fd = open(file, flags | O_CLOEXEC, 0600);

	if (fd != -1)
		close(fd);
	return fd;
}

static inline int
read_hosts(void)
{
	return open_and_close("/etc/hosts", O_RDONLY);
}

static inline int
read_passwd(void)
{
	return open_and_close("/etc/passwd", O_RDONLY);
}

static inline int
read_passwd_at(void)
{
	return openat(etc, "passwd", O_RDONLY);
}

static inline int
list_etc(void)
{
	return open_and_close("/etc", O_RDONLY | O_DIRECTORY);
}

static inline int
read_library(void)
{
	return open_and_close("/usr/lib/os-release", O_RDONLY);
}

static inline int
read_status(void)
{
	return open_and_close("/proc/self/status", O_RDONLY);
}

static inline int
write_hosts(void)
{
	return open_and_close("/etc/hosts", O_WRONLY);
}

static inline int
make_in_tmp(void)
{
	char template[] = "/tmp/tetherd-try.XXXXXX";
	int fd = mkstemp(template);

	if (fd != -1)
		(void)unlink(template);
	return fd;
}

static inline int
read_secret(void)
{
	return open_and_close(in_folder(SECRET), O_RDONLY);
}

static inline int
write_secret(void)
{
	return open_and_close(in_folder(SECRET), O_WRONLY);
}

static inline int
shorten_secret(void)
{
	return truncate(in_folder(SECRET), 3);
}

static inline int
list_folder(void)
{
	return open_and_close(probe_world.folder, O_RDONLY | O_DIRECTORY);
}

static inline int
make_new(void)
{
	return open_and_close(in_folder("new"), O_WRONLY | O_CREAT);
}

static inline int
remove_old(void)
{
	return unlink(in_folder("old"));
}

static inline int
make_folder(void)
{
	return mkdir(in_folder("more"), 0700);
}

static inline int
remove_folder(void)
{
	return rmdir(in_folder(SUB));
}

static inline int
make_link(void)
{
	return symlink("/etc", in_folder("link"));
}

static inline int
make_socket(void)
{
	return mknod(in_folder("socket"), S_IFSOCK | 0600, 0);
}

static inline int
make_fifo(void)
{
	return mkfifo(in_folder("fifo"), 0600);
}

static inline int
move_secret(void)
{
	char to[sizeof(path)];

	(void)snprintf(to, sizeof(to), "%s", in_folder(SUB "/secret"));
	return rename(in_folder(SECRET), to);
}

static inline int
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

static inline int
execute_program(void)
{
	return execute(in_folder(PROGRAM));
}

static inline int
execute_true(void)
{
	return execute("/bin/true");
}

/* In place of ourselves. */
static inline int
execute_noise(void)
{
	char *argv[] = { path, NULL };

	return execve(in_folder(NOISE), argv, NULL);
}

static inline int
execute_shell(void)
{
	char *argv[] = { path, NULL };

	return execve("/bin/sh", argv, argv + 1);
}

static inline int
connect_tcp(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static inline int
connect_port(void)
{
	return connect_tcp(probe_world.port);
}

static inline int
connect_other_port(void)
{
	return connect_tcp(other_port);
}

static inline int
connect_dns(void)
{
	return connect_tcp(53);
}

static inline int
bind_tcp(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(53053);
	return bind(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static inline int
signal_starter(void)
{
	return kill(getppid(), 0);
}

static inline int
signal_self(void)
{
	return kill(getpid(), 0);
}

static inline int
send_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return (int)sendto(
	    fd, "x", 1, 0, (struct sockaddr *)&abstract, abstract_len);
}

#endif
