/*
 * The launcher as tetherd sees it: the real one, which starts this program in
 * place of ours, and this program in place of the launcher, which misbehaves.
 */

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/child.h"
#include "common/log.h"
#include "common/slice.h"
#include "tests/unit/common/descriptors.h"
#include "tetherd/launcher.h"
#include "tetherd/process.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define TUNABLES "glibc.malloc.arena_max=3"

static struct event_base *base;
static char folder[32], self[PATH_MAX];
static int logged = -1; /* the other end of our own log */

static const char *
path_of(const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* A link would lead to where the launcher may execute nothing. */
static void
copy_file(const char *from, const char *name)
{
	char buf[65536];
	int in = open(from, O_RDONLY), out;
	ssize_t n;

	if (in == -1)
		fail_msg("%s: %s", from, strerror(errno));
	out = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL, 0755);
	assert_int_not_equal(out, -1);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)n), n);
	close(in);
	close(out);
}

static void
listen_to_log(void)
{
	int log[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, log), 0);
	logged = log[0];
	log_to_socket(log[1]);
}

/* The lines so far, and those of children that wait to be relayed. */
static const char *
log_text(void)
{
	static char all[8192];
	char line[LOG_LINE_MAX + 1];
	size_t len = 0;
	ssize_t n;
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	all[0] = '\0';
	while ((n = recv(logged, line, sizeof(line) - 1, MSG_DONTWAIT)) > 0) {
		line[n] = '\0';
		len += (size_t)snprintf(
		    all + len, sizeof(all) - len, "%s|", line + 1);
		assert_true(len < sizeof(all));
	}
	return all;
}

static void
assert_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static int
begin(void **state)
{
	(void)state;
	(void)strlcpy(folder, "/tmp/launcher.XXXXXX", sizeof(folder));
	assert_non_null(mkdtemp(folder));
	base = event_base_new();
	assert_non_null(base);
	listen_to_log();
	return 0;
}

static int
end(void **state)
{
	struct dirent *entry;
	DIR *dir;

	(void)state;
	if (launcher_pid() != 0)
		launcher_stop();
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		(void)unlink(path_of(entry->d_name));
	closedir(dir);
	assert_int_equal(rmdir(folder), 0);
	event_base_free(base);
	close(logged);
	log_to_stderr("test");
	return 0;
}

static const struct launcher_conf conf = { .confinement = { .sandbox = true } };

static void
start_real(void)
{
	char path[PATH_MAX], tests[PATH_MAX];

	(void)strlcpy(tests, self, sizeof(tests));
	(void)snprintf(path, sizeof(path),
	    "%s/../../../libexec/tetherd/launcher", dirname(tests));
	copy_file(path, "launcher");
	copy_file(self, "connector");
	assert_int_equal(setenv("GLIBC_TUNABLES", TUNABLES, 1), 0);
	assert_int_equal(setenv("OTHER", "secret", 1), 0);
	launcher_start(base, &conf, folder, -1);
	assert_int_equal(unsetenv("GLIBC_TUNABLES"), 0);
#ifdef SANITIZED
	assert_in(log_text(), "]: built with sanitizers: ");
#else
	assert_string_equal(log_text(), "");
#endif
}

/* This program, which behaves as the name says. */
static void
pretend(const char *behaviour)
{
	assert_int_equal(symlink(self, path_of("launcher")), 0);
	assert_int_equal(symlink(behaviour, path_of("behaviour")), 0);
}

struct started {
	pid_t pid;
	int pidfd;
	int channel;
	int log;
};

static struct started
launch(enum program program)
{
	struct started s = { .pidfd = -1 };
	int channel[2], log[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, log),
	    0);
	s.channel = channel[0];
	s.log = log[0];
	s.pid = launcher_spawn(program, channel[1], log[1], &s.pidfd);
	return s;
}

static const char *
receive(int fd)
{
	static char text[8192];
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&pfd, 1, 10000), 1);
	n = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

