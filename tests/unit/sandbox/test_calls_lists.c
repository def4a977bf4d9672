#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox/calls.h"

/* That the lists say nothing twice, and nothing that does not count. */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The lists that make up each process's filter, as sandbox/ puts them. */
static const struct program {
	const char *name;
	const struct calls *lists[12]; /* NULL behind the last */
} programs[] = {
	{ "connector", { &calls_base, &calls_connector } },
	{ "proxyd", { &calls_base, &calls_proxyd, &calls_proxyd_tcp } },
	{ "proxyd with unix:",
	    { &calls_base, &calls_proxyd, &calls_proxyd_unix } },
	{ "authd", { &calls_base, &calls_files, &calls_authd } },
	{ "dialer", { &calls_base, &calls_files, &calls_dialer } },
	{ "tetherd", { &calls_base, &calls_files, &calls_parent } },
	{ "launcher",
	    { &calls_base, &calls_launcher, &calls_start, &calls_files,
		&calls_connector, &calls_proxyd, &calls_proxyd_tcp,
		&calls_proxyd_unix, &calls_authd, &calls_dialer } },
};

static const char *
name_of(const struct call *c)
{
	return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, c->number);
}

static bool
is_same(const struct call *a, const struct call *b)
{
	unsigned i;

	if (a->number != b->number || a->nargs != b->nargs ||
	    a->self != b->self)
		return false;
	for (i = 0; i < a->nargs; i++)
		if (a->args[i].arg != b->args[i].arg ||
		    a->args[i].op != b->args[i].op ||
		    a->args[i].datum_a != b->args[i].datum_a ||
		    a->args[i].datum_b != b->args[i].datum_b)
			return false;
	return true;
}

static bool
is_unconditional(const struct call *c)
{
	return c->nargs == 0 && !c->self;
}

/* Of what is allowed anyway there is nothing more to say. */
static bool
is_in_vain(const struct call *allowed, const struct call *more)
{
	return allowed->number == more->number && allowed->error == 0 &&
	       is_unconditional(allowed) &&
	       (more->error == 0 || !is_unconditional(more));
}

static bool
is_base(const struct program *p, size_t list)
{
	return p->lists[list] == &calls_base;
}

/* Lists of programs may say the same, and the launcher has all of them. */
static void
check_list(const struct program *p, size_t list, const struct call *a)
{
	const struct calls *l;
	const struct call *b;
	size_t other, i;

	for (other = list; (l = p->lists[other]) != NULL; other++)
		for (i = 0; i < l->n; i++) {
			b = &l->list[i];
			if (b == a || (other != list && !is_base(p, list)))
				continue;
			if (is_same(a, b) && a->error == b->error)
				fail_msg("%s: %s twice", p->name, name_of(a));
			if (is_in_vain(a, b) ||
			    (other == list && is_in_vain(b, a)))
				fail_msg("%s: %s, allowed anyway", p->name,
				    name_of(a));
		}
}

/* Nothing twice, and nothing that does not count. */
static void
test_no_line_in_vain(void **state)
{
	size_t p, list, i;

	(void)state;
	for (p = 0; p < COUNT(programs); p++)
		for (list = 0; programs[p].lists[list] != NULL; list++)
			for (i = 0; i < programs[p].lists[list]->n; i++)
				check_list(&programs[p], list,
				    &programs[p].lists[list]->list[i]);
}

/* libseccomp takes them all, also where some calls do not exist. */
static void
build(const struct program *p, uint32_t architecture)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	const struct call *c;
	size_t list, i;

	assert_non_null(filter);
	if (architecture != seccomp_arch_native()) {
		assert_int_equal(seccomp_arch_add(filter, architecture), 0);
		assert_int_equal(
		    seccomp_arch_remove(filter, SCMP_ARCH_NATIVE), 0);
	}
	for (list = 0; p->lists[list] != NULL; list++)
		for (i = 0; i < p->lists[list]->n; i++) {
			c = &p->lists[list]->list[i];
			if (c->error == 0 &&
			    seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
				c->number, c->nargs, c->args) != 0)
				fail_msg("%s: %s", p->name, name_of(c));
		}
	seccomp_release(filter);
}

static void
test_architectures(void **state)
{
	static const uint32_t architectures[] = { SCMP_ARCH_X86_64,
		SCMP_ARCH_AARCH64, SCMP_ARCH_RISCV64, SCMP_ARCH_PPC64LE };
	size_t a, p;

	(void)state;
	for (a = 0; a < COUNT(architectures); a++)
		for (p = 0; p < COUNT(programs); p++)
			build(&programs[p], architectures[a]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_line_in_vain),
		cmocka_unit_test(test_architectures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
