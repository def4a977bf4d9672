#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "sandbox/sandbox.h"
#include "tetherd/children.h"
#include "tetherd/conf.h"
#include "tetherd/dial.h"
#include "tetherd/notify.h"
#include "tetherd/process.h"
#include "tetherd/settings.h"

extern char **environ;

struct options {
	bool foreground; /* log to standard error */
	bool check;
	bool verbose;
	struct sources sources;
};

static const int signals[] = { SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1,
	SIGUSR2 };
#define NSIGNALS (sizeof(signals) / sizeof(signals[0]))

struct tetherd {
	struct event_base *base;
	struct options options;
	struct settings *settings;
	struct children *children;
	struct dial *dial;
	struct event *signals[NSIGNALS];
	bool failed;
};

static void
usage(void)
{
	fprintf(stderr, "usage: tetherd [-dnVv] [-e file]\n");
	exit(1);
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	int ch;

	while ((ch = getopt(argc, argv, "de:nVv")) != -1) {
		switch (ch) {
		case 'd':
			o->foreground = true;
			break;
		case 'e':
			/* A title may be written over the arguments. */
			o->sources.env_file = strdup(optarg);
			if (o->sources.env_file == NULL)
				fatal("strdup");
			break;
		case 'n':
			o->check = true;
			break;
		case 'V':
			printf("tetherd %s\n", TETHERD_VERSION);
			exit(0);
		case 'v':
			o->verbose = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
}

static void
on_all_ready(void *arg)
{
	(void)arg;
	log_infox("startup complete");
	notify("READY=1");
}

static void
on_all_stopped(void *arg, bool failed)
{
	struct tetherd *t = arg;

	t->failed = failed;
	event_base_loopbreak(t->base);
}

static void
on_dial(void *arg, uint64_t id)
{
	struct tetherd *t = arg;

	dial_start(t->dial, settings_conf(t->settings), id);
}

static void
on_dialed(void *arg, uint64_t id, int fd, const char *text)
{
	struct tetherd *t = arg;

	children_dialed(t->children, id, fd, text);
}

static const struct children_ops children_ops = {
	.all_ready = on_all_ready,
	.all_stopped = on_all_stopped,
	.dial = on_dial,
};

static void
reap(struct tetherd *t)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSTOPPED(status) || WIFCONTINUED(status))
			continue;
		if (!children_reap(t->children, pid, status))
			(void)dial_reap(t->dial, pid, status);
	}
}

/* Nothing in here is fatal: what is wrong leaves the old settings in force. */
static void
reload(struct tetherd *t)
{
	struct settings *was = t->settings;
	struct settings *now = settings_read(&t->options.sources, NULL);
	const struct conf *old = settings_conf(was), *conf;

	if (now == NULL) {
		log_warnx("reload failed: the old settings stay in force");
		return;
	}
	t->settings = now;
	conf = settings_conf(now);
	children_set_conf(t->children, conf);
	/* authd has the token, but it is the connection that used it. */
	if (strcmp(old->authd.token, conf->authd.token) != 0 ||
	    !conf_same_slice(old, conf, PROGRAM_DIALER))
		children_send(t->children, PROGRAM_CONNECTOR, MSG_RECONNECT);
	settings_free(was);
	log_infox("settings reloaded");
}

static void
stop(struct tetherd *t)
{
	log_infox("terminating");
	notify("STOPPING=1");
	children_stop(t->children);
}

static void
on_signal(int sig, short what, void *arg)
{
	struct tetherd *t = arg;

	(void)what;
	switch (sig) {
	case SIGCHLD:
		reap(t);
		break;
	case SIGHUP:
		reload(t);
		break;
	case SIGUSR1:
		children_log_status(t->children);
		children_send_all(t->children, MSG_LOG_STATUS);
		break;
	case SIGUSR2:
		log_infox("reconnecting");
		children_send(t->children, PROGRAM_CONNECTOR, MSG_RECONNECT);
		break;
	default:
		stop(t);
	}
}

/*
 * libbsd marks the end of the first argument with a dot, which ps(1) then
 * shows behind a title that is shorter.
 */
static void
set_title(char *arg0_end)
{
	setproctitle("-tetherd: parent");
	if (*arg0_end == '.')
		*arg0_end = '\0';
}

/* Descriptors 0 to 2 must be something before anything else is opened. */
static void
clean_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
	closefrom(STDERR_FILENO + 1);
}

/* From here on a signal waits for the event loop instead of killing us. */
static void
take_signals(struct tetherd *t)
{
	size_t i;

	t->base = event_base_new();
	if (t->base == NULL)
		fatalx("event_base_new failed");
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < NSIGNALS; i++) {
		t->signals[i] = evsignal_new(t->base, signals[i], on_signal, t);
		if (t->signals[i] == NULL ||
		    event_add(t->signals[i], NULL) == -1)
			fatalx("no signal event");
	}
}

static void
start(struct tetherd *t)
{
	t->children =
	    children_new(t->base, settings_conf(t->settings), &children_ops, t);
	t->dial = dial_new(t->base, on_dialed, t);
	children_start(t->children);
}

static void
finish(struct tetherd *t)
{
	size_t i;

	dial_free(t->dial);
	children_free(t->children);
	for (i = 0; i < NSIGNALS; i++)
		event_free(t->signals[i]);
	event_base_free(t->base);
	settings_free(t->settings);
}

int
main(int argc, char **argv)
{
	static struct tetherd t;
	char *arg0_end = argv[0] + strlen(argv[0]);

	log_to_stderr("tetherd");
	clean_descriptors();
	parse_options(&t.options, argc, argv);
	setproctitle_init(argc, argv, environ);
	if (t.options.verbose)
		log_set_level(LOG_LEVEL_DEBUG);

	settings_capture();
	t.settings = settings_read(&t.options.sources, NULL);
	if (t.settings == NULL)
		return 1;
	if (t.options.check) {
		settings_free(t.settings);
		fprintf(stderr, "configuration OK\n");
		return 0;
	}
	process_find_executables();
	if (!t.options.foreground)
		log_to_syslog("tetherd");
	set_title(arg0_end);
	take_signals(&t);
	log_infox("startup: tetherd %s", TETHERD_VERSION);
	log_infox("no chroot and no change of uid: all processes run as uid %d",
	    (int)getuid());
	sandbox_enter(
	    PROGRAM_PARENT, settings_conf(t.settings)->parent.sandbox);
	if (!settings_conf(t.settings)->parent.sandbox)
		log_warnx("sandbox none: the processes are not confined");

	start(&t);
	if (event_base_dispatch(t.base) == -1)
		fatalx("event loop failed");
	finish(&t);
	log_infox(t.failed ? "stopped after too many failures" : "stopped");
	return t.failed ? 1 : 0;
}
