/* The audit log: lines, objects, the file and its fate. */

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/audit.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "tetherd/audit.h"
#include "tetherd/audit_text.h"
#include "tetherd/conf.h"
#include "tests/unit/common/descriptors.h"
#include "tests/unit/tetherd/log_file_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char none[] = "", link_to_one[PATH_SIZE], pipe_path[PATH_SIZE],
	    log_path[PATH_SIZE];
static const struct parent_conf without = { .audit_file = none };
static const struct parent_conf to_one = { .audit_file = one };
static const struct parent_conf to_two = { .audit_file = two };
static const struct parent_conf to_nowhere = { .audit_file = nowhere };
static const struct parent_conf to_link = { .audit_file = link_to_one };
static const struct parent_conf to_pipe = { .audit_file = pipe_path };
static const struct parent_conf to_folder = { .audit_file = directory };

static struct event_base *base;
static struct audit *audit;
static int64_t now;

/* The clock of the limit. */
int64_t
monotonic_ms(void)
{
	return now;
}

static const struct {
	struct audit_record record;
	const char *line, *object;
} table[] = {
	{ { .event = AUDIT_REQUEST,
	      .verdict = AUDIT_REFUSED,
	      .github_id = 583231,
	      .login = "octocat",
	      .role = "read-only",
	      .method = "GET",
	      .path = "/a/b",
	      .status = 403,
	      .why = "your access is read-only" },
	    "audit: request refused id=583231 login=octocat role=read-only "
	    "GET /a/b 403 why=\"your access is read-only\"",
	    "\"event\":\"request\",\"verdict\":\"refused\","
	    "\"github_id\":583231,\"login\":\"octocat\","
	    "\"role\":\"read-only\",\"method\":\"GET\",\"path\":\"/a/b\","
	    "\"status\":403,\"why\":\"your access is read-only\"}" },
	/* What it does not have. */
	{ { .event = AUDIT_TUNNEL, .verdict = AUDIT_GIVEN_UP },
	    "audit: tunnel given up",
	    "\"event\":\"tunnel\",\"verdict\":\"given up\"}" },
	{ { .event = AUDIT_SIGN_IN,
	      .verdict = AUDIT_ALLOWED,
	      .github_id = UINT64_MAX,
	      .login = "a",
	      .why = "users" },
	    "audit: sign-in allowed id=18446744073709551615 login=a "
	    "why=\"users\"",
	    "\"event\":\"sign-in\",\"verdict\":\"allowed\","
	    "\"github_id\":18446744073709551615,\"login\":\"a\","
	    "\"why\":\"users\"}" },
	{ { .event = AUDIT_OPERATOR,
	      .method = "users disable",
	      .path = "octocat",
	      .status = UINT32_MAX },
	    "audit: operator allowed users?disable octocat 4294967295",
	    "\"event\":\"operator\",\"verdict\":\"allowed\","
	    "\"method\":\"users disable\",\"path\":\"octocat\","
	    "\"status\":4294967295}" },
	/* Hostile ones. */
	{ { .event = AUDIT_ACTION,
	      .verdict = AUDIT_REFUSED,
	      .login = "x role=full\naudit: a",
	      .role = "\x1b[2J",
	      .method = "G E\tT",
	      .path = "/\" 200 why=\"\x7f\xff",
	      .why = "say \"no\" \\ \r\nnext" },
	    "audit: action refused login=x?role=full?audit:?a role=?[2J "
	    "G?E?T /\"?200?why=\"?? why=\"say \\\"no\\\" \\\\ ??next\"",
	    "\"event\":\"action\",\"verdict\":\"refused\","
	    "\"login\":\"x role=full\\u000aaudit: a\","
	    "\"role\":\"\\u001b[2J\",\"method\":\"G E\\u0009T\","
	    "\"path\":\"/\\\" 200 why=\\\"\\u007f\\ufffd\","
	    "\"why\":\"say \\\"no\\\" \\\\ \\u000d\\u000anext\"}" },
	{ { .event = AUDIT_MESSAGE,
	      .login = "\xc3\xa9",
	      .path = "/\xf0\x9f\x98\x80",
	      .why = "\xc3\xa9\xc3" },
	    "audit: message allowed login=?? /???? why=\"???\"",
	    "\"event\":\"message\",\"verdict\":\"allowed\","
	    "\"login\":\"\\u00e9\",\"path\":\"/\\ud83d\\ude00\","
	    "\"why\":\"\\ufffd\\ufffd\\ufffd\"}" },
};

