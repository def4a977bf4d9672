#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "connector/requests.h"

struct request {
	RB_ENTRY(request) entry;
	RB_ENTRY(request) id_entry;
	uint64_t number;
	int64_t due_ms;
	bool adopted;
	bool lasting;
	size_t len;
	const char *request_id; /* what follows */
	char text[];
};

RB_HEAD(request_tree, request);
RB_HEAD(id_tree, request);

struct requests {
	struct request_tree tree; /* by number */
	struct id_tree ids; /* by request_id, adopted ones first, by number */
	size_t count;
	size_t lasting;
	uint64_t next;
};

static int request_compare(const struct request *, const struct request *);
RB_PROTOTYPE(request_tree, request, entry, request_compare)
RB_GENERATE(request_tree, request, entry, request_compare)

static int id_compare(const struct request *, const struct request *);
RB_PROTOTYPE(id_tree, request, id_entry, id_compare)
RB_GENERATE(id_tree, request, id_entry, id_compare)

static int
request_compare(const struct request *a, const struct request *b)
{
	return a->number < b->number ? -1 : a->number > b->number;
}

static bool
is_same_id(const struct request *r, const char *request_id, size_t len)
{
	return r->len == len && memcmp(r->request_id, request_id, len) == 0;
}

static int
id_compare(const struct request *a, const struct request *b)
{
	int order;

	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	order = memcmp(a->request_id, b->request_id, a->len);
	if (order != 0)
		return order;
	if (a->adopted != b->adopted)
		return a->adopted ? -1 : 1;
	return request_compare(a, b);
}

struct requests *
requests_new(void)
{
	struct requests *r = calloc(1, sizeof(*r));

	if (r == NULL)
		fatal("requests");
	RB_INIT(&r->tree);
	RB_INIT(&r->ids);
	/* Far from the numbers of a former connector, which proxyd may
	 * still use, and never 0. */
	r->next = ((uint64_t)arc4random() << 32) + 1;
	return r;
}

void
requests_free(struct requests *r)
{
	requests_clear(r, NULL, NULL);
	free(r);
}

static int
put(struct requests *r, uint64_t number, bool adopted, const char *request_id,
    size_t len)
{
	struct request *request;

	if (r->count >= REQUESTS_MAX)
		return -1;
	request = malloc(sizeof(*request) + len);
	if (request == NULL)
		return -1;
	request->number = number;
	request->due_ms = INT64_MAX;
	request->adopted = adopted;
	request->lasting = false;
	request->len = len;
	request->request_id = request->text;
	memcpy(request->text, request_id, len);
	if (RB_INSERT(request_tree, &r->tree, request) != NULL) {
		free(request);
		return -1;
	}
	RB_INSERT(id_tree, &r->ids, request);
	r->count++;
	return 0;
}

int
requests_adopt(
    struct requests *r, uint64_t number, const char *request_id, size_t len)
{
	return put(r, number, true, request_id, len);
}

static struct request *
requests_find(const struct requests *r, uint64_t number)
{
	struct request key = { .number = number };
	struct request_tree tree = r->tree; /* RB_FIND knows no const */

	return RB_FIND(request_tree, &tree, &key);
}

uint64_t
requests_add(struct requests *r, const char *request_id, size_t len)
{
	/* proxyd, in other hands, could adopt the numbers that come next. */
	while (requests_find(r, r->next) != NULL)
		r->next++;
	if (put(r, r->next, false, request_id, len) == -1)
		return 0;
	return r->next++;
}

const char *
requests_get(const struct requests *r, uint64_t number, size_t *len)
{
	const struct request *request = requests_find(r, number);

	if (request == NULL)
		return NULL;
	if (len != NULL)
		*len = request->len;
	return request->request_id;
}

static void
request_drop(struct requests *r, struct request *request)
{
	RB_REMOVE(request_tree, &r->tree, request);
	RB_REMOVE(id_tree, &r->ids, request);
	r->count--;
	if (request->lasting)
		r->lasting--;
	free(request);
}

