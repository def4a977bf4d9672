/*
 * Who runs as whom.  Whether we are root, which users there are and whose a
 * file is, is played: so anybody can run this.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "sandbox/privileges.h"
#include "tetherd/conf.h"
#include "tetherd/privileges.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOBODY	 65534

static uid_t we;
static unsigned asked;

/* In /etc/passwd; no name is the end. */
static struct passwd users[3];

/* Whose things are, by the end of their path. */
static struct {
	const char *end;
	uint32_t uid, gid;
} owners[8];

static char dir[] = "/tmp/privileges.XXXXXX";
static int log_end;

uid_t
geteuid(void)
{
	return we;
}

/* In place of what the kernel says. */
bool
privileges_are_there(void)
{
	return we == 0;
}

struct passwd *
getpwnam(const char *name)
{
	size_t i;

	asked++;
	for (i = 0; i < COUNT(users); i++)
		if (users[i].pw_name != NULL &&
		    strcmp(users[i].pw_name, name) == 0)
			return &users[i];
	return NULL;
}

int
stat(const char *path, struct stat *st)
{
	size_t i, len = strlen(path), n;

	if (fstatat(AT_FDCWD, path, st, 0) == -1)
		return -1;
	st->st_uid = st->st_gid = 7;
	for (i = 0; i < COUNT(owners) && owners[i].end != NULL; i++) {
		n = strlen(owners[i].end);
		if (len >= n && strcmp(path + len - n, owners[i].end) == 0) {
			st->st_uid = owners[i].uid;
			st->st_gid = owners[i].gid;
		}
	}
	return 0;
}

static char *
in_dir(const char *name)
{
	static char path[2][256];
	static int i;

	i = !i;
	(void)snprintf(path[i], sizeof(path[i]), "%s%s", dir, name);
	return path[i];
}

static void
own(size_t i, const char *end, uint32_t uid, uint32_t gid)
{
	owners[i].end = end;
	owners[i].uid = uid;
	owners[i].gid = gid;
}

/* All that was logged since the last time. */
static const char *
logged(void)
{
	static char lines[4096];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(log_end, lines + len, sizeof(lines) - 1 - len,
		    MSG_DONTWAIT)) > 0)
		len += (size_t)n;
	lines[len] = '\0';
	return lines;
}

static int
setup(void **state)
{
	(void)state;
	we = 0;
	asked = 0;
	memset(users, 0, sizeof(users));
	memset(owners, 0, sizeof(owners));
	(void)logged();
	return 0;
}

static struct conf
conf_with(char *database, char *upstream)
{
	struct conf conf;

	memset(&conf, 0, sizeof(conf));
	conf.parent.sandbox = true;
	conf.authd.database_path = database;
	conf.proxyd.upstream_host = upstream;
	return conf;
}

static void
assert_user(const struct confinement *c, uint32_t uid, uint32_t gid)
{
	assert_true(c->drop);
	assert_true(c->sandbox);
	assert_int_equal(c->uid, uid);
	assert_int_equal(c->gid, gid);
}

static char host[] = "127.0.0.1";

static void
test_users(void **state)
{
	static char connector[] = "_tetherconn", proxyd[] = "_tetherproxy";
	static const struct {
		uint32_t uid, gid, gets_uid, gets_gid;
		const char *wrong;
	} table[] = {
		{ 4001, 4101, 4001, 4101, NULL },
		{ 0, 4101, NOBODY, NOBODY, "is root, or of root's group" },
		{ 4001, 0, NOBODY, NOBODY, "is root, or of root's group" },
	};
	struct conf conf = conf_with(in_dir("/auth.db"), host);
	char line[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		users[0] = (struct passwd){ .pw_name = connector,
			.pw_uid = table[i].uid,
			.pw_gid = table[i].gid };
		users[1] = (struct passwd){
			.pw_name = proxyd, .pw_uid = 4002, .pw_gid = 4102
		};
		asked = 0;
		privileges_find();
		assert_int_equal(asked, 2);
		/* Later there is nobody to be asked. */
		memset(users, 0, sizeof(users));
		privileges_assign(&conf);
		privileges_assign(&conf);
		assert_int_equal(asked, 2);
		assert_user(&conf.connector.confinement, table[i].gets_uid,
		    table[i].gets_gid);
		assert_user(&conf.dialer.confinement, table[i].gets_uid,
		    table[i].gets_gid);
		assert_user(&conf.github_dialer.confinement, table[i].gets_uid,
		    table[i].gets_gid);
		assert_user(&conf.proxyd.confinement, 4002, 4102);
		assert_user(&conf.launcher.confinement, 0, 0);
		privileges_log(&conf);
		(void)snprintf(line, sizeof(line),
		    "user _tetherconn %s: its processes run as uid 65534",
		    table[i].wrong == NULL ? "" : table[i].wrong);
		assert_int_equal(
		    strstr(logged(), line) != NULL, table[i].wrong != NULL);
	}
}

static void
test_no_users(void **state)
{
	struct conf conf = conf_with(in_dir("/auth.db"), host);
	const char *lines;

	(void)state;
	privileges_find();
	privileges_assign(&conf);
	assert_user(&conf.connector.confinement, NOBODY, NOBODY);
	assert_user(&conf.proxyd.confinement, NOBODY, NOBODY);
	privileges_log(&conf);
	lines = logged();
	assert_non_null(strstr(lines, "user _tetherconn does not exist"));
	assert_non_null(strstr(lines, "user _tetherproxy does not exist"));
	assert_null(strstr(lines, "runs as root"));
}

