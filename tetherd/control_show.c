#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/log.h"
#include "common/status.h"
#include "tetherd/children.h"
#include "tetherd/conf.h"
#include "tetherd/control_limits.h"
#include "tetherd/control_proc.h"
#include "tetherd/control_row.h"
#include "tetherd/control_show.h"
#include "tetherd/launcher.h"
#include "tetherd/reload.h"
#include "tetherd/settings.h"

static const enum program lasting[] = { PROGRAM_CONNECTOR, PROGRAM_PROXYD,
	PROGRAM_AUTHD };
#define NLASTING (sizeof(lasting) / sizeof(lasting[0]))

uint64_t
control_show_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

static void
send_text(struct channel *ch, const char *name, const char *text)
{
	struct msg_out m;

	control_row_start(&m);
	control_row_text(&m, name, text);
	channel_send(ch, &m, -1);
}

static void
send_number(
    struct channel *ch, const char *name, enum control_kind kind, uint64_t n)
{
	struct msg_out m;

	control_row_start(&m);
	control_row_number(&m, name, kind, n);
	channel_send(ch, &m, -1);
}

static enum control_kind
kind_of(enum status_kind kind)
{
	switch (kind) {
	case STATUS_BYTES:
		return CONTROL_KIND_BYTES;
	case STATUS_SINCE:
		return CONTROL_KIND_SINCE;
	case STATUS_TEXT:
	case STATUS_COUNT:
		break;
	}
	return CONTROL_KIND_NUMBER;
}

/* What the children know, as far as it is shown there. */
static void
send_values(const struct control_view_source *from, enum status_where where,
    struct channel *ch)
{
	const struct status *s;
	size_t i;
	int id;

	for (i = 0; i < NLASTING; i++) {
		s = from->values[lasting[i]];
		if (s == NULL) {
			send_text(ch, program_name(lasting[i]), "no answer");
			continue;
		}
		for (id = 0; id < STATUS_ID_COUNT; id++) {
			const struct status_row *row = &status_rows[id];

			if (row->program != lasting[i] || row->where != where)
				continue;
			if (row->kind == STATUS_TEXT)
				send_text(ch, row->label,
				    status_text(s, (enum status_id)id));
			else
				send_number(ch, row->label, kind_of(row->kind),
				    status_number(s, (enum status_id)id));
		}
	}
}

static const char *
show_status(const struct control_view_source *from, struct channel *ch)
{
	const struct conf *conf = settings_conf(reload_settings(from->reload));
	struct child_info info;
	uint64_t restarts = 0;
	size_t i;

	for (i = 0; i < NLASTING; i++)
		if (children_info(from->children, lasting[i], &info))
			restarts += info.lost;
	send_text(ch, "version", TETHERD_VERSION);
	send_number(ch, "uptime", CONTROL_KIND_TIME,
	    control_show_now() - from->started);
	send_text(
	    ch, "mode", conf->connector.enabled ? "client" : "standalone");
	send_number(ch, "restarts", CONTROL_KIND_NUMBER, restarts);
	send_values(from, STATUS_IN_STATUS, ch);
	return NULL;
}

static const char *
show_stats(const struct control_view_source *from, struct channel *ch)
{
	send_values(from, STATUS_IN_STATS, ch);
	return NULL;
}

static const char *
level_name(enum log_level level)
{
	if (level < LOG_LEVEL_DEBUG)
		return "brief";
	return level == LOG_LEVEL_DEBUG ? "verbose" : "trace";
}

static const char *
seccomp_name(uint32_t mode)
{
	static const char *const names[] = { "no", "strict", "filter" };

	return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "?";
}

static void
add_capabilities(struct msg_out *m, uint64_t capabilities)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "0x%" PRIx64, capabilities);
	control_row_text(m, "capabilities", capabilities == 0 ? "none" : text);
}

/*
 * What confines it, as the kernel says.  It does not say whether it confines
 * a process by Landlock: all of ours enter that just before their filter.
 */