/* How it ended, and with that its descriptors. */
static int
ended(struct started *s)
{
	int status = -1;

	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	/* Nobody else has kept the other ends. */
	while (*receive(s->channel) != '\0')
		continue;
	while (*receive(s->log) != '\0')
		continue;
	close(s->pidfd);
	close(s->channel);
	close(s->log);
	return status;
}

/*
 * As a program that the launcher started: tell all about it, then wait.
 */
static void
be_connector(void)
{
	char report[4096] = "", line[256], target[64];
	extern char **environ;
	int fd, sig;
	struct sigaction sa;
	sigset_t mask;
	size_t i;
	ssize_t n;

	for (fd = 0; fd < 64; fd++) {
		(void)snprintf(line, sizeof(line), "/proc/self/fd/%d", fd);
		n = readlink(line, target, sizeof(target) - 1);
		if (n == -1)
			continue;
		target[n] = '\0';
		(void)snprintf(line, sizeof(line), "%d=%.7s ", fd, target);
		(void)strlcat(report, line, sizeof(report));
	}
	for (sig = 1; sig <= SIGSYS; sig++)
		if (sigaction(sig, NULL, &sa) == 0 &&
		    sa.sa_handler == SIG_IGN) {
			(void)snprintf(line, sizeof(line), "ignores %d ", sig);
			(void)strlcat(report, line, sizeof(report));
		}
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	for (sig = 1; sig <= SIGSYS; sig++)
		if (sigismember(&mask, sig))
			(void)strlcat(report, "blocks ", sizeof(report));
	for (i = 0; environ[i] != NULL; i++) {
		(void)snprintf(line, sizeof(line), "env %s ", environ[i]);
		(void)strlcat(report, line, sizeof(report));
	}
	(void)strlcat(report, "all", sizeof(report));
	(void)send(CHILD_FD_PARENT, report, strlen(report), 0);
	fprintf(stderr, "free(): invalid pointer\n");
	(void)recv(CHILD_FD_PARENT, line, sizeof(line), 0);
	_exit(7);
}

static void
test_started(void **state)
{
	int before = count_descriptors();
	struct started s;
	char *report;
	int i;

	(void)state;
	start_real();
	assert_true(launcher_pid() > 0);
	assert_true(launcher_uptime() < 60);
	for (i = 0; i < 3; i++) {
		s = launch(PROGRAM_CONNECTOR);
		assert_true(s.pid > 0);
		report = strdup(receive(s.channel));
		assert_non_null(report);
		assert_in(report, "0=/dev/nu 1=/dev/nu ");
#ifndef SANITIZED
		assert_in(report,
		    "2=socket: 3=socket: 4=socket: ignores 1 "
		    "ignores 2 ignores 10 ignores 12 ignores 13 "
		    "ignores 15 env GLIBC_TUNABLES=" TUNABLES " all");
		assert_string_equal(
		    receive(s.log), "free(): invalid pointer\n");
#endif
		free(report);
		if (i == 0) {
			process_kill(s.pidfd);
			assert_int_equal(ended(&s), SIGKILL);
			continue;
		}
		assert_int_equal(send(s.channel, "end", 3, 0), 3);
		assert_int_equal(WEXITSTATUS(ended(&s)), 7);
	}
	launcher_stop();
	assert_int_equal(launcher_pid(), 0);
	assert_int_equal(count_descriptors(), before);
	assert_string_equal(log_text(), "");
}

/* Its file is gone, or can't be executed: its own log says so. */
static void
test_not_executable(void **state)
{
	struct started s;

	(void)state;
	start_real();
	s = launch(PROGRAM_PROXYD);
	assert_true(s.pid > 0);
	assert_in(receive(s.log) + 1, "can't execute /tmp/launcher.");
	assert_int_equal(WEXITSTATUS(ended(&s)), 127);
	assert_int_equal(chmod(path_of("connector"), 0644), 0);
	s = launch(PROGRAM_CONNECTOR);
	assert_in(receive(s.log) + 1, "/connector: Permission denied");
	assert_int_equal(WEXITSTATUS(ended(&s)), 127);
	assert_int_equal(chmod(path_of("connector"), 0755), 0);
	s = launch(PROGRAM_CONNECTOR);
	assert_in(receive(s.channel), "all");
	process_kill(s.pidfd);
	assert_int_equal(ended(&s), SIGKILL);
}

