#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/log.h"
#include "tetherd/conf.h"

/* The descriptor that a struct without a file has. */
void
conf_reset(struct conf *conf)
{
	size_t i;

	memset(conf, 0, sizeof(*conf));
	conf->connector.ca_fd = -1;
	conf->authd.github_ca_fd = -1;
	for (i = 0; i < CONF_FILE_COUNT; i++)
		conf->files[i].fd = -1;
}

void
conf_clear(struct conf *conf)
{
	size_t i;

	slice_free_connector(&conf->connector);
	slice_free_proxyd(&conf->proxyd);
	slice_free_authd(&conf->authd);
	slice_free_dialer(&conf->dialer);
	slice_free_dialer(&conf->github_dialer);
	for (i = 0; i < CONF_FILE_COUNT; i++) {
		free(conf->files[i].path);
		if (conf->files[i].fd != -1)
			close(conf->files[i].fd);
	}
	free(conf->parent.socket);
	free(conf->parent.group);
	free(conf->parent.log_file);
	free(conf->parent.audit_file);
	conf_reset(conf);
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	conf_clear(conf);
	free(conf);
}

void
conf_slice(const struct conf *conf, enum program program, struct msg_out *m)
{
	switch (program) {
	case PROGRAM_CONNECTOR:
		msg_start(m, MSG_CONF_CONNECTOR, 0);
		slice_add_connector(m, &conf->connector);
		break;
	case PROGRAM_PROXYD:
		msg_start(m, MSG_CONF_PROXYD, 0);
		slice_add_proxyd(m, &conf->proxyd);
		break;
	case PROGRAM_AUTHD:
		msg_start(m, MSG_CONF_AUTHD, 0);
		slice_add_authd(m, &conf->authd);
		break;
	case PROGRAM_DIALER:
		msg_start(m, MSG_CONF_DIALER, 0);
		slice_add_dialer(m, &conf->dialer);
		break;
	case PROGRAM_LAUNCHER:
		msg_start(m, MSG_CONF_LAUNCHER, 0);
		slice_add_launcher(m, &conf->launcher);
		break;
	case PROGRAM_PARENT:
	case PROGRAM_TETHERCTL:
	case PROGRAM_COUNT:
		fatalx("no configuration for %s", program_name(program));
	}
}

/* The program that reads a file. */
static enum program
reader(enum conf_file which)
{
	return which == CONF_FILE_CA ? PROGRAM_CONNECTOR : PROGRAM_AUTHD;
}

static void
send_file(const struct conf_open_file *file, enum conf_file which,
    struct channel *ch, uint64_t id)
{
	struct msg_out m;
	/* Both share the position in the file: a child uses pread(2). */
	int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		log_warn("%s", file->path);
	msg_start(&m, MSG_CONF_FILE, id);
	msg_add_u32(&m, which);
	msg_add_str(&m, file->path);
	channel_send(ch, &m, fd);
}

void
conf_send(const struct conf *conf, enum program program, struct channel *ch,
    uint64_t id)
{
	struct msg_out m;
	size_t i;

	conf_slice(conf, program, &m);
	m.id = id;
	channel_send(ch, &m, -1);
	for (i = 0; i < CONF_FILE_COUNT; i++)
		if (conf->files[i].path != NULL && reader(i) == program)
			send_file(&conf->files[i], i, ch, id);
	channel_send_empty(ch, MSG_CONF_DONE, id);
}

const char *
conf_needs_restart(const struct conf *a, const struct conf *b)
{
	if (strcmp(a->parent.socket, b->parent.socket) != 0)
		return "control socket";
	if (strcmp(a->parent.group, b->parent.group) != 0)
		return "control group";
	if (a->parent.sandbox != b->parent.sandbox)
		return "sandbox";
	return NULL;
}

bool
conf_needs_trial(const struct conf *a, const struct conf *b)
{
	return strcmp(a->authd.database_path, b->authd.database_path) != 0 ||
	       strcmp(a->authd.state_dir, b->authd.state_dir) != 0 ||
	       !confinement_is_same(
		   &a->authd.confinement, &b->authd.confinement);
}

bool
conf_same_dialer(const struct conf *a, const struct conf *b)
{
	struct msg_out ma, mb;
	bool same;

	conf_slice(a, PROGRAM_DIALER, &ma);
	conf_slice(b, PROGRAM_DIALER, &mb);
	same = ma.len == mb.len && memcmp(ma.data, mb.data, ma.len) == 0;
	msg_discard(&ma);
	msg_discard(&mb);
	return same;
}
