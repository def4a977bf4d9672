#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/log.h"
#include "tetherd/conf.h"
#include "tetherd/dial.h"
#include "tetherd/draft.h"
#include "tetherd/process.h"

static unsigned spawned;
static char events[256];

/* In place of a process: none can be had. */
pid_t
process_spawn(enum program program, struct process_sockets *ours)
{
	(void)ours;
	assert_int_equal(program, PROGRAM_DIALER);
	spawned++;
	return -1;
}

void
process_kill(int pidfd)
{
	(void)pidfd;
	fail();
}

const char *
process_describe_death(
    enum program program, pid_t pid, int status, char *buf, size_t size)
{
	(void)program;
	(void)pid;
	(void)status;
	(void)strlcpy(buf, "died", size);
	return buf;
}

static void
on_done(void *arg, uint64_t id, int fd, const char *text)
{
	size_t len = strlen(events);

	(void)arg;
	assert_int_equal(fd, -1);
	(void)snprintf(
	    events + len, sizeof(events) - len, "%" PRIu64 " %s; ", id, text);
}

/* One that asks all the time gets few processes, and the last one's answer. */
static void
test_flood(void **state)
{
	struct event_base *base = event_base_new();
	struct dial *d = dial_new(base, on_done, NULL);
	struct draft draft;
	struct conf *conf;
	uint64_t id;

	(void)state;
	draft_start(&draft);
	conf = draft_take(&draft);
	for (id = 1; id <= 1000; id++)
		dial_start(d, &conf->dialer, id);
	conf_free(conf);
	assert_in_range(spawned, 1, 100);
	event_base_dispatch(base);
	assert_non_null(strstr(events, "1 no dialer; "));
	assert_non_null(strstr(events, "1000 no dialer; "));

	/* Given up, or gone, before its turn came. */
	spawned = 0;
	draft_start(&draft);
	conf = draft_take(&draft);
	dial_start(d, &conf->github_dialer, 1);
	dial_give_up(d);
	event_base_dispatch(base);
	assert_int_equal(spawned, 0);
	dial_start(d, &conf->github_dialer, 2);
	conf_free(conf);
	dial_free(d);
	event_base_dispatch(base);
	assert_int_equal(spawned, 0);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
