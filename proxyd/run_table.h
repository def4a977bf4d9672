#ifndef PROXYD_RUN_TABLE_H
#define PROXYD_RUN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/runs.h"

/*
 * Runs of the upstream, of which there are few: for runs.c, which knows what
 * to make of them.
 */

struct run {
	char session[RUN_SESSION_SIZE]; /* "" while that is not known */
	const void *owner;		/* NULL for none */
	enum run_app app; /* of whose socket it is known, NONE if of none */
	int64_t since;	  /* or when the app said so last */
	bool confirmed;	  /* by the app */
	bool listed;	  /* in the answer that is being read */
};

/* Zeroed, it is empty. */
struct run_table {
	struct run all[RUNS_MAX]; /* the oldest first */
	size_t count;
};

/* One that is known from now on; NULL if there is no room. */
struct run *run_table_add(struct run_table *, const char *session);

/* The ones behind it move up. */
void run_table_remove(struct run_table *, struct run *);

/* The one of that session; NULL if there is none, as for "". */
struct run *run_table_find(struct run_table *, const char *session);

/* The oldest without a name; of any owner, if that is NULL. */
struct run *run_table_find_nameless(struct run_table *, const void *owner);

/* The one of an owner that has no other, or NULL. */
struct run *run_table_find_only(struct run_table *, const void *owner);

#endif
