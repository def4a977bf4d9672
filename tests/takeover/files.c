#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/takeover/drill.h"

/* Descriptors beyond are none that a process that just started has. */
#define FDS 64

static void
try_open(const char *what, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	char text[256];

	(void)snprintf(text, sizeof(text), "%s %s", what, path);
	drill_say(text, fd);
	if (fd != -1)
		close(fd);
}

/* A folder that was left open would be a way around everything. */
static void
try_descriptors(void)
{
	static const char *const names[] = { "etc/passwd", "../etc/passwd",
		"../../../../etc/passwd", "." };
	unsigned n = 0;
	size_t i;
	int at, fd;

	for (at = 0; at < FDS; at++)
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			fd = openat(at, names[i], O_RDONLY | O_CLOEXEC);
			if (fd == -1)
				continue;
			n++;
			close(fd);
		}
	log_infox("drill: descriptors that lead somewhere: %u", n);
}

/* Behind a descriptor of a folder that there is none, and a handle of one. */
static void
try_proc(const struct drill *d)
{
	char path[64];

	try_open("read", "/proc/self/mem", O_RDWR);
	try_open("read", "/proc/self/environ", O_RDONLY);
	try_open("read", "/proc/self/root/etc/passwd", O_RDONLY);
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)d->parent);
	drill_say("memory of tetherd", open(path, O_RDWR | O_CLOEXEC));
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)d->parent);
	drill_say("environment of tetherd", open(path, O_RDONLY | O_CLOEXEC));
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)d->parent);
	drill_say("descriptor of tetherd", open(path, O_RDWR | O_CLOEXEC));
}

/* The arguments are further files that are none of its business. */
void
attack_files(struct drill *d, int argc, char **argv)
{
	static const char *const paths[] = { "/", "/etc/passwd", "/etc/shadow",
		"etc/passwd", "../../../../../../etc/passwd", "/dev/null",
		"/dev/mem", "/dev/shm", "/tmp", "/sys/kernel", "/run" };
	struct stat st;
	char link[64];
	size_t i;
	int n;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		try_open("read", paths[i], O_RDONLY);
	for (n = 0; n < argc; n++)
		try_open("read", argv[n], O_RDONLY);
	for (n = 0; n < argc; n++)
		try_open("write", argv[n], O_WRONLY);
	try_open("create", "/tmp/tetherd-drill", O_WRONLY | O_CREAT);
	try_open("create", "/dev/shm/tetherd-drill", O_WRONLY | O_CREAT);
	try_open("create", "tetherd-drill", O_WRONLY | O_CREAT);
	try_open("unnamed", "/tmp", O_RDWR | O_TMPFILE);
	try_descriptors();
	try_proc(d);
	drill_say("readlink /proc/self/exe",
	    readlink("/proc/self/exe", link, sizeof(link)));
	drill_say("stat /etc/passwd", stat("/etc/passwd", &st));
	drill_say("access /etc/passwd", access("/etc/passwd", R_OK));
}
