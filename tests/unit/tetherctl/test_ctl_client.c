/* How long an answer is waited for, by a clock that the test has. */

#include <sys/socket.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tetherd/ctl_client.h"

static time_t seconds; /* of the clock */

/* In place of the C library's: each look at it takes a second. */
int
clock_gettime(clockid_t id, struct timespec *now)
{
	(void)id;
	*now = (struct timespec){ .tv_sec = seconds++ };
	return 0;
}

/* A tetherd that sends parts of an answer and nothing else, in a process. */
static pid_t
start_endless(const int fds[2])
{
	uint8_t datagram[MSG_HEADER_SIZE + sizeof(uint32_t)] = { 0 };
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid != 0) {
		close(fds[1]);
		return pid;
	}
	close(fds[0]);
	msg_put_header(datagram, MSG_CTL_TEXT, 0, 0, sizeof(uint32_t));
	while (send(fds[1], datagram, sizeof(datagram), MSG_NOSIGNAL) != -1)
		continue;
	_exit(0);
}

static void
test_endless(void **state)
{
	static const struct {
		enum msg_type type;
		time_t seconds;
	} cases[] = {
		{ MSG_CTL_SHOW, 15 },
		{ MSG_CTL_LOG, 15 },
		{ MSG_CTL_RELOAD, 60 },
	};
	struct ctl_answer answer;
	int fds[2], status;
	time_t began;
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ctl_command command = { .type = cases[i].type };

		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
		pid = start_endless(fds);
		began = seconds;
		assert_int_equal(
		    ctl_client_ask(fds[0], &command, &answer), CTL_EXIT_FAILED);
		assert_in_range(
		    seconds - began, cases[i].seconds, cases[i].seconds + 2);
		ctl_answer_clear(&answer);
		close(fds[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endless),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
