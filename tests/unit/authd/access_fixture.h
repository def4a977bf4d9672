#ifndef TESTS_UNIT_AUTHD_ACCESS_FIXTURE_H
#define TESTS_UNIT_AUTHD_ACCESS_FIXTURE_H

#include "authd/access.h"
#include "tests/unit/authd/fake_github.h"

/* People who are asked about, before a GitHub that the test answers for. */

#define SELF   "{\"login\":\"octocat\",\"id\":583231}"
#define MEMBER "{\"state\":\"active\",\"user\":" SELF "}"

struct person {
	struct access_wait wait;
	struct access_verdict verdict;
	int told;
	void (*then)(struct person *);
};

static struct event_base *base;
static struct authd_conf conf;
static struct access *people;
static int log_fd;

static inline void
on_done(void *arg, const struct access_verdict *verdict)
{
	struct person *p = arg;

	p->verdict = *verdict;
	p->told++;
	if (p->then != NULL)
		p->then(p);
}

static inline void
turn(void)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static inline bool
by_id(struct person *p, uint64_t id, const char *login)
{
	p->told = 0;
	p->wait.done = on_done;
	p->wait.arg = p;
	return access_by_identity(people, id, login, &p->verdict, &p->wait);
}

static inline bool
by_token(struct person *p, const char *token)
{
	p->told = 0;
	p->wait.done = on_done;
	p->wait.arg = p;
	return access_by_token(people, token, &p->verdict, &p->wait);
}

static inline bool
octocat(struct person *p)
{
	return by_id(p, 583231, "octocat");
}

static inline int
set_up(void **state)
{
	int sockets[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == -1)
		return -1;
	log_fd = sockets[0];
	log_to_socket(sockets[1]);
	base = event_base_new();
	make_people_conf(&conf);
	set_conf(&conf.teams[SESSION_ROLE_FULL], "acme/staff");
	conf.failures_rate = 600;
	people = access_new(base, &conf, NULL);
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	access_free(people);
	fake_log[0] = '\0';
	free_people_conf(&conf);
	event_base_free(base);
	log_to_stderr("test");
	(void)close(log_fd);
	return fake_open == 0 ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
