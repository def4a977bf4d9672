#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/sandbox.h"

/*
 * What a process may still do, all else that Landlock knows is refused with
 * EACCES.  (What a ruleset does not handle stays allowed: so all of it is
 * handled, as far as the kernel can.)
 */
struct landlock_rules {
	const struct sandbox_path *paths; /* those that are not there: none */
	size_t npaths;
	const uint16_t *connect; /* TCP ports, with any address */
	size_t nconnect;
	bool any_connect; /* TCP to any port */
	bool any_file;	  /* whatever may be executed */
	bool signals;	  /* to processes of other programs */
};

/* What a ruleset handles, as the kernel takes it. */
struct landlock_handled {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* All that a kernel with that ABI can refuse and the rules do not exempt. */
void landlock_handle(
    const struct landlock_rules *, unsigned abi, struct landlock_handled *);

/* What a kernel with that ABI, which is at least 1, lacks; "" for nothing. */
const char *landlock_lacks(unsigned abi);

/* Fatal if the kernel cannot do what sandbox_lacks() calls indispensable. */
void landlock_confine(const struct landlock_rules *);

#endif
