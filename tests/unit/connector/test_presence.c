#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/activity.h"
#include "common/log.h"
#include "connector/connector.h"
#include "connector/outgoing.h"
#include "connector/presence.h"
#include "tests/unit/connector/fake_clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct connector connector;
static int64_t began;
static char told[4096]; /* "milliseconds:status " */

void
outgoing_status_update(struct connector *c, const char *status)
{
	size_t len = strlen(told);

	assert_ptr_equal(c, &connector);
	(void)snprintf(told + len, sizeof(told) - len, "%lld:%s ",
	    (long long)(now_ms - began), status);
}

/* What proxyd says. */
static int
say(const void *payload, size_t len)
{
	struct msg m = { .type = MSG_ACTIVITY, .data = payload, .len = len };

	return presence_on_activity(connector.presence, &m);
}

static void
is_now(uint32_t status)
{
	assert_int_equal(say(&status, sizeof(status)), 0);
}

/* Until that many milliseconds since the start have passed. */
static void
pass(int64_t until)
{
	struct timeval after;
	int64_t ms = until - (now_ms - began);

	if (ms <= 0)
		return;
	after.tv_sec = ms / 1000;
	after.tv_usec = ms % 1000 * 1000;
	event_base_loopexit(connector.child.base, &after);
	event_base_dispatch(connector.child.base);
	assert_int_equal(now_ms - began, until);
}

enum action { END, IS, REGISTER, UP, DOWN, REFRESH };

static const struct {
	const char *what;
	struct {
		int64_t at;
		enum action action;
		enum activity_status status; /* of IS, and in REGISTER */
	} steps[12];
	const char *told;
} cases[] = {
	{ "nothing to say", { { 0, REGISTER, 0 }, { 1, UP, 0 } }, "" },
	{ "known before", { { 0, IS, 2 }, { 5, REGISTER, 2 }, { 6, UP, 0 } },
	    "" },
	{ "news while registering",
	    { { 0, REGISTER, 0 }, { 1, IS, 1 }, { 9, UP, 0 } }, "9:active " },
	{ "news and back while registering",
	    { { 0, REGISTER, 0 }, { 1, IS, 1 }, { 2, IS, 0 }, { 9, UP, 0 } },
	    "" },
	{ "at once", { { 0, REGISTER, 0 }, { 1, UP, 0 }, { 50, IS, 1 } },
	    "50:active " },
	{ "changes only",
	    { { 0, UP, 0 }, { 50, IS, 1 }, { 300, IS, 1 }, { 600, IS, 0 } },
	    "50:active 600:idle " },
	{ "too early",
	    { { 0, UP, 0 }, { 50, IS, 1 }, { 60, IS, 2 }, { 249, IS, 2 } },
	    "50:active 250:busy " },
	{ "not too early", { { 0, UP, 0 }, { 50, IS, 1 }, { 250, IS, 2 } },
	    "50:active 250:busy " },
	{ "the last one of many",
	    { { 0, UP, 0 }, { 50, IS, 1 }, { 60, IS, 2 }, { 70, IS, 1 },
		{ 80, IS, 0 } },
	    "50:active 250:idle " },
	{ "as it was",
	    { { 0, UP, 0 }, { 50, IS, 1 }, { 60, IS, 2 }, { 70, IS, 1 },
		{ 260, IS, 2 } },
	    "50:active 260:busy " },
	{ "one after the other",
	    { { 0, UP, 0 }, { 0, IS, 1 }, { 10, IS, 2 }, { 210, IS, 0 },
		{ 399, IS, 1 }, { 401, IS, 2 } },
	    "0:active 200:busy 400:active 600:busy " },
	{ "asked", { { 0, UP, 0 }, { 7, REFRESH, 0 }, { 8, REFRESH, 0 } },
	    "7:idle 207:idle " },
	{ "asked often",
	    { { 0, UP, 0 }, { 7, REFRESH, 0 }, { 8, REFRESH, 0 },
		{ 9, REFRESH, 0 }, { 10, IS, 1 }, { 206, REFRESH, 0 },
		{ 300, REFRESH, 0 }, { 600, REFRESH, 0 } },
	    "7:idle 207:active 300:active 600:active " },
	{ "asked early",
	    { { 0, UP, 0 }, { 50, IS, 1 }, { 60, IS, 2 }, { 70, REFRESH, 0 } },
	    "50:active 70:busy " },
	{ "soon after it was asked",
	    { { 0, UP, 0 }, { 50, IS, 1 }, { 60, REFRESH, 0 }, { 70, IS, 2 } },
	    "50:active 60:active 260:busy " },
	{ "asked too early",
	    { { 0, REGISTER, 0 }, { 1, REFRESH, 0 }, { 2, REFRESH, 0 },
		{ 9, UP, 0 } },
	    "9:idle " },
	{ "asked before we said it",
	    { { 0, REFRESH, 0 }, { 1, REGISTER, 0 }, { 9, UP, 0 } }, "" },
	{ "asked once",
	    { { 0, UP, 0 }, { 1, REFRESH, 0 }, { 2, DOWN, 0 },
		{ 3, REGISTER, 0 }, { 4, UP, 0 } },
	    "1:idle " },
	{ "nobody to tell", { { 0, IS, 1 }, { 300, IS, 2 }, { 600, IS, 1 } },
	    "" },
	{ "lost",
	    { { 0, UP, 0 }, { 50, IS, 1 }, { 60, IS, 2 }, { 70, DOWN, 0 },
		{ 400, IS, 0 } },
	    "50:active " },
	{ "back, and it is the same",
	    { { 0, UP, 0 }, { 50, IS, 1 }, { 70, DOWN, 0 }, { 80, REGISTER, 1 },
		{ 90, UP, 0 } },
	    "50:active " },
	{ "back, with news at once",
	    { { 0, UP, 0 }, { 50, IS, 1 }, { 60, IS, 2 }, { 70, DOWN, 0 },
		{ 80, REGISTER, 2 }, { 85, IS, 0 }, { 90, UP, 0 },
		{ 95, IS, 1 } },
	    "50:active 90:idle 290:active " },
	{ "asked, and lost before the next",
	    { { 0, REGISTER, 0 }, { 1, REFRESH, 0 }, { 2, REGISTER, 0 },
		{ 3, UP, 0 } },
	    "" },
};

