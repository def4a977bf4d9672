#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "sandbox/calls.h"

static const char *
name_of(const struct call *c)
{
	return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, c->number);
}

static bool
is_allowed(const struct calls *const lists[], size_t n, int number)
{
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < lists[i]->n; j++)
			if (lists[i]->list[j].number == number &&
			    lists[i]->list[j].error == 0)
				return true;
	return false;
}

static void
add(scmp_filter_ctx filter, const struct call *c)
{
	const struct scmp_arg_cmp self = IS(0, (scmp_datum_t)getpid());
	uint32_t action =
	    c->error == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((unsigned)c->error);
	int rc = seccomp_rule_add_array(filter, action, c->number,
	    c->self ? 1 : c->nargs, c->self ? &self : c->args);

	/* Two lists may name the same. */
	if (rc != 0 && rc != -EEXIST) {
		errno = -rc;
		fatal("seccomp: %s", name_of(c));
	}
}

void
calls_confine(const struct calls *const lists[], size_t n)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	const struct call *c;
	size_t i, j;
	int rc;

	if (filter == NULL)
		fatalx("seccomp_init failed");
	/* A call of another architecture's is one that is on no list; the
	 * filter is a tree, so that long lists cost little. */
	if (seccomp_attr_set(
		filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0 ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0)
		fatalx("seccomp_attr_set failed");
	for (i = 0; i < n; i++)
		for (j = 0; j < lists[i]->n; j++) {
			c = &lists[i]->list[j];
			if (c->error == 0 || c->nargs > 0 ||
			    !is_allowed(lists, n, c->number))
				add(filter, c);
		}
	rc = seccomp_load(filter);
	if (rc != 0) {
		errno = -rc;
		fatal("seccomp_load");
	}
	seccomp_release(filter);
}
