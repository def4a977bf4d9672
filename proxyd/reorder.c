#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "proxyd/reorder.h"

struct piece *
piece_new(uint64_t number, const char *request_id)
{
	size_t size = strlen(request_id) + 1;
	struct piece *p = calloc(1, sizeof(*p) + size);

	if (p == NULL)
		fatal("piece");
	p->number = number;
	memcpy(p->request_id, request_id, size);
	return p;
}

void
piece_free(struct piece *p)
{
	free(p->data);
	free(p);
}

void
reorder_init(struct reorder *r)
{
	r->next = 0;
	TAILQ_INIT(&r->held);
	r->bytes = r->count = 0;
}

static void
forget(struct reorder *r, struct piece *p)
{
	TAILQ_REMOVE(&r->held, p, entry);
	r->bytes -= p->len;
	r->count--;
}

void
reorder_clear(struct reorder *r)
{
	struct piece *p;

	while ((p = TAILQ_FIRST(&r->held)) != NULL) {
		forget(r, p);
		piece_free(p);
	}
}

enum reorder_result
reorder_put(struct reorder *r, struct piece *p)
{
	struct piece *before = TAILQ_LAST(&r->held, piece_list);

	if (p->n < r->next)
		return REORDER_DUPLICATE;
	while (before != NULL && before->n > p->n)
		before = TAILQ_PREV(before, piece_list, entry);
	if (before != NULL && before->n == p->n)
		return REORDER_DUPLICATE;
	/* The one that everything waits for is always welcome. */
	if (p->n != r->next && (r->bytes + p->len > REORDER_BYTES_MAX ||
				   r->count >= REORDER_COUNT_MAX))
		return REORDER_TOO_FAR;
	if (before == NULL)
		TAILQ_INSERT_HEAD(&r->held, p, entry);
	else
		TAILQ_INSERT_AFTER(&r->held, before, p, entry);
	r->bytes += p->len;
	r->count++;
	return REORDER_TAKEN;
}

struct piece *
reorder_take(struct reorder *r)
{
	struct piece *p = TAILQ_FIRST(&r->held);

	if (p == NULL || p->n != r->next)
		return NULL;
	forget(r, p);
	r->next++;
	return p;
}
