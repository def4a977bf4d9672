#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tetherd/conf_files.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
need_root(bool wanted)
{
	if ((geteuid() == 0) == wanted)
		return;
	print_message(wanted ? "only root can test this\n"
			     : "root may read everything\n");
	skip();
}

static void
test_missing(void **state)
{
	(void)state;
	assert_false(conf_parse("nothing.conf", false, NULL));
	conf_expect("not required", "", "");
	assert_true(conf_parse("nothing.conf", true, NULL));
	conf_expect("required", "", "nothing.conf: No such file or directory");
	/* here something is wrong, rather than missing */
	conf_write("file", "");
	assert_true(conf_parse("file/x", false, NULL));
	conf_expect("no folder", "", "file/x: Not a directory");
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_true(conf_parse("loop", false, NULL));
	conf_expect("loop", "", "loop: Too many levels of symbolic links");
	assert_int_equal(symlink("file", "link"), 0);
	assert_true(conf_parse("link", false, NULL));
	conf_expect("link", "", "");
	assert_int_equal(symlink("nothing.conf", "nowhere"), 0);
	assert_true(conf_parse("nowhere", false, NULL));
	conf_expect("nowhere", "", "nowhere: No such file or directory");
}

static void
test_modes(void **state)
{
	static const struct {
		mode_t mode;
		const char *found, *said;
	} modes[] = {
		{ 0600, "1 : a\n", "" },
		{ 0400, "1 : a\n", "" },
		{ 0640, "1 : a\n", "" },
		{ 0644, "1 : a # t.conf 0644\n", "" },
		{ 0604, "1 : a # t.conf 0604\n", "" },
		{ 0755, "1 : a # t.conf 0755\n", "" },
		{ 01644, "1 : a # t.conf 1644\n", "" },
		{ 0666, "", "t.conf: writable by group or others (mode 0666)" },
		{ 0620, "", "t.conf: writable by group or others (mode 0620)" },
		{ 0602, "", "t.conf: writable by group or others (mode 0602)" },
		{ 01602, "",
		    "t.conf: writable by group or others (mode 1602)" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(modes); i++) {
		conf_write("t.conf", "a");
		assert_int_equal(chmod("t.conf", modes[i].mode), 0);
		assert_true(conf_parse("t.conf", false, NULL));
		conf_expect("mode", modes[i].found, modes[i].said);
	}
}

static void
test_unreadable(void **state)
{
	(void)state;
	need_root(false);
	conf_write("t.conf", "a");
	assert_int_equal(chmod("t.conf", 0), 0);
	assert_true(conf_parse("t.conf", false, NULL));
	conf_expect("mode", "", "t.conf: Permission denied");
}

static void
test_owner(void **state)
{
	(void)state;
	need_root(true);
	conf_write("t.conf", "a");
	assert_int_equal(chown("t.conf", 1234, 0), 0);
	assert_true(conf_parse("t.conf", false, NULL));
	conf_expect(
	    "stranger", "", "t.conf: owned by uid 1234, neither root nor us");
	/* ours, and root's, when we are somebody else */
	assert_int_equal(chmod(".", 0711), 0);
	assert_int_equal(seteuid(1234), 0);
	assert_true(conf_parse("t.conf", false, NULL));
	assert_int_equal(seteuid(0), 0);
	conf_expect("ours", "1 : a\n", "");
	assert_int_equal(chown("t.conf", 0, 0), 0);
	assert_int_equal(chmod("t.conf", 0644), 0);
	assert_int_equal(seteuid(1234), 0);
	assert_true(conf_parse("t.conf", false, NULL));
	assert_int_equal(seteuid(0), 0);
	conf_expect("root's", "1 : a # t.conf 0644\n", "");
}

/* Nothing that is opened is waited for. */
static void
test_kinds(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_true(conf_parse("sub", true, NULL));
	conf_expect("folder", "", "sub: not a regular file");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_true(conf_parse("fifo", true, NULL));
	conf_expect("FIFO", "", "fifo: not a regular file");
	assert_true(conf_parse("/dev/zero", true, NULL));
	conf_expect("device", "", "/dev/zero: not a regular file");
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_true(conf_parse("sock", true, NULL));
	conf_expect("socket", "", "sock: No such device or address");
	close(fd);
	/* a file without a size, as /proc has them */
	assert_true(conf_parse("/proc/self/comm", true, NULL));
	assert_string_equal(conf_said, "");
	assert_memory_equal(conf_found, "/proc/self/comm:1 : ", 20);
}

static void
test_sizes(void **state)
{
	char *text = malloc(10 * PARSE_FILE_MAX);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', 10 * PARSE_FILE_MAX);
	text[PARSE_FILE_MAX - 1] = 'a';
	conf_write_bytes("t.conf", text, PARSE_FILE_MAX);
	assert_true(conf_parse("t.conf", true, NULL));
	conf_expect("1 MiB", "1048576 : a\n", "");
	conf_write_bytes("t.conf", text, PARSE_FILE_MAX + 1);
	assert_true(conf_parse("t.conf", true, NULL));
	conf_expect("more", "", "t.conf: larger than 1 MiB");
	conf_write_bytes("t.conf", text, 10 * PARSE_FILE_MAX);
	conf_write("u.conf", "include t.conf\na");
	assert_true(conf_parse("u.conf", true, NULL));
	conf_expect("10 MiB", "u.conf:2 : a\n",
	    "u.conf:1: include \"t.conf\": larger than 1 MiB");
	/* binary */
	memset(text, 0x80, 65536);
	text[0] = '\x7f';
	conf_write_bytes("t.conf", text, 65536);
	assert_true(conf_parse("u.conf", true, NULL));
	conf_expect("binary", "u.conf:2 : a\n",
	    "t.conf:1: byte 0x7f has no place in a text");
	free(text);
}

/* What is included is found in its place, and complains by its name. */
static void
test_include(void **state)
{
	char absolute[256];

	(void)state;
	conf_write("t.conf", "a\nx = 1\ninclude \"sub/s.conf\"\nb $x $y\n=\n"
			     "upstream { c }\npolicy { d }");
	conf_write("sub/s.conf", "x = 2\ny = 3\ninclude u.conf\n!\n"
				 "upstream { e }\ninclude \"../v.conf\"\n");
	conf_write("sub/u.conf", "f $x\nupstream {\n g");
	conf_write("v.conf", "policy {\n i v.conf\n}\nh");
	assert_true(conf_parse("t.conf", true, NULL));
	conf_expect("include",
	    "1 : a\nsub/u.conf:1 : f 2\nsub/u.conf:3 upstream: g\n"
	    "sub/s.conf:5 upstream: e\nsub/../v.conf:2 policy: i "
	    "v.conf\nsub/../v.conf:4 : h\n4 : b 2 3\n6 upstream: c\n"
	    "7 policy: d\n",
	    "sub/u.conf:3: syntax error near the end of the file\n"
	    "sub/s.conf:4: syntax error near \"!\"\n"
	    "sub/s.conf:5: upstream: given twice, first in sub/u.conf:2\n"
	    "t.conf:5: syntax error near \"=\"\n"
	    "t.conf:6: upstream: given twice, first in sub/u.conf:2\n"
	    "t.conf:7: policy: given twice, first in sub/../v.conf:1");
	assert_string_equal(
	    conf_opened, "t.conf sub/s.conf sub/u.conf sub/../v.conf ");
	/* the same by an absolute path, and the working folder is no matter */
	(void)snprintf(
	    absolute, sizeof(absolute), "%s/sub/w.conf", (char *)*state);
	conf_write(absolute, "include \"x.conf\"");
	conf_write("sub/x.conf", "x\ninclude \"/dev/null\"");
	conf_write("x.conf", "wrong");
	conf_write("t.conf", "");
	assert_true(conf_parse(absolute, true, NULL));
	assert_non_null(strstr(conf_found, "/sub/x.conf:1 : x\n"));
	assert_non_null(strstr(conf_said,
	    "/sub/x.conf:2: include \"/dev/null\": not a regular file"));
}

static void
test_include_refused(void **state)
{
	(void)state;
	conf_write("t.conf", "include s.conf\ninclude fifo2\na");
	conf_write("s.conf", "b");
	assert_int_equal(chmod("s.conf", 0666), 0);
	assert_int_equal(mkfifo("fifo2", 0600), 0);
	assert_true(conf_parse("t.conf", true, NULL));
	conf_expect("refused", "3 : a\n",
	    "t.conf:1: include \"s.conf\": writable by group or others "
	    "(mode 0666)\n"
	    "t.conf:2: include \"fifo2\": not a regular file");
	assert_string_equal(conf_opened, "t.conf ");
}

/* Which file others may read: the one where the value stands. */
static void
test_exposed(void **state)
{
	struct macros *macros = macros_new();

	(void)state;
	assert_null(macros_define(macros, "flag=1"));
	conf_write("t.conf", "include s.conf\na $x\na $x b\na $y\na $flag\nb");
	conf_write("s.conf", "x = 1\nc d\nz = $x\ny = $z\n");
	assert_int_equal(chmod("s.conf", 0644), 0);
	assert_true(conf_parse("t.conf", true, macros));
	conf_expect("public macros",
	    "s.conf:2 : c d # s.conf 0644\n2 : a 1 # s.conf 0644\n"
	    "3 : a 1 b\n4 : a 1 # s.conf 0644\n5 : a 1\n6 : b\n",
	    "");
	assert_int_equal(chmod("s.conf", 0600), 0);
	assert_int_equal(chmod("t.conf", 0604), 0);
	assert_true(conf_parse("t.conf", true, macros));
	conf_expect("private macros",
	    "s.conf:2 : c d\n2 : a 1\n3 : a 1 b # t.conf 0604\n4 : a 1\n"
	    "5 : a 1\n6 : b # t.conf 0604\n",
	    "");
	macros_free(macros);
}

static void
test_circles(void **state)
{
	(void)state;
	conf_write("t.conf", "a\ninclude u.conf\nb");
	conf_write("u.conf", "c\ninclude link2\nd");
	assert_int_equal(symlink("sub/../t.conf", "link2"), 0);
	assert_true(conf_parse("t.conf", true, NULL));
	conf_expect("circle", "1 : a\nu.conf:1 : c\nu.conf:3 : d\n3 : b\n",
	    "u.conf:2: link2: includes itself");
	/* twice, but one after the other */
	conf_write("t.conf", "include u.conf\ninclude u.conf");
	conf_write("u.conf", "a");
	assert_true(conf_parse("t.conf", true, NULL));
	conf_expect("twice", "u.conf:1 : a\nu.conf:1 : a\n", "");
}

/* A file that includes the next one so many times. */
static void
write_numbered(unsigned i, unsigned times)
{
	char name[32], line[32], text[256] = "";

	(void)snprintf(name, sizeof(name), "%u.conf", i);
	(void)snprintf(line, sizeof(line), "include %u.conf\n", i + 1);
	while (times-- > 0)
		(void)strlcat(text, line, sizeof(text));
	conf_write(name, text);
}

static void
test_depth(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 17; i++)
		write_numbered(i, 1);
	conf_write("16.conf", "a");
	assert_true(conf_parse("0.conf", true, NULL));
	conf_expect("16 deep", "16.conf:1 : a\n", "");
	conf_write("16.conf", "include 17.conf\na");
	conf_write("17.conf", "b");
	assert_true(conf_parse("0.conf", true, NULL));
	conf_expect("17 deep", "16.conf:2 : a\n",
	    "16.conf:1: include: nested more than 16 deep");
}

