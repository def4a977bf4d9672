#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/control_protocol.h"
#include "tetherd/ctl_client.h"
#include "tetherd/ctl_json.h"
#include "tetherd/ctl_print.h"
#include "tetherd/ctl_words.h"

/*
 * One of the standard descriptors that is closed must not become the socket.
 * What takes its place cannot be written, so that this is noticed.
 */
static void
fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: tetherctl [-jV] [-s socket] command [argument ...]\n");
	exit(CTL_EXIT_USAGE);
}

static void
print_view(uint32_t view, const struct ctl_answer *a, bool json)
{
	const char *text = a->text == NULL ? "" : a->text;

	switch ((enum control_view)view) {
	case CONTROL_STATUS:
	case CONTROL_STATS:
		(json ? ctl_json_list : ctl_print_list)(stdout, a);
		break;
	case CONTROL_PROCESSES:
	case CONTROL_LIMITS:
		(json ? ctl_json_table : ctl_print_table)(stdout, a);
		break;
	case CONTROL_CONFIG:
		if (json)
			ctl_json_text(stdout, "config", text);
		else
			ctl_print_text(stdout, text);
		break;
	case CONTROL_VIEW_COUNT:
		break;
	}
}

/* What authd has to say with a list is no part of it. */
static void
print_people(const struct ctl_answer *a, bool json)
{
	(json ? ctl_json_table : ctl_print_table)(stdout, a);
	ctl_print_text(stderr, a->reason);
}

static enum ctl_status
end_output(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return CTL_EXIT_DONE;
	warn("standard output");
	return CTL_EXIT_FAILED;
}

static enum ctl_status
print_answer(const struct ctl_command *c, const struct ctl_answer *a, bool json)
{
	/* Of a command that failed: the reasons, a line each. */
	if (a->code != CONTROL_OK && a->text != NULL)
		ctl_print_text(stderr, a->text);
	if (a->code != CONTROL_OK)
		return ctl_client_result(a);
	if (c->type == MSG_CTL_SHOW)
		print_view(c->view, a, json);
	else if (c->type == MSG_CTL_ADMIN && !admin_op_changes(c->admin.op))
		print_people(a, json);
	else
		ctl_print_text(stdout, a->reason);
	return end_output();
}

int
main(int argc, char **argv)
{
	const char *path = NULL;
	bool json = false;
	struct ctl_command command;
	struct ctl_answer answer;
	enum ctl_status status;
	int ch, fd;

	fill_descriptors();
	while ((ch = getopt(argc, argv, "+js:V")) != -1) {
		switch (ch) {
		case 'j':
			json = true;
			break;
		case 's':
			path = optarg;
			break;
		case 'V':
			printf("tetherctl %s\n", TETHERD_VERSION);
			return end_output();
		default:
			usage();
		}
	}
	if (ctl_words_parse(argc - optind, (const char *const *)argv + optind,
		&command, stderr) == -1)
		return CTL_EXIT_USAGE;
	status = ctl_client_connect(path, &fd);
	if (status != CTL_EXIT_DONE)
		return status;
	status = ctl_client_ask(fd, &command, &answer);
	if (status == CTL_EXIT_DONE)
		status = print_answer(&command, &answer, json);
	ctl_answer_clear(&answer);
	close(fd);
	return status;
}
