#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "common/msg.h"
#include "tetherd/control_protocol.h"
#include "tetherd/ctl_client.h"

/*
 * The longest wait for a whole answer.  A reload waits up to 10 s for each
 * step of a process that hangs, and another one may be under way first.
 */
#define ANSWER_MS 15000
#define RELOAD_MS 60000

#define PLACES_MAX 3

static uint8_t buffer[MSG_SIZE_MAX];

/* Where the socket may be: of this user's own tetherd first. */
static size_t
usual_places(char places[PLACES_MAX][PATH_MAX])
{
	size_t n = 0;

	if (control_path_from("RUNTIME_DIRECTORY", places[n], PATH_MAX) == 0)
		n++;
	if (geteuid() != 0 &&
	    control_path_from("XDG_RUNTIME_DIR", places[n], PATH_MAX) == 0)
		n++;
	(void)strlcpy(
	    places[n++], CONTROL_SYSTEM_DIR "/" CONTROL_NAME, PATH_MAX);
	return n;
}

/* A connected socket, or -1 with errno set. */
static int
connect_to(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, saved;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* Without waiting: a queue of clients that nobody takes is full. */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* The first place that somebody answers at. */
static enum ctl_status
find(const char *path, int *fd)
{
	char places[PLACES_MAX][PATH_MAX];
	const char *why[PLACES_MAX];
	enum ctl_status status = CTL_EXIT_UNREACHABLE;
	size_t i, n = 1;

	if (path == NULL)
		n = usual_places(places);
	else if (strlcpy(places[0], path, PATH_MAX) >= PATH_MAX) {
		warnx("%s: %s", path, strerror(ENAMETOOLONG));
		return status;
	}
	for (i = 0; i < n; i++) {
		*fd = connect_to(places[i]);
		if (*fd != -1)
			return CTL_EXIT_DONE;
		why[i] = strerror(errno);
		if (errno == EACCES || errno == EPERM)
			status = CTL_EXIT_DENIED;
	}
	for (i = 0; i < n; i++)
		warnx("%s: %s", places[i], why[i]);
	if (status == CTL_EXIT_UNREACHABLE)
		warnx("is tetherd running?");
	return status;
}

/*
 * Send a message.  That the other end is closed already is no error: it may
 * have said why.
 */
static enum ctl_status
send_message(int fd, struct msg_out *m)
{
	if (msg_send_now(fd, m, -1) == 0 || errno == EPIPE ||
	    errno == ECONNRESET)
		return CTL_EXIT_DONE;
	warn("sending to tetherd");
	return CTL_EXIT_FAILED;
}

static enum ctl_status
receive_message(int fd, struct msg *m, enum msg_state state, int64_t deadline)
{
	int64_t left = deadline - monotonic_ms();
	const char *why = "timeout";

	/* Else one who never pauses is listened to for ever. */
	if (left > 0)
		why = msg_recv_now(fd, m, buffer, (int)left, PROGRAM_PARENT,
		    PROGRAM_TETHERCTL, state);
	if (why == NULL)
		return CTL_EXIT_DONE;
	warnx("no answer of tetherd: %s", why);
	return CTL_EXIT_FAILED;
}

enum ctl_status
ctl_client_result(const struct ctl_answer *a)
{
	char safe[CONTROL_DONE_SIZE];

	if (a->code == CONTROL_OK)
		return CTL_EXIT_DONE;
	warnx("%s", log_safe(safe, sizeof(safe), a->reason));
	return a->code == CONTROL_DENIED ? CTL_EXIT_DENIED : CTL_EXIT_FAILED;
}

/* Read the CTL_WELCOME, or what there is instead. */
static enum ctl_status
get_welcome(int fd)
{
	char version[CONTROL_VALUE_SIZE];
	struct ctl_answer answer = { .nrows = 0 };
	enum ctl_status status;
	struct msg m;

	status = receive_message(fd, &m, MSG_START, monotonic_ms() + ANSWER_MS);
	if (status != CTL_EXIT_DONE)
		return status;
	if (m.type == MSG_CTL_WELCOME) {
		if (msg_get_u32(&m) == MSG_PROTOCOL_VERSION) {
			msg_get_str(&m, version, sizeof(version));
			if (msg_end(&m))
				return CTL_EXIT_DONE;
		}
	} else if (ctl_answer_add(&answer, &m) == 1) {
		status = ctl_client_result(&answer);
		if (status != CTL_EXIT_DONE)
			return status;
	}
	warnx("tetherd does not greet as this tetherctl expects");
	return CTL_EXIT_FAILED;
}

enum ctl_status
ctl_client_connect(const char *path, int *fd)
{
	enum ctl_status status;
	struct msg_out m;

	status = find(path, fd);
	if (status != CTL_EXIT_DONE)
		return status;
	msg_start(&m, MSG_CTL_HELLO, 0);
	msg_add_u32(&m, MSG_PROTOCOL_VERSION);
	status = send_message(*fd, &m);
	if (status == CTL_EXIT_DONE)
		status = get_welcome(*fd);
	if (status != CTL_EXIT_DONE) {
		close(*fd);
		*fd = -1;
	}
	return status;
}

enum ctl_status
ctl_client_ask(int fd, const struct ctl_command *c, struct ctl_answer *answer)
{
	int64_t deadline = monotonic_ms() +
			   (c->type == MSG_CTL_RELOAD ? RELOAD_MS : ANSWER_MS);
	enum ctl_status status;
	struct msg_out out;
	struct msg m;
	int rc;

	*answer = (struct ctl_answer){ .nrows = 0 };
	msg_start(&out, c->type, 0);
	if (c->type == MSG_CTL_SHOW)
		msg_add_u32(&out, c->view);
	if (c->type == MSG_CTL_LOG) {
		msg_add_u32(&out, c->level);
		msg_add_u32(&out, c->program);
	}
	if (c->type == MSG_CTL_ADMIN)
		admin_request_add(&out, &c->admin);
	status = send_message(fd, &out);
	if (status != CTL_EXIT_DONE)
		return status;
	do {
		status = receive_message(fd, &m, MSG_RUN, deadline);
		if (status != CTL_EXIT_DONE)
			return status;
		rc = ctl_answer_add(answer, &m);
	} while (rc == 0);
	if (rc == 1)
		return CTL_EXIT_DONE;
	warnx("tetherd sent a broken answer");
	return CTL_EXIT_FAILED;
}