/* Root alone can have them differ. */
static void
test_not_root(void **state)
{
	struct conf conf = conf_with(in_dir("/auth.db"), host);
	const char *lines;

	(void)state;
	we = 1000;
	own(0, "/auth.db", 1234, 1234);
	privileges_find();
	assert_int_equal(asked, 0);
	privileges_assign(&conf);
	assert_false(conf.authd.confinement.drop);
	assert_false(conf.connector.confinement.drop);
	assert_true(conf.authd.confinement.sandbox);
	conf.parent.sandbox = false;
	privileges_assign(&conf);
	assert_false(conf.authd.confinement.sandbox);
	assert_int_equal(privileges_root(), -1);
	privileges_log(&conf);
	lines = logged();
	assert_non_null(strstr(lines, "no chroot and no change of uid"));
	assert_null(strstr(lines, "does not exist"));
}

static void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	close(fd);
}

static void
test_database(void **state)
{
	static const struct {
		const char *path;
		uint32_t uid;
	} table[] = {
		{ "/app/auth.db", 1001 },
		{ "/app/none.db", 1002 },
		{ "/app/none/none/none.db", 1002 },
		/* Where it leads to is what counts. */
		{ "/link.db", 1001 },
		{ "/loose.db", 1002 },
		{ "/far.db", 1002 },
		{ "/none.db", 1003 },
		/* It leads to itself. */
		{ "/loop.db", 1003 },
	};
	struct conf conf;
	char line[256];
	const char *lines;
	size_t i;

	(void)state;
	privileges_find();
	own(0, dir, 1003, 2003);
	own(1, "/app", 1002, 2002);
	own(2, "/auth.db", 1001, 2001);
	own(3, "/link.db", 1001, 2001);
	for (i = 0; i < COUNT(table); i++) {
		conf = conf_with(in_dir(table[i].path), host);
		privileges_assign(&conf);
		if (conf.authd.confinement.uid != table[i].uid)
			fail_msg("%s: %u", table[i].path,
			    conf.authd.confinement.uid);
		assert_user(
		    &conf.authd.confinement, table[i].uid, table[i].uid + 1000);
		(void)logged();
		privileges_log_authd(&conf);
		lines = logged();
		(void)snprintf(line, sizeof(line),
		    "authd runs as uid %u, which %s%s belongs to", table[i].uid,
		    dir, table[i].path);
		assert_non_null(strstr(lines, line));
	}
	own(2, "/auth.db", 0, 0);
	conf = conf_with(in_dir("/app/auth.db"), host);
	privileges_assign(&conf);
	privileges_log(&conf);
	assert_non_null(strstr(logged(), "authd runs as root, which "));
}

/* One that cannot be found at all is nobody's reason to crash. */
static void
test_strange_paths(void **state)
{
	static char paths[][16] = { "", "x", "no/such/file", "/", "/no", "//",
		"../.." };
	struct conf conf;
	size_t i;

	(void)state;
	privileges_find();
	for (i = 0; i < COUNT(paths); i++) {
		conf = conf_with(paths[i], host);
		privileges_assign(&conf);
		assert_user(&conf.authd.confinement, 7, 7);
	}
}

static void
test_socket(void **state)
{
	static const struct {
		const char *path;
		uint32_t uid; /* and gid */
		mode_t mode;  /* of the outer folder */
	} table[] = {
		{ "/app/web.sock", 1001, 0700 },
		{ "/app/none.sock", 1002, 0700 },
		/* A folder of root's says nothing, a socket does. */
		{ "/none.sock", NOBODY, 0711 },
		{ "/root.sock", 0, 0711 },
		/* But nobody else may enter this one. */
		{ "/none.sock", 0, 0710 },
	};
	char address[256];
	struct conf conf;
	size_t i;

	(void)state;
	privileges_find();
	own(0, dir, 0, 0);
	own(1, "/app", 1002, 1002);
	own(2, "/web.sock", 1001, 1001);
	own(3, "/root.sock", 0, 0);
	for (i = 0; i < COUNT(table); i++) {
		assert_int_equal(chmod(dir, table[i].mode), 0);
		(void)snprintf(
		    address, sizeof(address), "unix:%s", in_dir(table[i].path));
		conf = conf_with(in_dir("/app/auth.db"), address);
		privileges_assign(&conf);
		assert_user(
		    &conf.proxyd.confinement, table[i].uid, table[i].uid);
	}
	(void)logged();
	privileges_log(&conf);
	assert_non_null(strstr(logged(), "proxyd runs as root, which unix:"));
}

static int
group_setup(void **state)
{
	int sockets[2];

	(void)state;
	if (mkdtemp(dir) == NULL ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == -1 ||
	    mkdir(in_dir("/app"), 0700) == -1)
		return -1;
	make_file(in_dir("/app/auth.db"));
	make_file(in_dir("/app/web.sock"));
	make_file(in_dir("/root.sock"));
	if (symlink("app/auth.db", in_dir("/link.db")) == -1 ||
	    symlink("app/none.db", in_dir("/loose.db")) == -1 ||
	    symlink(in_dir("/app/none/none.db"), in_dir("/far.db")) == -1 ||
	    symlink("loop.db", in_dir("/loop.db")) == -1)
		return -1;
	log_end = sockets[0];
	log_to_socket(sockets[1]);
	return 0;
}

static int
group_teardown(void **state)
{
	static const char *const files[] = { "/app/auth.db", "/app/web.sock",
		"/root.sock", "/link.db", "/loose.db", "/far.db", "/loop.db" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(files); i++)
		(void)unlink(in_dir(files[i]));
	return rmdir(in_dir("/app")) == -1 || rmdir(dir) == -1 ? -1 : 0;
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_users),
		TEST(test_no_users),
		TEST(test_not_root),
		TEST(test_database),
		TEST(test_strange_paths),
		TEST(test_socket),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
