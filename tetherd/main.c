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
#include "tetherd/audit.h"
#include "tetherd/children.h"
#include "tetherd/complaints.h"
#include "tetherd/conf.h"
#include "tetherd/control.h"
#include "tetherd/descriptors.h"
#include "tetherd/dial.h"
#include "tetherd/journal.h"
#include "tetherd/kernel_log.h"
#include "tetherd/launcher.h"
#include "tetherd/notify.h"
#include "tetherd/options.h"
#include "tetherd/privileges.h"
#include "tetherd/process.h"
#include "tetherd/reach.h"
#include "tetherd/reload.h"
#include "tetherd/settings.h"

extern char **environ;

static const int signals[] = { SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1,
	SIGUSR2 };
#define NSIGNALS (sizeof(signals) / sizeof(signals[0]))

struct tetherd {
	struct event_base *base;
	struct options options;
	struct children *children;
	struct reload *reload;
	struct dial *dial;	  /* the orchestrator, for connector */
	struct dial *dial_github; /* for authd */
	struct control *control;
	struct audit *audit;
	struct event *signals[NSIGNALS];
	bool was_ready;
	bool failed;
};

static void
on_all_ready(void *arg)
{
	struct tetherd *t = arg;

	t->was_ready = true;
	log_infox("startup complete");
	notify_ready();
}

static void
on_all_stopped(void *arg, bool failed)
{
	struct tetherd *t = arg;

	t->failed = failed;
	event_base_loopbreak(t->base);
}

static void
on_dial(void *arg, enum program program, uint64_t id)
{
	struct tetherd *t = arg;
	const struct conf *conf = settings_conf(reload_settings(t->reload));

	if (program == PROGRAM_AUTHD)
		dial_start(t->dial_github, &conf->github_dialer, id);
	else
		dial_start(t->dial, &conf->dialer, id);
}

static void
on_gone(void *arg, enum program program)
{
	struct tetherd *t = arg;

	if (program == PROGRAM_AUTHD) {
		dial_give_up(t->dial_github);
		control_on_authd_gone(t->control);
	} else if (program == PROGRAM_CONNECTOR)
		dial_give_up(t->dial);
}

static void
on_dialed(void *arg, uint64_t id, int fd, const char *text)
{
	struct tetherd *t = arg;

	children_dialed(t->children, PROGRAM_CONNECTOR, id, fd, text);
}

static void
on_github_dialed(void *arg, uint64_t id, int fd, const char *text)
{
	struct tetherd *t = arg;

	children_dialed(t->children, PROGRAM_AUTHD, id, fd, text);
}

static void
on_all_running(void *arg)
{
	struct tetherd *t = arg;

	reload_on_all_running(t->reload);
}

static void
on_lost(void *arg, enum program program)
{
	struct tetherd *t = arg;

	reload_on_lost(t->reload, program);
}

/* What it is about may have another owner by now. */
static bool
on_restart(void *arg, enum program program, bool owner)
{
	struct tetherd *t = arg;
	bool changed = reload_reassign(t->reload);

	if (owner && !changed)
		return false;
	if (changed)
		privileges_log_authd(settings_conf(reload_settings(t->reload)));
	reload_on_lost(t->reload, program);
	return true;
}

static void
on_conf_accepted(void *arg, enum program program, uint64_t id, uint32_t flags)
{
	struct tetherd *t = arg;

	reload_on_accepted(t->reload, program, id, flags);
}

static void
on_conf_switched(void *arg, enum program program, uint64_t id)
{
	struct tetherd *t = arg;

	reload_on_switched(t->reload, program, id);
}

static void
on_conf_refused(void *arg, enum program program, uint64_t id, const char *why)
{
	struct tetherd *t = arg;

	reload_on_refused(t->reload, program, id, why);
}

static void
on_status(void *arg, enum program program, uint64_t id, struct status *status)
{
	struct tetherd *t = arg;

	control_on_status(t->control, program, id, status);
}