static void
add_confinement(
    struct msg_out *m, unsigned landlock, const struct control_proc *proc)
{
	if (!proc->known) {
		control_row_none(m, "seccomp");
		control_row_none(m, "no new privs");
		control_row_none(m, "landlock");
		control_row_none(m, "capabilities");
		return;
	}
	control_row_text(m, "seccomp", seccomp_name(proc->seccomp));
	control_row_number(
	    m, "no new privs", CONTROL_KIND_FLAG, proc->no_new_privs);
	if (landlock == 0 || proc->seccomp != SECCOMP_MODE_FILTER)
		control_row_text(m, "landlock", "none");
	else
		control_row_number(
		    m, "landlock", CONTROL_KIND_NUMBER, landlock);
	add_capabilities(m, proc->capabilities);
}

/* A number that there is none of without a process. */
static void
add_known(struct msg_out *m, const char *name, enum control_kind kind,
    bool known, uint64_t n)
{
	if (known)
		control_row_number(m, name, kind, n);
	else
		control_row_none(m, name);
}

static void
send_process(const struct control_view_source *from, struct channel *ch,
    enum program program, const struct child_info *info)
{
	struct control_proc proc = { .known = false };
	bool runs = info->pid != 0;
	struct msg_out m;

	if (runs)
		control_proc_get(info->pid, &proc);
	control_row_start(&m);
	control_row_text(&m, "program", program_name(program));
	add_known(&m, "pid", CONTROL_KIND_NUMBER, runs, (uint64_t)info->pid);
	add_known(&m, "uid", CONTROL_KIND_NUMBER, proc.known, proc.uid);
	control_row_text(&m, "state", info->state);
	add_known(&m, "uptime", CONTROL_KIND_TIME, runs, info->uptime);
	control_row_number(&m, "restarts", CONTROL_KIND_NUMBER, info->lost);
	add_known(&m, "rss", CONTROL_KIND_BYTES, proc.known, proc.rss);
	control_row_text(&m, "log level", level_name(info->log_level));
	add_confinement(&m, from->landlock, &proc);
	channel_send(ch, &m, -1);
}

static const char *
show_processes(const struct control_view_source *from, struct channel *ch)
{
	struct child_info info = {
		.pid = getpid(),
		.state = "running",
		.uptime = control_show_now() - from->started,
		.log_level = log_get_level(),
	};
	size_t i;

	send_process(from, ch, PROGRAM_PARENT, &info);
	/* What it has to say is said at any level, so that it has ours. */
	info.pid = launcher_pid();
	info.state = info.pid == 0 ? "stopped" : "running";
	info.uptime = launcher_uptime();
	send_process(from, ch, PROGRAM_LAUNCHER, &info);
	for (i = 0; i < NLASTING; i++)
		if (children_info(from->children, lasting[i], &info))
			send_process(from, ch, lasting[i], &info);
	return NULL;
}

static const char *
show_limits(const struct control_view_source *from, struct channel *ch)
{
	const struct conf *conf = settings_conf(reload_settings(from->reload));

	control_limits_send(conf, from->values, from->clients, ch);
	return NULL;
}

const char *
control_show_text(struct channel *ch, const char *text)
{
	char piece[CONTROL_TEXT_SIZE];
	size_t len = strlen(text), at, n;
	struct msg_out m;

	if (len > CONTROL_ANSWER_MAX)
		return "the text is too long to be shown";
	for (at = 0; at < len; at += n) {
		n = strlcpy(piece, text + at, sizeof(piece));
		n = n < sizeof(piece) ? n : sizeof(piece) - 1;
		msg_start(&m, MSG_CTL_TEXT, 0);
		msg_add_str(&m, piece);
		channel_send(ch, &m, -1);
	}
	return NULL;
}

static const char *
show_config(const struct control_view_source *from, struct channel *ch)
{
	const char *why = NULL;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		fatal("control");
	settings_print(reload_settings(from->reload), f);
	if (fclose(f) == EOF)
		fatal("control");
	why = control_show_text(ch, text);
	free(text);
	return why;
}

static const struct {
	bool asks;
	const char *(*show)(
	    const struct control_view_source *, struct channel *);
} views[CONTROL_VIEW_COUNT] = {
	[CONTROL_STATUS] = { true, show_status },
	[CONTROL_PROCESSES] = { false, show_processes },
	[CONTROL_LIMITS] = { true, show_limits },
	[CONTROL_CONFIG] = { false, show_config },
	[CONTROL_STATS] = { true, show_stats },
};

bool
control_show_asks(enum control_view view)
{
	return views[view].asks;
}

const char *
control_show(enum control_view view, const struct control_view_source *from,
    struct channel *ch)
{
	return views[view].show(from, ch);
}
