#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tetherd/process.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Deaths as waitpid(2) reports them, in a child of our own. */
static const struct {
	int status; /* or -1 */
	int sig;
	const char *text;
} table[] = {
	{ 0, 0, "exited with status 0" },
	{ 1, 0, "exited with status 1" },
	{ 255, 0, "exited with status 255" },
	{ -1, SIGKILL, "signal 9 (Killed)" },
	{ -1, SIGTERM, "signal 15 (Terminated)" },
	/* The kernel's log is not open, as for one who may not. */
	{ -1, SIGSYS,
	    "signal 31 (SIGSYS): sandbox violation; "
	    "see type=1326 in the kernel's log" },
};

static void
test_deaths(void **state)
{
	char text[PROCESS_DEATH_SIZE], small[8];
	int status;
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			if (table[i].status == -1) {
				signal(table[i].sig, SIG_DFL);
				(void)kill(getpid(), table[i].sig);
			}
			_exit(table[i].status);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_ptr_equal(process_describe_death(PROGRAM_PROXYD, pid,
				     status, text, sizeof(text)),
		    text);
		assert_string_equal(text, table[i].text);
		(void)process_describe_death(
		    PROGRAM_PROXYD, pid, status, small, sizeof(small));
		assert_int_equal(strlen(small), sizeof(small) - 1);
		assert_memory_equal(small, table[i].text, strlen(small));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_deaths) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