static void
test_text(void **state)
{
	char line[LOG_AUDIT_MAX], *text, expected[1024];
	size_t i, len;
	FILE *f;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		audit_text_line(&table[i].record, line);
		assert_string_equal(line, table[i].line);
		f = open_memstream(&text, &len);
		assert_non_null(f);
		audit_text_json(f, &table[i].record, "now");
		assert_int_equal(fclose(f), 0);
		(void)snprintf(expected, sizeof(expected),
		    "{\"time\":\"now\",%s", table[i].object);
		assert_string_equal(text, expected);
		free(text);
	}
}

/* All is as long as it may be, and twice that when it is escaped. */
static void
test_longest(void **state)
{
	struct audit_record r = { .event = AUDIT_SIGN_IN,
		.verdict = AUDIT_GIVEN_UP,
		.github_id = UINT64_MAX,
		.status = UINT32_MAX };
	char line[LOG_AUDIT_MAX];
	size_t len;

	(void)state;
	memset(r.login, '"', sizeof(r.login) - 1);
	memset(r.role, '"', sizeof(r.role) - 1);
	memset(r.method, '"', sizeof(r.method) - 1);
	memset(r.path, '"', sizeof(r.path) - 1);
	memset(r.why, '"', sizeof(r.why) - 1);
	audit_text_line(&r, line);
	len = strlen(line);
	assert_true(len < sizeof(line) - 1);
	assert_string_equal(line + len - 3, "\\\"\"");
	assert_int_equal(len,
	    strlen("audit: sign-in given up id=18446744073709551615 login= "
		   "role=   4294967295 why=\"\"") +
		127 + 31 + 31 + 511 + 2 * 319);
}

/* The path of the object that the line must be, as a whole. */
static const char *
path_of(char *line)
{
	static const char name[] = "\"path\":\"";
	char *at = strstr(line, name);

	if (strncmp(line, "{\"time\":\"20", 11) != 0 || strlen(line) < 3 ||
	    strcmp(line + strlen(line) - 2, "}\n") != 0 || at == NULL)
		return "torn";
	at += strlen(name);
	*strchr(at, '"') = '\0';
	return at;
}

static void
assert_paths(const char *path, const char *expected)
{
	assert_lines(path, path_of, expected);
}

/* How many lines of the log contain a text. */
static unsigned
count_logged(const char *what)
{
	char line[4096];
	FILE *f = fopen(log_path, "r");
	unsigned n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, what) != NULL;
	(void)fclose(f);
	return n;
}

static void
take(const char *path)
{
	struct audit_record r = { .event = AUDIT_REQUEST };

	audit_set(r.path, sizeof(r.path), path);
	audit_take(audit, PROGRAM_PROXYD, &r);
}

static int
setup(void **state)
{
	(void)state;
	files_make();
	name_file(link_to_one, "link");
	name_file(pipe_path, "pipe");
	name_file(log_path, "log");
	assert_int_equal(symlink(one, link_to_one), 0);
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	log_to_file("test", log_file_open(log_path));
	base = event_base_new();
	assert_non_null(base);
	now = 1000000;
	audit = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	audit_free(audit);
	event_base_free(base);
	log_to_stderr("test");
	(void)unlink(link_to_one);
	(void)unlink(pipe_path);
	(void)unlink(log_path);
	return files_remove();
}

