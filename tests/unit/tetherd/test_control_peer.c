#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "tetherd/control_peer.h"
#include "tetherd/control_proc.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define OWNER 500
#define GROUP 600

static const struct {
	uid_t uid;
	gid_t gid;
	size_t n;
	gid_t groups[3];
	enum control_right right;
} peers[] = {
	{ 0, 0, 0, { 0 }, CONTROL_CHANGE },
	{ 0, GROUP, 1, { GROUP }, CONTROL_CHANGE },
	{ OWNER, 1, 0, { 0 }, CONTROL_CHANGE },
	{ 1, GROUP, 0, { 0 }, CONTROL_LOOK },
	{ 1, 1, 1, { GROUP }, CONTROL_LOOK },
	{ 1, 1, 3, { 2, 3, GROUP }, CONTROL_LOOK },
	{ 1, 1, 2, { 2, 3, GROUP }, CONTROL_NOTHING },
	{ 1, 1, 0, { GROUP }, CONTROL_NOTHING },
	{ 1, 0, 1, { 0 }, CONTROL_NOTHING },
	{ 1, OWNER, 1, { OWNER }, CONTROL_NOTHING },
	{ GROUP, 1, 0, { 0 }, CONTROL_NOTHING },
	{ (uid_t)-1, (gid_t)-1, 0, { 0 }, CONTROL_NOTHING },
};

static void
test_rights(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(peers); i++)
		assert_int_equal(control_peer_right(peers[i].uid, peers[i].gid,
				     peers[i].groups, peers[i].n, OWNER, GROUP),
		    peers[i].right);
}

static void
test_ourselves(void **state)
{
	struct control_peer peer;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	control_peer_get(fds[0], getegid(), &peer);
	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.right, CONTROL_CHANGE);
	close(fds[0]);
	close(fds[1]);
	/* What cannot be asked about may do nothing. */
	control_peer_get(fds[0], getegid(), &peer);
	assert_int_equal(peer.right, CONTROL_NOTHING);
}

#define NAME	"Name:\tVmRSS: 1\nUmask:\t0022\n"
#define UID	"Uid:\t1\t2\t3\t4\n"
#define RSS	"VmHWM:\t     900 kB\nVmRSS:\t     100 kB\n"
#define PRIVS	"NoNewPrivs:\t1\n"
#define SECCOMP "Seccomp:\t2\nSeccomp_filters:\t1\n"
#define CAPS	"CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000aBc\n"

static void
test_proc_text(void **state)
{
	static const char *const unknown[] = { "", "\n",
		NAME UID RSS PRIVS CAPS, NAME UID RSS SECCOMP CAPS,
		NAME UID PRIVS SECCOMP CAPS, NAME RSS PRIVS SECCOMP CAPS,
		NAME UID RSS PRIVS SECCOMP, "Uid:\t1\n" RSS PRIVS SECCOMP CAPS,
		"Uid:" };
	struct control_proc p;
	size_t i;

	(void)state;
	control_proc_parse(NAME UID RSS PRIVS CAPS SECCOMP, &p);
	assert_true(p.known);
	assert_int_equal(p.uid, 2);
	assert_int_equal(p.rss, 102400);
	assert_int_equal(p.seccomp, 2);
	assert_true(p.no_new_privs);
	assert_int_equal(p.capabilities, 0xabc);
	for (i = 0; i < COUNT(unknown); i++) {
		control_proc_parse(unknown[i], &p);
		assert_false(p.known);
	}
}

static void
test_proc(void **state)
{
	struct control_proc p;

	(void)state;
	control_proc_get(getpid(), &p);
	assert_true(p.known);
	assert_int_equal(p.uid, geteuid());
	assert_true(p.rss > 0);
	control_proc_get(0, &p);
	assert_false(p.known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_ourselves),
		cmocka_unit_test(test_proc_text),
		cmocka_unit_test(test_proc),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
