#include <string.h>

#include "common/monotonic.h"
#include "proxyd/run_table.h"

struct run *
run_table_add(struct run_table *table, const char *session)
{
	struct run *r;

	if (table->count == RUNS_MAX)
		return NULL;
	r = &table->all[table->count++];
	memset(r, 0, sizeof(*r));
	(void)strlcpy(r->session, session, sizeof(r->session));
	r->since = monotonic_ms();
	return r;
}

void
run_table_remove(struct run_table *table, struct run *r)
{
	size_t at = (size_t)(r - table->all);

	table->count--;
	memmove(r, r + 1, (table->count - at) * sizeof(*r));
}

struct run *
run_table_find(struct run_table *table, const char *session)
{
	size_t i;

	if (session[0] == '\0')
		return NULL;
	for (i = 0; i < table->count; i++)
		if (strcmp(table->all[i].session, session) == 0)
			return &table->all[i];
	return NULL;
}

struct run *
run_table_find_nameless(struct run_table *table, const void *owner)
{
	struct run *r;
	size_t i;

	for (i = 0; i < table->count; i++) {
		r = &table->all[i];
		if (r->session[0] == '\0' &&
		    (owner == NULL || r->owner == owner))
			return r;
	}
	return NULL;
}

struct run *
run_table_find_only(struct run_table *table, const void *owner)
{
	struct run *found = NULL;
	size_t i;

	for (i = 0; i < table->count; i++) {
		if (table->all[i].owner != owner)
			continue;
		if (found != NULL)
			return NULL;
		found = &table->all[i];
	}
	return found;
}