static void
on_audit(void *arg, enum program program, const struct audit_record *record)
{
	struct tetherd *t = arg;

	audit_take(t->audit, program, record);
}

static int
on_admin_user(void *arg, uint64_t id, const struct admin_user *user)
{
	struct tetherd *t = arg;

	return control_on_admin_user(t->control, id, user);
}

static int
on_admin_token(void *arg, uint64_t id, const struct admin_token *token)
{
	struct tetherd *t = arg;

	return control_on_admin_token(t->control, id, token);
}

static int
on_admin_done(void *arg, uint64_t id, const struct admin_done *done)
{
	struct tetherd *t = arg;

	return control_on_admin_done(t->control, id, done);
}

static const struct children_ops children_ops = {
	.all_ready = on_all_ready,
	.all_running = on_all_running,
	.all_stopped = on_all_stopped,
	.dial = on_dial,
	.gone = on_gone,
	.lost = on_lost,
	.restart = on_restart,
	.conf_accepted = on_conf_accepted,
	.conf_refused = on_conf_refused,
	.conf_switched = on_conf_switched,
	.status = on_status,
	.audit = on_audit,
	.admin_user = on_admin_user,
	.admin_token = on_admin_token,
	.admin_done = on_admin_done,
};

static const struct parent_conf *
own_conf(const struct settings *settings)
{
	return &settings_conf(settings)->parent;
}

static const char *
on_reload_check(void *arg, const struct settings *next)
{
	struct tetherd *t = arg;
	const struct parent_conf *now = own_conf(reload_settings(t->reload));
	const char *why = journal_stage(now, own_conf(next));

	if (why != NULL)
		return why;
	why = audit_stage(t->audit, now, own_conf(next));
	if (why != NULL)
		journal_drop();
	return why;
}

static void
on_reload_dropped(void *arg)
{
	struct tetherd *t = arg;

	journal_drop();
	audit_drop(t->audit);
}

/* What tetherctl set stays, unless the setting itself is another one. */
static void
on_reload_switched(
    void *arg, const struct settings *now, const struct settings *old)
{
	struct tetherd *t = arg;
	enum log_level level = own_conf(now)->log_level;

	journal_switch(own_conf(now), own_conf(old));
	audit_switch(t->audit, own_conf(now), own_conf(old));
	descriptors_check(settings_conf(now));
	if (!confinement_is_same(&settings_conf(now)->authd.confinement,
		&settings_conf(old)->authd.confinement))
		privileges_log_authd(settings_conf(now));
	if (level == own_conf(old)->log_level)
		return;
	log_set_level(level);
	children_set_log_level(t->children, PROGRAM_COUNT, level);
}

static const struct reload_ops reload_ops = {
	.check = on_reload_check,
	.dropped = on_reload_dropped,
	.switched = on_reload_switched,
};

static void
reap_others(struct tetherd *t, pid_t pid, int status)
{
	char death[PROCESS_DEATH_SIZE];

	if (dial_reap(t->dial, pid, status) ||
	    dial_reap(t->dial_github, pid, status) ||
	    reload_reap(t->reload, pid, status) || !launcher_reap(pid))
		return;
	log_warnx("lost child: launcher terminated; %s: giving up, as nothing "
		  "can be started without it",
	    process_describe_death(
		PROGRAM_LAUNCHER, pid, status, death, sizeof(death)));
	children_give_up_all(t->children);
}

static void
reap(struct tetherd *t)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSTOPPED(status) || WIFCONTINUED(status))
			continue;
		if (!children_reap(t->children, pid, status))
			reap_others(t, pid, status);
	}
}