/* What is no child is none that it would start. */
static void
test_unknown(void **state)
{
	const char *text;
	struct started s;

	(void)state;
	start_real();
	s = launch(PROGRAM_TETHERCTL);
	assert_int_equal(s.pid, -1);
	assert_int_equal(s.pidfd, -1);
	/* Which of the two depends on how fast it dies. */
	text = log_text();
	assert_true(strstr(text, "]: no answer: closed|") != NULL ||
		    strstr(text, "send to launcher: Broken pipe|") != NULL);
	assert_in(text, "]: malformed MSG_LAUNCH");
	close(s.channel);
	close(s.log);
}

/* No more processes for a while: the launcher stays. */
static void
test_no_process(void **state)
{
	struct rlimit none = { 0, 0 }, before;
	struct started s;

	(void)state;
	if (getuid() == 0) {
		print_message("root is not limited\n");
		skip();
	}
	start_real();
	none.rlim_max = RLIM_INFINITY;
	assert_int_equal(
	    prlimit(launcher_pid(), RLIMIT_NPROC, NULL, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(prlimit(launcher_pid(), RLIMIT_NPROC, &none, NULL), 0);
	s = launch(PROGRAM_CONNECTOR);
	assert_int_equal(s.pid, -1);
	close(s.channel);
	close(s.log);
	assert_string_equal(
	    log_text(), "connector: fork: Resource temporarily unavailable|");
	assert_int_equal(
	    prlimit(launcher_pid(), RLIMIT_NPROC, &before, NULL), 0);
	s = launch(PROGRAM_CONNECTOR);
	assert_in(receive(s.channel), "all");
	process_kill(s.pidfd);
	assert_int_equal(ended(&s), SIGKILL);
}

/* The launcher, and what it started, go with us. */
static void
test_parent_dies(void **state)
{
	int fds[2];
	struct started s;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		start_real();
		s = launch(PROGRAM_CONNECTOR);
		(void)receive(s.channel);
		/* Not by the end of its channel. */
		(void)kill(s.pid, SIGSTOP);
		(void)!write(fds[1], &s.pid, sizeof(s.pid));
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(read(fds[0], &s.pid, sizeof(s.pid)), sizeof(s.pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* Those who are orphaned become ours, see main(). */
	assert_int_equal(waitpid(s.pid, NULL, 0), s.pid);
	assert_true(waitpid(-1, NULL, 0) > 0);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	close(fds[0]);
	close(fds[1]);
}

/* Killed, however: nothing blocks, and nothing is left. */
static void
test_launcher_dies(void **state)
{
	static const int deaths[] = { SIGKILL, SIGSEGV, SIGSYS };
	int before = count_descriptors(), status;
	struct started s;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(deaths); i++) {
		start_real();
		assert_int_equal(kill(launcher_pid(), deaths[i]), 0);
		assert_int_equal(
		    waitpid(launcher_pid(), &status, 0), launcher_pid());
#ifndef SANITIZED
		assert_int_equal(WTERMSIG(status), deaths[i]);
#endif
		s = launch(PROGRAM_CONNECTOR);
		assert_int_equal(s.pid, -1);
		close(s.channel);
		close(s.log);
		assert_string_equal(
		    log_text(), "send to launcher: Broken pipe|");
		assert_false(launcher_reap(1));
		assert_true(launcher_reap(launcher_pid()));
		assert_int_equal(launcher_pid(), 0);
		/* Known to be gone: no word about it. */
		s = launch(PROGRAM_CONNECTOR);
		assert_int_equal(s.pid, -1);
		close(s.channel);
		close(s.log);
		assert_string_equal(log_text(), "");
		launcher_stop();
		assert_int_equal(count_descriptors(), before);
		assert_int_equal(unlink(path_of("launcher")), 0);
		assert_int_equal(unlink(path_of("connector")), 0);
	}
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Stopped: it costs two seconds, once, and it is killed. */
static void
test_stopped(void **state)
{
	int64_t began;
	struct started s;
	int status, i;

	(void)state;
	start_real();
	assert_int_equal(kill(launcher_pid(), SIGSTOP), 0);
	assert_int_equal(
	    waitpid(launcher_pid(), &status, WUNTRACED), launcher_pid());
	began = now_ms();
	for (i = 0; i < 3; i++) {
		s = launch(PROGRAM_CONNECTOR);
		assert_int_equal(s.pid, -1);
		close(s.channel);
		close(s.log);
	}
	assert_in_range(now_ms() - began, 1900, 3900);
	assert_in(log_text(), "]: no answer: timeout|");
	assert_int_equal(waitpid(launcher_pid(), &status, 0), launcher_pid());
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* A launcher that is taken over, or not ours. */

static void
send_number(enum msg_type type, uint64_t id, uint32_t n, int fd)
{
	struct msg_out m;

	msg_start(&m, type, id);
	msg_add_u32(&m, n);
	(void)msg_send_now(CHILD_FD_PARENT, &m, fd);
}

static bool
is(const char *behaviour, const char *name)
{
	return strcmp(behaviour, name) == 0;
}

static void
take_message(uint8_t *buffer, struct msg *m, enum msg_state state)
{
	if (msg_recv_now(CHILD_FD_PARENT, m, buffer, 10000, PROGRAM_PARENT,
		PROGRAM_LAUNCHER, state) != NULL)
		_exit(0);
}

static void
answer_badly(const char *behaviour, uint64_t id)
{
	if (is(behaviour, "dies"))
		_exit(5);
	else if (is(behaviour, "garbage"))
		(void)send(CHILD_FD_PARENT, "garbage", 7, 0);
	else if (is(behaviour, "other"))
		send_number(MSG_READY, 0, 0, -1);
	else if (is(behaviour, "id"))
		send_number(MSG_LAUNCHED, id + 1, 77, dup(0));
	else if (is(behaviour, "zero"))
		send_number(MSG_LAUNCHED, id, 0, dup(0));
	else if (is(behaviour, "negative"))
		send_number(MSG_LAUNCHED, id, UINT32_MAX, dup(0));
	else if (is(behaviour, "nothing"))
		send_number(MSG_LAUNCHED, id, 77, -1);
	else if (is(behaviour, "success"))
		send_number(MSG_LAUNCH_FAILED, id, 0, -1);
	else if (is(behaviour, "another"))
		send_number(MSG_LAUNCH_FAILED, id + 1, EAGAIN, -1);
	else if (is(behaviour, "busy"))
		send_number(MSG_LAUNCH_FAILED, id, EAGAIN, -1);
	else if (is(behaviour, "odd"))
		send_number(MSG_LAUNCH_FAILED, id, INT32_MAX, -1);
}

static void
be_launcher(const char *behaviour)
{
	static uint8_t buffer[MSG_SIZE_MAX];
	struct msg_out ready;
	struct msg m;

	log_to_socket(CHILD_FD_LOG);
	if (is(behaviour, "refuses")) {
		log_warnx("it is Monday");
		_exit(3);
	}
	if (is(behaviour, "babbles"))
		(void)send(CHILD_FD_PARENT, "x", 1, 0);
	take_message(buffer, &m, MSG_START);
	send_number(MSG_HELLO_BACK, 0,
	    MSG_PROTOCOL_VERSION + (is(behaviour, "newer") ? 1 : 0), -1);
	take_message(buffer, &m, MSG_SETUP);
	take_message(buffer, &m, MSG_SETUP);
	if (is(behaviour, "crashes"))
		abort();
	if (is(behaviour, "early")) {
		send_number(MSG_LAUNCH_FAILED, 1, EAGAIN, -1);
		pause();
	}
	msg_start(&ready, MSG_READY, 0);
	(void)msg_send_now(CHILD_FD_PARENT, &ready, -1);
	for (;;) {
		take_message(buffer, &m, MSG_RUN);
		if (m.type == MSG_LAUNCH)
			answer_badly(behaviour, m.id);
		close(msg_take_fd(&m));
	}
}

static const struct {
	const char *behaviour;
	const char *line;
	bool stays;
} misbehaviours[] = {
	{ "dies", "no answer: closed|", false },
	{ "garbage", "no answer: ", false },
	{ "other", "no answer: ", false },
	{ "id", "no answer: not what was asked|", false },
	{ "zero", "no answer: not what was asked|", false },
	{ "negative", "no answer: not what was asked|", false },
	{ "nothing", "no answer: ", false },
	{ "success", "no answer: not what was asked|", false },
	{ "another", "no answer: not what was asked|", false },
	{ "busy", "connector: fork: Resource temporarily unavailable|", true },
	{ "odd", "connector: fork: ", true },
};

static void
test_misbehaviour(void **state)
{
	int before, status;
	struct started s;
	size_t i;

	(void)state;
	before = count_descriptors();
	for (i = 0; i < COUNT(misbehaviours); i++) {
		pretend(misbehaviours[i].behaviour);
		launcher_start(base, &conf, folder, -1);
		s = launch(PROGRAM_CONNECTOR);
		assert_int_equal(s.pid, -1);
		close(s.channel);
		close(s.log);
		assert_in(log_text(), misbehaviours[i].line);
		if (!misbehaviours[i].stays) {
			assert_int_equal(waitpid(launcher_pid(), &status, 0),
			    launcher_pid());
			assert_true(launcher_reap(launcher_pid()));
		}
		launcher_stop();
		assert_int_equal(count_descriptors(), before);
		assert_int_equal(unlink(path_of("launcher")), 0);
		assert_int_equal(unlink(path_of("behaviour")), 0);
	}
}

static const struct {
	const char *behaviour; /* NULL: there is no launcher at all */
	const char *lines[2];
} failures[] = {
	{ "refuses", { "]: it is Monday|",
			 "|launcher: closed; exited with status 3|" } },
	{ "babbles", { "launcher: ", "; signal 9 (Killed)|" } },
	{ "newer",
	    { "launcher: not that of this tetherd; signal 9 (Killed)|", "" } },
	{ "crashes", { "launcher: closed; signal 6 (Aborted)|", "" } },
	{ "early", { "launcher: ", "; signal 9 (Killed)|" } },
	{ NULL,
	    { "]: can't execute /tmp/launcher.",
		"/launcher: No such file or directory|launcher: closed; exited "
		"with status 127|" } },
};

/* One that does not come up is the end of us, and it is said why. */
static void
test_no_start(void **state)
{
	const char *text;
	int status;
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < COUNT(failures); i++) {
		if (failures[i].behaviour != NULL)
			pretend(failures[i].behaviour);
		pid = fork();
		if (pid == 0) {
			launcher_start(base, &conf, folder, -1);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
		text = log_text();
		assert_in(text, failures[i].lines[0]);
		assert_in(text, failures[i].lines[1]);
		(void)unlink(path_of("launcher"));
		(void)unlink(path_of("behaviour"));
	}
}

/* As tetherd or the launcher started us, by that name. */
static void
play(char *path)
{
	char link[PATH_MAX], behaviour[32] = "";

	if (strcmp(basename(path), "connector") == 0)
		be_connector();
	if (strcmp(basename(path), "launcher") != 0)
		return;
	(void)snprintf(link, sizeof(link), "%.*s/behaviour",
	    (int)(strrchr(path, '/') - path), path);
	if (readlink(link, behaviour, sizeof(behaviour) - 1) == -1)
		_exit(99);
	be_launcher(behaviour);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_started),
		TEST(test_not_executable),
		TEST(test_unknown),
		TEST(test_no_process),
		TEST(test_parent_dies),
		TEST(test_launcher_dies),
		TEST(test_stopped),
		TEST(test_misbehaviour),
		TEST(test_no_start),
	};
	ssize_t n;
	int fd;

	(void)argc;
	play(argv[0]);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n == -1 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		return 1;
	self[n] = '\0';
	(void)signal(SIGPIPE, SIG_IGN);
	/* Something that none of them may inherit. */
	fd = open("/", O_RDONLY | O_DIRECTORY);
	if (fd == -1 || dup2(fd, STDIN_FILENO) == -1)
		return 1;
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