static void
test_file(void **state)
{
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	audit = audit_new(base, &to_one);
	(void)umask(mask);
	assert_int_equal(stat(one, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	take("/a");
	take("/b");
	audit_free(audit);
	/* What is there is not cut. */
	audit = audit_new(base, &to_one);
	take("/c");
	assert_paths(one, "/a;/b;/c;");
	assert_int_equal(count_logged("]: audit: request allowed /"), 3);
}

static void
test_log_only(void **state)
{
	(void)state;
	audit = audit_new(base, &without);
	take("/a");
	audit_reopen(audit, &without);
	take("/b");
	assert_int_equal(count_logged("]: audit: request allowed /"), 2);
	assert_paths(one, "no file");
}

static void
test_switch(void **state)
{
	int fds = count_descriptors();

	(void)state;
	audit = audit_new(base, &to_one);
	take("/a");
	assert_null(audit_stage(audit, &to_one, &to_two));
	take("/b");
	audit_switch(audit, &to_two, &to_one);
	take("/c");
	assert_null(audit_stage(audit, &to_two, &to_two));
	audit_switch(audit, &to_two, &to_two);
	take("/d");
	assert_int_equal(count_descriptors(), fds + 1);
	assert_null(audit_stage(audit, &to_two, &without));
	audit_switch(audit, &without, &to_two);
	take("/e");
	assert_int_equal(count_descriptors(), fds);
	assert_null(audit_stage(audit, &without, &to_one));
	audit_switch(audit, &to_one, &without);
	take("/f");
	assert_paths(one, "/a;/b;/f;");
	assert_paths(two, "/c;/d;");
}

static void
test_drop(void **state)
{
	static const struct {
		const struct parent_conf *conf;
		const char *why;
	} wrong[] = {
		{ &to_nowhere, "No such file or directory" },
		{ &to_link, "Too many levels of symbolic links" },
		{ &to_folder, "Is a directory" },
		/* One that nobody reads, which would block. */
		{ &to_pipe, "Invalid argument" },
	};
	int fds = count_descriptors();
	const char *why;
	size_t i;

	(void)state;
	audit = audit_new(base, &to_one);
	assert_null(audit_stage(audit, &to_one, &to_two));
	audit_drop(audit);
	audit_drop(audit);
	take("/a");
	assert_null(audit_stage(audit, &to_one, &to_two));
	assert_null(audit_stage(audit, &to_one, &to_two));
	assert_int_equal(count_descriptors(), fds + 2);
	assert_null(audit_stage(audit, &to_one, &without));
	assert_int_equal(count_descriptors(), fds + 1);
	audit_drop(audit);
	for (i = 0; i < COUNT(wrong); i++) {
		why = audit_stage(audit, &to_one, wrong[i].conf);
		assert_non_null(why);
		assert_non_null(strstr(why, wrong[i].why));
		assert_int_equal(strncmp(why, wrong[i].conf->audit_file,
				     strlen(wrong[i].conf->audit_file)),
		    0);
	}
	audit_drop(audit);
	take("/b");
	assert_int_equal(count_descriptors(), fds + 1);
	assert_paths(one, "/a;/b;");
	assert_paths(two, "");
	/* One that is staged when all ends. */
	assert_null(audit_stage(audit, &to_one, &to_two));
	audit_free(audit);
	audit = NULL;
	assert_int_equal(count_descriptors(), fds);
}

static void
test_reopen(void **state)
{
	(void)state;
	audit = audit_new(base, &to_one);
	take("/a");
	assert_int_equal(rename(one, moved), 0);
	take("/b");
	audit_reopen(audit, &to_one);
	take("/c");
	/* What cannot be opened leaves what there is. */
	assert_int_equal(rename(one, two), 0);
	assert_int_equal(symlink(two, one), 0);
	audit_reopen(audit, &to_one);
	take("/d");
	assert_paths(moved, "/a;/b;");
	assert_paths(two, "/c;/d;");
	assert_int_equal(count_logged("one: Too many levels"), 1);
}

static void
start_link(void)
{
	(void)audit_new(base, &to_link);
}

static void
test_start_fails(void **state)
{
	(void)state;
	assert_fatal(start_link);
}

static rlim_t
size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (rlim_t)st.st_size;
}

/* Who wrote last did not come to the end: nothing is lost by it but that. */
static void
test_torn_before(void **state)
{
	static const char torn[] = "{\"time\":\"2026";
	FILE *f = fopen(one, "w");

	(void)state;
	assert_non_null(f);
	assert_true(fputs(torn, f) >= 0);
	assert_int_equal(fclose(f), 0);
	audit = audit_new(base, &to_one);
	take("/a");
	take("/b");
	f = fopen(one, "a");
	assert_non_null(f);
	assert_true(fputs(torn, f) >= 0);
	assert_int_equal(fclose(f), 0);
	audit_reopen(audit, &to_one);
	take("/c");
	audit_reopen(audit, &to_one);
	take("/d");
	assert_paths(one, "torn;/a;/b;torn;/c;/d;");
}

/* A full disk: the log says it once, and that it is over. */
static void
test_full(void **state)
{
	static const char *const lines[] = { "audit: request allowed /torn",
		"one: records are lost: No space left on device",
		"audit: request allowed /lost",
		"audit: request allowed /lost" };
	struct rlimit old, limit;
	char line[LOG_LINE_MAX];
	int log[2];
	ssize_t n;
	size_t i;

	(void)state;
	audit = audit_new(base, &to_one);
	take("/a");
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, log), 0);
	limit = old;
	limit.rlim_cur = size_of(one) + 20;
	log_to_socket(log[0]);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	take("/torn");
	take("/lost");
	take("/lost");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	log_to_file("test", log_file_open(log_path));
	for (i = 0; i < COUNT(lines); i++) {
		n = recv(log[1], line, sizeof(line) - 1, MSG_DONTWAIT);
		assert_true(n > 1);
		line[n] = '\0';
		assert_non_null(strstr(line + 1, lines[i]));
	}
	assert_int_equal(recv(log[1], line, 1, MSG_DONTWAIT), -1);
	close(log[0]);
	close(log[1]);
	take("/b");
	take("/c");
	assert_paths(one, "/a;torn;/b;/c;");
	assert_int_equal(count_logged("works again; 3 records were lost"), 1);
	take("/d");
	assert_int_equal(count_logged("works again"), 1);

	/* What was torn is left behind. */
	limit.rlim_cur = size_of(one) + 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_to_stderr("test");
	take("/torn");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	log_to_file("test", log_file_open(log_path));
	assert_int_equal(rename(one, moved), 0);
	audit_reopen(audit, &to_one);
	take("/e");
	assert_paths(one, "/e;");
	assert_int_equal(count_logged("works again; 1 records were lost"), 1);
	(void)signal(SIGXFSZ, SIG_DFL);
}

