#include <sys/pidfd.h>
#include <sys/prctl.h>

#include <netdb.h>

#include "tests/unit/sandbox/world.h"

/* Files, ports, signals and sockets under the whole policy. */

#define OK   "ok"
#define NO   "EACCES"
#define KILL "SIGSYS"

/* As SQLite does it. */
static int
shorten_open(void)
{
	int fd = open(in_folder(SECRET), O_RDWR | O_CLOEXEC);

	return fd == -1 ? -1 : ftruncate(fd, 3);
}

static int
sync_folder(void)
{
	int fd = open(probe_world.folder, O_RDONLY | O_CLOEXEC);

	return fd == -1 ? -1 : fsync(fd);
}

/* As the parent does it with logs. */
static int
append(void)
{
	int fd = open(
	    in_folder("new"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	return fd == -1 ? -1 : (int)write(fd, "x", 1);
}

static int
resolve(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;

	if (getaddrinfo("localhost", "53", &hints, &list) != 0)
		return -1;
	freeaddrinfo(list);
	return 0;
}

/* A name that no file knows: whoever is asked does not answer. */
static int
resolve_unknown(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int error = getaddrinfo("nobody.invalid", "53", &hints, &list);

	return error == EAI_NONAME || error == EAI_AGAIN ? 0 : -1;
}

/* A process that waits, and its descriptor. */
static pid_t target;
static int target_fd = -1;

static void
start_target(void)
{
	target = fork();
	assert_int_not_equal(target, -1);
	if (target == 0) {
		/* Also if we fail. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	target_fd = pidfd_open(target, 0);
	assert_int_not_equal(target_fd, -1);
}

static void
end_target(void)
{
	assert_int_equal(kill(target, SIGKILL), 0);
	assert_int_equal(waitpid(target, NULL, 0), target);
	close(target_fd);
}

static int
kill_descriptor(void)
{
	return pidfd_send_signal(target_fd, SIGKILL, NULL, 0);
}

static int
connect_local(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlcpy(sun.sun_path, in_folder("none"), sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		return -1;
	return connect(fd, (struct sockaddr *)&sun, sizeof(sun));
}

static const struct row {
	const char *what;
	probe_attempt *attempt;
	const char *results[PROBE_PROGRAMS];
} rows[] = {
	/* connector, proxyd, proxyd with unix:, authd, dialer, launcher,
	 * tetherd */
	{ "read /etc/hosts", read_hosts, { NO, NO, NO, NO, OK, OK, OK } },
	{ "read /etc/passwd", read_passwd, { NO, NO, NO, NO, NO, OK, OK } },
	{ "the same by a descriptor of /etc", read_passwd_at,
	    { NO, NO, NO, NO, NO, OK, OK } },
	{ "read a library", read_library, { NO, NO, NO, NO, OK, OK, NO } },
	{ "read /proc", read_status, { NO, NO, NO, NO, NO, OK, OK } },
	{ "write to /etc/hosts", write_hosts,
	    { NO, NO, NO, NO, NO, NULL, NO } },

	{ "read a file of the folder", read_secret,
	    { NO, NO, NO, OK, NO, OK, OK } },
	{ "write to it", write_secret, { NO, NO, NO, OK, NO, OK, OK } },
	{ "shorten it", shorten_open, { NO, NO, NO, OK, NO, OK, KILL } },
	{ "make a file and write to it", append,
	    { NO, NO, NO, OK, NO, OK, OK } },
	{ "remove one", remove_old, { KILL, KILL, KILL, OK, KILL, OK, OK } },
	{ "have the folder written to disk", sync_folder,
	    { NO, NO, NO, OK, NO, OK, KILL } },
	{ "make a folder there", make_folder,
	    { KILL, KILL, KILL, NO, KILL, NULL, KILL } },
	{ "make a link there", make_link,
	    { KILL, KILL, KILL, KILL, KILL, KILL, KILL } },
	{ "make a socket there", make_socket,
	    { KILL, KILL, KILL, KILL, KILL, KILL, KILL } },
	{ "execute a shell", execute_shell,
	    { KILL, KILL, KILL, KILL, KILL, NO, KILL } },
	{ "execute a file of the folder", execute_noise,
	    { KILL, KILL, KILL, KILL, KILL, "ENOEXEC", KILL } },

	{ "connect to the port", connect_port,
	    { KILL, OK, KILL, KILL, OK, OK, KILL } },
	{ "connect to another one", connect_other_port,
	    { KILL, NO, KILL, KILL, NO, OK, KILL } },
	{ "connect to a name server", connect_dns,
	    { KILL, NO, KILL, KILL, "ECONNREFUSED", "ECONNREFUSED", KILL } },
	{ "listen at a port", bind_tcp,
	    { KILL, KILL, KILL, KILL, "EPERM", "EPERM", KILL } },
	{ "connect to a local socket", connect_local,
	    { KILL, KILL, "ENOENT", KILL, "ENOENT", "ENOENT", "ENOENT" } },
	{ "resolve a name of /etc/hosts", resolve,
	    { NULL, NULL, NULL, NULL, OK, NULL, NULL } },
	{ "resolve a name that nobody knows", resolve_unknown,
	    { NULL, NULL, NULL, NULL, OK, NULL, NULL } },

	{ "a signal to another process", signal_starter,
	    { KILL, KILL, KILL, KILL, KILL, KILL, KILL } },
	{ "the same by its descriptor", kill_descriptor,
	    { KILL, KILL, KILL, KILL, KILL, KILL, OK } },
	{ "an abstract socket", send_abstract,
	    { KILL, KILL, KILL, KILL, KILL, KILL, KILL } },
};

static void
test_attempts(void **state)
{
	const char *result, *wanted;
	size_t i, p;
	int wrong = 0;

	(void)state;
	if (!probe_possible() || sandbox_landlock_abi() < 6)
		skip();
	for (i = 0; i < COUNT(rows); i++)
		for (p = 0; p < PROBE_PROGRAMS; p++) {
			wanted = rows[i].results[p];
			if (wanted == NULL)
				continue;
			make_file("old", "", 0600);
			(void)unlink(in_folder("new"));
			start_target();
			result = probe((enum probe_program)p, rows[i].attempt);
			end_target();
			if (strcmp(result, wanted) == 0)
				continue;
			print_error("%s, %s: %s, not %s\n", probe_names[p],
			    rows[i].what, result, wanted);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