static void
setup_case(void)
{
	told[0] = '\0';
	connector.child.base = event_base_new();
	assert_non_null(connector.child.base);
	connector.presence = presence_new(&connector);
	began = now_ms;
}

static void
end_case(void)
{
	presence_free(connector.presence);
	event_base_free(connector.child.base);
}

static void
test_cases(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		setup_case();
		for (k = 0; cases[i].steps[k].action != END; k++) {
			pass(cases[i].steps[k].at);
			switch (cases[i].steps[k].action) {
			case END:
				break;
			case IS:
				is_now(cases[i].steps[k].status);
				break;
			case REGISTER:
				assert_string_equal(
				    presence_register(connector.presence),
				    activity_name(cases[i].steps[k].status));
				break;
			case UP:
				presence_on_up(connector.presence);
				break;
			case DOWN:
				presence_on_down(connector.presence);
				break;
			case REFRESH:
				presence_refresh(connector.presence);
				break;
			}
		}
		pass(2000);
		if (strcmp(told, cases[i].told) != 0)
			fail_msg("%s: %s", cases[i].what, told);
		end_case();
	}
}

/* Whatever proxyd does: five in a second, and the last one is right. */
static void
test_flood(void **state)
{
	int64_t last = -PRESENCE_INTERVAL_MS, at;
	unsigned n = 0;
	char *line, *rest = told;
	int i;

	(void)state;
	setup_case();
	presence_on_up(connector.presence);
	for (i = 1; i <= 1000; i++) {
		pass(i);
		is_now((uint32_t)i % ACTIVITY_COUNT);
	}
	pass(2000);
	while ((line = strsep(&rest, " ")) != NULL && line[0] != '\0') {
		at = strtoll(line, NULL, 10);
		assert_true(at - last >= PRESENCE_INTERVAL_MS);
		last = at;
		n++;
		if (*rest == '\0')
			assert_string_equal(line, "1001:active");
	}
	assert_int_equal(n, 6);
	end_case();
}

/* Anything else is none of proxyd's. */
static void
test_malformed(void **state)
{
	static const struct {
		uint32_t words[2];
		size_t len;
	} bad[] = {
		{ { 0, 0 }, 0 },
		{ { 1, 0 }, 3 },
		{ { 3, 0 }, 4 },
		{ { UINT32_MAX, 0 }, 4 },
		{ { 1, 0 }, 5 },
		{ { 1, 0 }, 8 },
	};
	size_t i;

	(void)state;
	setup_case();
	presence_on_up(connector.presence);
	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(say(bad[i].words, bad[i].len), -1);
		assert_string_equal(presence_name(connector.presence), "idle");
	}
	assert_string_equal(told, "");
	is_now(ACTIVITY_BUSY);
	assert_string_equal(presence_name(connector.presence), "busy");
	end_case();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_malformed),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