static void
spin(void)
{
	const struct timeval soon = { .tv_usec = 50000 };

	event_base_loopexit(base, &soon);
	event_base_dispatch(base);
}

/* How many were lost is told of the file that they are missing in. */
static void
test_full_to_the_end(void **state)
{
	struct rlimit old, limit = { 0 };

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit.rlim_max = old.rlim_max;
	audit = audit_new(base, &to_one);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	take("/lost");
	take("/lost");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_null(audit_stage(audit, &to_one, &to_two));
	audit_switch(audit, &to_two, &to_one);
	assert_int_equal(count_logged("one: 2 records were lost"), 1);
	take("/a");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	take("/lost");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	audit_free(audit);
	audit = NULL;
	assert_int_equal(count_logged("two: 1 records were lost"), 1);
	assert_int_equal(count_logged("works again"), 0);
	assert_paths(two, "/a;");
}

/* Too many of one child: counted, and said once. */
static void
test_rate(void **state)
{
	struct audit_record r = { .event = AUDIT_SIGN_IN };
	int i;

	(void)state;
	audit = audit_new(base, &without);
	for (i = 0; i < AUDIT_RATE; i++)
		take("/a");
	assert_int_equal(count_logged("request allowed /a"), AUDIT_RATE);
	now += 990;
	for (i = 0; i < 7; i++)
		take("/b");
	assert_int_equal(count_logged("request allowed /b"), 0);
	/* Another one's count is its own. */
	audit_take(audit, PROGRAM_AUTHD, &r);
	assert_int_equal(count_logged("sign-in allowed"), 1);
	assert_int_equal(count_logged("dropped"), 0);
	now += 10;
	spin();
	assert_int_equal(count_logged("proxyd: 7 audit records dropped: more "
				      "than 5000 in a second"),
	    1);
	take("/c");
	assert_int_equal(count_logged("request allowed /c"), 1);
	for (i = 1; i < AUDIT_RATE; i++)
		take("/d");
	take("/e");
	assert_int_equal(count_logged("request allowed /e"), 0);
	audit_free(audit);
	audit = NULL;
	assert_int_equal(count_logged("proxyd: 1 audit records dropped"), 1);
}

/* A second later all may be sent again. */
static void
test_rate_again(void **state)
{
	int i, k;

	(void)state;
	audit = audit_new(base, &without);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < AUDIT_RATE; i++)
			take("/a");
		now += 1000;
	}
	spin();
	assert_int_equal(count_logged("request allowed"), 2 * AUDIT_RATE);
	assert_int_equal(count_logged("dropped"), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_longest),
		TEST(test_file),
		TEST(test_log_only),
		TEST(test_switch),
		TEST(test_drop),
		TEST(test_reopen),
		TEST(test_start_fails),
		TEST(test_torn_before),
		TEST(test_full),
		TEST(test_full_to_the_end),
		TEST(test_rate),
		TEST(test_rate_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