static void
stop(struct tetherd *t)
{
	notify_stopping();
	reload_stop(t->reload);
	control_stop(t->control);
	children_stop(t->children);
	/* Whoever reads this may rely on it that the children are told. */
	log_infox("terminating");
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
		reload_start(t->reload, NULL, NULL);
		break;
	case SIGUSR1:
		journal_reopen(own_conf(reload_settings(t->reload)));
		audit_reopen(t->audit, own_conf(reload_settings(t->reload)));
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
start(struct tetherd *t, struct settings *settings)
{
	t->children =
	    children_new(t->base, settings_conf(settings), &children_ops, t);
	t->reload = reload_new(t->base, t->children, &t->options.sources,
	    settings, &reload_ops, t);
	t->dial = dial_new(t->base, on_dialed, t);
	t->dial_github = dial_new(t->base, on_github_dialed, t);
	control_start(t->control, t->children, t->reload);
	children_start(t->children);
}

static void
finish(struct tetherd *t)
{
	size_t i;

	control_free(t->control);
	dial_free(t->dial);
	dial_free(t->dial_github);
	children_free(t->children);
	reload_free(t->reload);
	audit_free(t->audit);
	launcher_stop();
	kernel_log_close();
	notify_finish();
	for (i = 0; i < NSIGNALS; i++)
		event_free(t->signals[i]);
	event_base_free(t->base);
	options_free(&t->options);
}

/*
 * NULL, and all that is wrong is logged.  A file that is there now has to be
 * there at a reload, too: its absence would lift all rules.
 */
static struct settings *
read_settings(struct tetherd *t)
{
	struct complaints *complaints = complaints_new();
	struct settings *settings =
	    settings_read(&t->options.sources, complaints);

	complaints_log(complaints);
	complaints_free(complaints);
	if (settings != NULL && settings_has_default_file(settings))
		t->options.sources.file = SETTINGS_FILE;
	return settings;
}

/* The exit status of -n. */
static int
check(struct tetherd *t, struct settings *settings)
{
	bool written = true;

	if (t->options.check > 1) {
		settings_print(settings, stdout);
		written = fflush(stdout) == 0 && !ferror(stdout);
	}
	if (written)
		fprintf(stderr, "configuration OK\n");
	else
		log_warn("standard output");
	settings_free(settings);
	options_free(&t->options);
	return written ? 0 : 1;
}

/* What is out of reach later is opened; then the sandbox. */
static void
confine(struct tetherd *t, const struct settings *settings)
{
	const struct conf *conf = settings_conf(settings);

	privileges_log(conf);
	reach_log(conf->parent.sandbox);
	descriptors_check(conf);
	t->control = control_new(t->base, conf);
	kernel_log_open();
	notify_start(t->base);
	launcher_start(
	    t->base, &conf->launcher, process_folder(), privileges_root());
	reach_confine(settings, &t->options.sources, control_path(t->control));
}

int
main(int argc, char **argv)
{
	static struct tetherd t;
	struct settings *settings;
	char *arg0_end = argv[0] + strlen(argv[0]);

	log_to_stderr("tetherd");
	clean_descriptors();
	options_parse(&t.options, argc, argv);
	/* First: what this keeps is a copy of what others can see. */
	settings_capture();
	privileges_find();
	setproctitle_init(argc, argv, environ);

	settings = read_settings(&t);
	if (settings == NULL)
		return 1;
	if (t.options.check > 0)
		return check(&t, settings);
	process_find_executables();
	journal_start(own_conf(settings));
	log_set_level(own_conf(settings)->log_level);
	set_title(arg0_end);
	take_signals(&t);
	t.audit = audit_new(t.base, own_conf(settings));
	log_infox("startup: tetherd %s", TETHERD_VERSION);
	confine(&t, settings);
	start(&t, settings);
	if (event_base_dispatch(t.base) == -1)
		fatalx("event loop failed");
	finish(&t);
	if (t.failed && !t.was_ready)
		log_infox("startup failed");
	else
		log_infox(
		    t.failed ? "stopped after too many failures" : "stopped");
	return t.failed ? 1 : 0;
}
