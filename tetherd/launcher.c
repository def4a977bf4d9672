#include <sys/socket.h>
#include <sys/wait.h>

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "common/slice.h"
#include "tetherd/launcher.h"
#include "tetherd/process.h"
#include "tetherd/relay.h"
#include "tetherd/spawn.h"

/* It has nothing else to do, and all that is ours waits for it meanwhile. */
#define ANSWER_MS 2000

/* One that fails to start is dead by then, or never. */
#define END_MS 300

static struct {
	pid_t pid; /* 0 if it is not there */
	int pidfd;
	bool lost; /* killed, as it is of no use any more */
	time_t started;
	int channel;
	uint64_t asked;
	struct relay *relay;
	uint8_t *buffer;
} launcher;

/* Why is up to its last words, and how it ended. */
static void __attribute__((noreturn)) fail_to_start(const char *why)
{
	struct pollfd pfd = { .fd = launcher.pidfd, .events = POLLIN };
	char death[PROCESS_DEATH_SIZE];
	int status;

	if (poll(&pfd, 1, END_MS) != 1)
		process_kill(launcher.pidfd);
	if (waitpid(launcher.pid, &status, 0) == -1)
		fatal("launcher: %s; waitpid", why);
	relay_free(launcher.relay);
	fatalx("launcher: %s; %s", why,
	    process_describe_death(
		PROGRAM_LAUNCHER, launcher.pid, status, death, sizeof(death)));
}

static void
send_now(struct msg_out *m)
{
	if (msg_send_now(launcher.channel, m, -1) == -1)
		fail_to_start("closed");
}

/* What it says, which must be of that type. */
static void
expect(struct msg *m, enum msg_type type, enum msg_state state)
{
	const char *why = msg_recv_now(launcher.channel, m, launcher.buffer,
	    CHILD_SETUP_TIMEOUT, PROGRAM_LAUNCHER, PROGRAM_PARENT, state);

	if (why != NULL)
		fail_to_start(why);
	if (m->type != type)
		fail_to_start("not what was asked");
}

static void
greet(const struct launcher_conf *conf)
{
	struct msg_out out;
	struct msg m;

	msg_start(&out, MSG_HELLO, 0);
	msg_add_u32(&out, MSG_PROTOCOL_VERSION);
	send_now(&out);
	expect(&m, MSG_HELLO_BACK, MSG_START);
	if (msg_get_u32(&m) != MSG_PROTOCOL_VERSION || !msg_end(&m))
		fail_to_start("not that of this tetherd");
	msg_start(&out, MSG_CONF_LAUNCHER, 0);
	slice_add_launcher(&out, conf);
	send_now(&out);
	msg_start(&out, MSG_CONF_DONE, 0);
	send_now(&out);
	expect(&m, MSG_READY, MSG_RUN);
}

void
launcher_start(struct event_base *base, const struct launcher_conf *conf,
    const char *folder, int root)
{
	char path[PATH_MAX], *env[] = { spawn_tunables(), NULL };
	int channel[2], log[2];
	struct timespec now;
	struct spawn s;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder,
		program_name(PROGRAM_LAUNCHER)) >= sizeof(path))
		fatalx("path of the executables too long");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) ==
		-1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, log) == -1)
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
	clock_gettime(CLOCK_MONOTONIC, &now);
	launcher.started = now.tv_sec;
	launcher.channel = channel[0];
	launcher.relay = relay_new(
	    base, log[0], PROGRAM_LAUNCHER, launcher.pid, log_get_level());
	greet(conf);
}

/* Nothing can be started without it: its death, once known, is our end. */
static void
lose(const char *why)
{
	log_warnx("launcher[%d]: no answer: %s", (int)launcher.pid, why);
	launcher.lost = true;
	process_kill(launcher.pidfd);
}

static pid_t
take_answer(enum program program, int *pidfd)
{
	const char *why;
	struct msg m;
	uint32_t word;
	bool good;

	why = msg_recv_now(launcher.channel, &m, launcher.buffer, ANSWER_MS,
	    PROGRAM_LAUNCHER, PROGRAM_PARENT, MSG_RUN);
	if (why != NULL) {
		lose(why);
		return -1;
	}
	word = msg_get_u32(&m);
	*pidfd = msg_take_fd(&m);
	good = msg_end(&m) && m.id == launcher.asked && word > 0 &&
	       word <= INT32_MAX;
	if (good && m.type == MSG_LAUNCHED)
		return (pid_t)word;
	if (*pidfd != -1)
		close(*pidfd);
	if (good && m.type == MSG_LAUNCH_FAILED)
		log_warnx(
		    "%s: fork: %s", program_name(program), strerror((int)word));
	else
		lose("not what was asked");
	return -1;
}

pid_t
launcher_spawn(enum program program, int channel, int log, int *pidfd)
{
	struct msg_out m;

	if (launcher.pid == 0 || launcher.lost) {
		close(channel);
		close(log);
		return -1;
	}
	launcher.asked++;
	msg_start(&m, MSG_LAUNCH_LOG, launcher.asked);
	msg_add_u32(&m, program);
	if (msg_send_now(launcher.channel, &m, log) == -1) {
		close(channel);
		goto failed;
	}
	msg_start(&m, MSG_LAUNCH, launcher.asked);
	msg_add_u32(&m, program);
	if (msg_send_now(launcher.channel, &m, channel) == -1)
		goto failed;
	return take_answer(program, pidfd);

failed:
	log_warn("send to launcher");
	return -1;
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

uint64_t
launcher_uptime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - launcher.started);
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