void
requests_remove(struct requests *r, uint64_t number)
{
	struct request *request = requests_find(r, number);

	if (request != NULL)
		request_drop(r, request);
}

void
requests_clear(struct requests *r, requests_each each, void *arg)
{
	struct request *request;

	while ((request = RB_MIN(request_tree, &r->tree)) != NULL) {
		if (each != NULL)
			each(arg, request->number, request->request_id,
			    request->len);
		request_drop(r, request);
	}
}

void
requests_set_due(struct requests *r, uint64_t number, int64_t due_ms)
{
	struct request *request = requests_find(r, number);

	if (request != NULL)
		request->due_ms = due_ms;
}

void
requests_clear_due(
    struct requests *r, int64_t now_ms, requests_each each, void *arg)
{
	struct request *request, *next;

	for (request = RB_MIN(request_tree, &r->tree); request != NULL;
	     request = next) {
		next = RB_NEXT(request_tree, &r->tree, request);
		if (request->due_ms > now_ms)
			continue;
		each(arg, request->number, request->request_id, request->len);
		request_drop(r, request);
	}
}

static const struct request *
first_of_id(const struct requests *r, const char *request_id, size_t len)
{
	struct request key = {
		.request_id = request_id, .len = len, .adopted = true
	};
	struct id_tree ids = r->ids; /* RB_NFIND knows no const */
	const struct request *found = RB_NFIND(id_tree, &ids, &key);

	return found != NULL && is_same_id(found, request_id, len) ? found
								   : NULL;
}

static const struct request *
next_of_id(const struct request *request)
{
	const struct request *next =
	    RB_NEXT(id_tree, NULL, (struct request *)(uintptr_t)request);

	return next != NULL &&
		       is_same_id(next, request->request_id, request->len)
		   ? next
		   : NULL;
}

bool
requests_has_id(const struct requests *r, const char *request_id, size_t len)
{
	return first_of_id(r, request_id, len) != NULL;
}

uint64_t
requests_find_adopted(
    const struct requests *r, const char *request_id, size_t len)
{
	const struct request *first = first_of_id(r, request_id, len);

	return first != NULL && first->adopted ? first->number : 0;
}

bool
requests_has_own_id(
    const struct requests *r, const char *request_id, size_t len)
{
	const struct request *request = first_of_id(r, request_id, len);

	while (request != NULL && request->adopted)
		request = next_of_id(request);
	return request != NULL;
}

void
requests_clear_ids(struct requests *r, requests_each each, void *arg)
{
	struct request *request, *next;

	while ((request = RB_MIN(request_tree, &r->tree)) != NULL) {
		each(arg, request->number, request->request_id, request->len);
		while ((next = RB_NEXT(id_tree, &r->ids, request)) != NULL &&
		       is_same_id(next, request->request_id, request->len))
			request_drop(r, next);
		request_drop(r, request);
	}
}

void
requests_set_lasting(struct requests *r, uint64_t number)
{
	struct request *request = requests_find(r, number);

	if (request == NULL || request->lasting)
		return;
	request->lasting = true;
	r->lasting++;
}

size_t
requests_count(const struct requests *r)
{
	return r->count;
}

size_t
requests_count_lasting(const struct requests *r)
{
	return r->lasting;
}

size_t
requests_count_due(const struct requests *r, int64_t now_ms)
{
	struct request_tree tree = r->tree; /* RB_MIN knows no const */
	struct request *request;
	size_t n = 0;

	RB_FOREACH (request, request_tree, &tree)
		n += request->due_ms <= now_ms;
	return n;
}

uint64_t
requests_next(const struct requests *r)
{
	return r->next;
}

bool
requests_has_before(const struct requests *r, uint64_t number)
{
	struct request_tree tree = r->tree; /* RB_MIN knows no const */
	const struct request *oldest = RB_MIN(request_tree, &tree);

	return oldest != NULL && oldest->number < number;
}
