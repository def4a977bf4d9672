#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/activity.h"
#include "proxyd/chats.h"
#include "proxyd/proxyd.h"
#include "proxyd/runs.h"
#include "proxyd/tunnels.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What there is, and the connector: in front of the real ones. */
static size_t tunnels, chats;
static bool busy, known;
static int told; /* what the connector was, -1 for nothing */

size_t
tunnels_in_use(const struct tunnels *ts)
{
	(void)ts;
	return tunnels;
}

size_t
chats_in_use(const struct chats *c)
{
	(void)c;
	return chats;
}

bool
runs_any(const struct runs *runs)
{
	(void)runs;
	return busy;
}

bool
runs_are_known(const struct runs *runs)
{
	(void)runs;
	return known;
}

bool
child_send(struct child *child, enum program peer, struct msg_out *m)
{
	struct msg in = { .fd = -1, .data = m->data, .len = m->len };
	enum activity_status status;

	(void)child;
	assert_int_equal(peer, PROGRAM_CONNECTOR);
	assert_int_equal(m->type, MSG_ACTIVITY);
	assert_int_equal(activity_read(&in, &status), 0);
	assert_int_equal(told, -1);
	told = (int)status;
	msg_discard(m);
	return true;
}

static void
test_update(void **state)
{
	static const struct {
		size_t tunnels, chats;
		bool busy;
		int told;
	} rows[] = {
		{ 0, 0, false, -1 },
		{ 1, 0, false, ACTIVITY_ACTIVE },
		{ 2, 0, false, -1 },
		{ 0, 1, false, -1 },
		{ 0, 0, true, ACTIVITY_BUSY },
		{ 1, 1, true, -1 },
		{ 0, 1, false, ACTIVITY_ACTIVE },
		{ 1, 0, true, ACTIVITY_BUSY },
		{ 0, 0, false, ACTIVITY_IDLE },
		{ 0, 0, false, -1 },
	};
	struct proxyd p = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		tunnels = rows[i].tunnels;
		chats = rows[i].chats;
		busy = rows[i].busy;
		told = -1;
		activity_update(&p);
		assert_int_equal(told, rows[i].told);
	}
}

static void
test_tell(void **state)
{
	static const struct {
		enum activity_status is;
		bool known;
		int told;
	} rows[] = {
		{ ACTIVITY_IDLE, false, -1 },
		{ ACTIVITY_IDLE, true, ACTIVITY_IDLE },
		{ ACTIVITY_ACTIVE, false, ACTIVITY_ACTIVE },
		{ ACTIVITY_BUSY, false, ACTIVITY_BUSY },
		{ ACTIVITY_BUSY, true, ACTIVITY_BUSY },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct proxyd p = { .activity = rows[i].is };

		known = rows[i].known;
		told = -1;
		activity_tell(&p);
		assert_int_equal(told, rows[i].told);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