static unsigned
count_words(const char *what)
{
	const char *p = conf_found;
	unsigned n = 0;

	for (; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/* Each file includes the next one twice. */
static void
test_tree(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 16; i++)
		write_numbered(i, 2);
	conf_write("16.conf", "");
	assert_true(conf_parse("0.conf", true, NULL));
	assert_non_null(strstr(conf_said, ": include: more than 256 files"));
	assert_null(strchr(conf_said, '\n'));
	/* all that may be, and one more */
	conf_write("8.conf", "x");
	conf_write("t.conf", "include 1.conf");
	assert_true(conf_parse("t.conf", true, NULL));
	assert_int_equal(count_words("8.conf:1 : x\n"), 128);
	assert_string_equal(conf_said, "");
	conf_write("t.conf", "include 1.conf\ninclude 8.conf\n"
			     "include 8.conf\na");
	assert_true(conf_parse("t.conf", true, NULL));
	assert_int_equal(count_words("8.conf:1 : x\n"), 128);
	assert_int_equal(count_words("4 : a\n"), 1);
	assert_string_equal(
	    conf_said, "t.conf:2: include: more than 256 files");
}

/* Reading leaves no descriptor open, whatever is wrong. */
static void
test_descriptors(void **state)
{
	struct rlimit old, few;
	unsigned i;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 32;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	conf_write("t.conf", "include sub\ninclude s.conf\ninclude u.conf\n"
			     "include t.conf\n");
	conf_write("s.conf", "");
	assert_int_equal(chmod("s.conf", 0666), 0);
	conf_write("u.conf", "upstream {");
	for (i = 0; i < 100; i++) {
		assert_true(conf_parse("t.conf", true, NULL));
		conf_expect("again", "",
		    "t.conf:1: include \"sub\": not a regular file\n"
		    "t.conf:2: include \"s.conf\": writable by group or "
		    "others (mode 0666)\n"
		    "u.conf:1: syntax error near the end of the file\n"
		    "t.conf:4: t.conf: includes itself");
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_include_refused),
		cmocka_unit_test(test_exposed),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests_name(
	    "files", tests, conf_setup, conf_teardown);
}
