#include "sandbox/process.h"
#include "tests/unit/sandbox/held.h"

/* How much of what each program may have. */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define HARD_FILES 4096
#define FEW_FILES  40

static int file = -1; /* from before, to be written to */

static int
make_world(void **state)
{
	char path[] = "/tmp/tetherd-file.XXXXXX";
	const struct rlimit limit = { 256, HARD_FILES };

	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	file = mkstemp(path);
	if (file == -1 || unlink(path) == -1)
		return -1;
	return probe_open(state);
}

static int
end_world(void **state)
{
	close(file);
	return probe_close(state);
}

static void
have_few(void)
{
	const struct rlimit limit = { FEW_FILES, FEW_FILES };

	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		fatal("setrlimit");
}

/* Soft and hard, as /proc shows them; NULL for what the system set. */
static const struct row {
	const char *files;
	const char *processes;
	const char *file_size;
} rows[PROBE_PROGRAMS] = {
	[PROBE_CONNECTOR] = { "64 64 files", "0 0 processes", "0 0 bytes" },
	[PROBE_PROXYD] = { "4096 4096 files", "0 0 processes", "0 0 bytes" },
	[PROBE_PROXYD_UNIX] = { "4096 4096 files", "0 0 processes",
	    "0 0 bytes" },
	[PROBE_AUTHD] = { "128 128 files", "0 0 processes",
	    "unlimited unlimited bytes" },
	[PROBE_DIALER] = { "64 64 files", "0 0 processes", "0 0 bytes" },
	[PROBE_LAUNCHER] = { "4096 4096 files", NULL,
	    "unlimited unlimited bytes" },
	[PROBE_PARENT] = { "512 512 files", "0 0 processes",
	    "unlimited unlimited bytes" },
};

static void
assert_limit(const struct held *h, int p, const char *name, const char *wanted)
{
	const char *value = held_value(h, name);

	if (strcmp(value, wanted) != 0)
		fail_msg("%s: %s %s", probe_names[p], name, value);
}

static void
test_limits(void **state)
{
	static const bool sandboxes[] = { true, false };
	struct held h;
	size_t i;
	int p;

	(void)state;
	/* Which leaves room for a process that looks for leaks. */
	if (!probe_possible())
		skip();
	for (i = 0; i < COUNT(sandboxes); i++)
		for (p = 0; p < PROBE_PROGRAMS; p++) {
			probe_world.confinement.sandbox = sandboxes[i];
			held_start(&h, (enum probe_program)p, NULL);
			held_look(&h, "limits");
			assert_limit(&h, p, "Max core file size", "0 0 bytes");
			assert_limit(&h, p, "Max open files", rows[p].files);
			assert_limit(&h, p, "Max file size", rows[p].file_size);
			if (rows[p].processes != NULL)
				assert_limit(
				    &h, p, "Max processes", rows[p].processes);
			held_end(&h);
		}
}

/* None is raised, and a system that allows less is no reason to give up. */
static void
test_few(void **state)
{
	struct held h;
	int p;

	(void)state;
	for (p = 0; p < PROBE_PROGRAMS; p++) {
		held_start(&h, (enum probe_program)p, have_few);
		held_look(&h, "limits");
		assert_limit(&h, p, "Max open files", "40 40 files");
		held_end(&h);
	}
}

/* What is tried, by those who may make any system call. */

static int
write_file(void)
{
	return (int)write(file, "x", 1);
}

static int
start_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int
have_more_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	limit.rlim_cur = limit.rlim_max = limit.rlim_max + 1;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

static int
take_descriptors(void)
{
	int fd;

	do
		fd = dup(file);
	while (fd != -1);
	return -1;
}

static void
test_attempts(void **state)
{
	static const struct {
		const char *what;
		probe_attempt *attempt;
		const char *results[PROBE_PROGRAMS];
	} table[] = {
		{ "write to a file", write_file,
		    { "SIGXFSZ", "SIGXFSZ", "SIGXFSZ", "ok", "SIGXFSZ", "ok",
			"ok" } },
		{ "start a process", start_process,
		    { "EAGAIN", "EAGAIN", "EAGAIN", "EAGAIN", "EAGAIN", NULL,
			NULL } },
		{ "take a higher limit", have_more_files,
		    { "EPERM", "EPERM", "EPERM", "EPERM", "EPERM", "EPERM",
			"EPERM" } },
		{ "take all descriptors", take_descriptors,
		    { "EMFILE", "EMFILE", "EMFILE", "EMFILE", "EMFILE",
			"EMFILE", "EMFILE" } },
	};
	const char *result;
	size_t i, p;

	(void)state;
	if (!probe_possible())
		skip();
	/* Of root's processes the kernel counts none. */
	probe_world.confinement = (struct confinement){
		.drop = geteuid() == 0,
		.uid = 12345,
		.gid = 54321,
	};
	for (i = 0; i < COUNT(table); i++)
		for (p = 0; p < PROBE_PROGRAMS; p++) {
			if (table[i].results[p] == NULL)
				continue;
			result = probe((enum probe_program)p, table[i].attempt);
			if (strcmp(result, table[i].results[p]) != 0)
				fail_msg("%s, %s: %s", probe_names[p],
				    table[i].what, result);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_few),
		cmocka_unit_test(test_attempts),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
