#include <sys/socket.h>
#include <sys/wait.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "common/slice.h"
#include "tetherd/launcher.h"
#include "tetherd/process.h"
#include "tetherd/relay.h"
#include "tetherd/spawn.h"

/* It has nothing else to do. */
#define ANSWER_MS 10000

static struct {
	pid_t pid; /* 0 if it is not there */
	int pidfd;
	int channel;
	uint64_t asked;
	struct relay *relay;
	uint8_t *buffer;
} launcher;

static void
send_now(struct msg_out *m, int fd)
{
	if (msg_send_now(launcher.channel, m, fd) == -1)
		fatal("launcher");
}

/* What it says, which must be of that type. */
static void
expect(struct msg *m, enum msg_type type, enum msg_state state)
{
	const char *why = msg_recv_now(launcher.channel, m, launcher.buffer,
	    ANSWER_MS, PROGRAM_LAUNCHER, PROGRAM_PARENT, state);

	if (why != NULL)
		fatalx("launcher: %s", why);
	if (m->type != type)
		fatalx("launcher: unexpected %s", msg_name(m->type));
}

static void
greet(const struct launcher_conf *conf)
{
	struct msg_out out;
	struct msg m;

	msg_start(&out, MSG_HELLO, 0);
	msg_add_u32(&out, MSG_PROTOCOL_VERSION);
	send_now(&out, -1);
	expect(&m, MSG_HELLO_BACK, MSG_START);
	if (msg_get_u32(&m) != MSG_PROTOCOL_VERSION || !msg_end(&m))
		fatalx("launcher: not that of this tetherd");
	msg_start(&out, MSG_CONF_LAUNCHER, 0);
	slice_add_launcher(&out, conf);
	send_now(&out, -1);
	msg_start(&out, MSG_CONF_DONE, 0);
	send_now(&out, -1);
	expect(&m, MSG_READY, MSG_RUN);
}

/* All that is kept of the environment; see launcher_main.c. */
static char *
tunables(void)
{
	const char *value = getenv("GLIBC_TUNABLES");
	char *line = NULL;

	if (value != NULL && asprintf(&line, "GLIBC_TUNABLES=%s", value) == -1)
		fatal("GLIBC_TUNABLES");
	return line;
}

void
launcher_start(struct event_base *base, const struct launcher_conf *conf,
    const char *folder, int root)
{
	char path[PATH_MAX], *env[] = { tunables(), NULL };
	int channel[2], log[2];
	struct spawn s;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder,
		program_name(PROGRAM_LAUNCHER)) >= sizeof(path))
		fatalx("path of the executables too long");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) ==
		-1 ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, log) == -1)
		fatal("launcher: socketpair");
	launcher.buffer = malloc(MSG_SIZE_MAX);
	if (launcher.buffer == NULL)
		fatal("launcher");
	s = (struct spawn){
		.path = path,
		.env = env,
		.channel = channel[1],
		.log = log[1],
		.root = root,
	};
	launcher.pid = spawn(&s, &launcher.pidfd);
	if (launcher.pid == -1)
		fatal("launcher: clone");
	free(env[0]);
	close(channel[1]);
	close(log[1]);
	if (root != -1)
		close(root);
	launcher.channel = channel[0];
	launcher.relay = relay_new(
	    base, log[0], PROGRAM_LAUNCHER, launcher.pid, log_get_level());
	greet(conf);
}

static pid_t
take_answer(int *pidfd)
{
	const char *why;
	struct msg m;
	uint32_t word;

	why = msg_recv_now(launcher.channel, &m, launcher.buffer, ANSWER_MS,
	    PROGRAM_LAUNCHER, PROGRAM_PARENT, MSG_RUN);
	if (why != NULL) {
		log_warnx("launcher: %s", why);
		return -1;
	}
	word = msg_get_u32(&m);
	*pidfd = msg_take_fd(&m);
	if (msg_end(&m) && m.id == launcher.asked && m.type == MSG_LAUNCHED)
		return (pid_t)word;
	if (*pidfd != -1)
		close(*pidfd);
	log_warnx("launcher: %s", m.type == MSG_LAUNCH_FAILED
				      ? strerror((int)word)
				      : "not what was asked");
	return -1;
}

pid_t
launcher_spawn(enum program program, int channel, int log, int *pidfd)
{
	struct msg_out m;
	int rc;

	launcher.asked++;
	msg_start(&m, MSG_LAUNCH_LOG, launcher.asked);
	msg_add_u32(&m, program);
	rc = msg_send_now(launcher.channel, &m, log);
	msg_start(&m, MSG_LAUNCH, launcher.asked);
	msg_add_u32(&m, program);
	if (msg_send_now(launcher.channel, &m, channel) == -1 || rc == -1) {
		log_warn("launcher");
		return -1;
	}
	return take_answer(pidfd);
}

bool
launcher_reap(pid_t pid)
{
	if (launcher.pid != pid)
		return false;
	launcher.pid = 0;
	return true;
}

pid_t
launcher_pid(void)
{
	return launcher.pid;
}

void
launcher_stop(void)
{
	if (launcher.pid != 0) {
		process_kill(launcher.pidfd);
		(void)waitpid(launcher.pid, NULL, 0);
	}
	relay_free(launcher.relay);
	close(launcher.pidfd);
	close(launcher.channel);
	free(launcher.buffer);
	memset(&launcher, 0, sizeof(launcher));
}
