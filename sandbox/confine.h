#ifndef SANDBOX_CONFINE_H
#define SANDBOX_CONFINE_H

#include "common/confinement.h"
#include "sandbox/calls.h"
#include "sandbox/landlock.h"

/*
 * The last step of each process: Landlock, then seccomp, unless there is to be
 * no sandbox.  A build with sanitizers, which need more than any program, says
 * so and goes on without.
 */
void confine(const struct confinement *, const struct landlock_rules *,
    const struct calls *const lists[], size_t nlists);

#define CONFINE(c, rules, ...)                                              \
	confine((c), (rules), (const struct calls *const[]){ __VA_ARGS__ }, \
	    sizeof((const struct calls *const[]){ __VA_ARGS__ }) /          \
		sizeof(const struct calls *))

#endif
