#ifndef CONNECTOR_REQUESTS_H
#define CONNECTOR_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The requests that the orchestrator still waits for: our number, under
 * which proxyd knows each, and its request_id.
 */

/* More at once than any orchestrator has reason to send. */
#define REQUESTS_MAX 4096

struct requests;

struct requests *requests_new(void);
void requests_free(struct requests *);

/*
 * Remember a request under a new number, or under one that a former
 * connector gave it.  The request_id, len bytes, is copied.  requests_add()
 * returns 0 when there are too many or no memory, requests_adopt() -1.
 */
uint64_t requests_add(struct requests *, const char *request_id, size_t len);
int requests_adopt(
    struct requests *, uint64_t number, const char *request_id, size_t len);

/*
 * When an answer is due, by the monotonic clock in milliseconds; never, at
 * first.
 */
void requests_set_due(struct requests *, uint64_t number, int64_t due_ms);

/*
 * The number of one that a former connector had under that request_id, or 0;
 * and whether there is another one.
 */
uint64_t requests_find_adopted(
    const struct requests *, const char *request_id, size_t);
bool requests_has_own_id(
    const struct requests *, const char *request_id, size_t);

/*
 * The request_id of one that is still waited for, or NULL; its length in
 * *len unless that is NULL.  Valid until the request is removed.
 */
const char *requests_get(const struct requests *, uint64_t number, size_t *len);

/* Forget one; unknown numbers are ignored. */
void requests_remove(struct requests *, uint64_t number);

/* Forget all, calling each() before, which may be NULL. */
typedef void (*requests_each)(
    void *arg, uint64_t number, const char *request_id, size_t len);
void requests_clear(struct requests *, requests_each each, void *arg);

/* The same with those alone whose answer is due then or sooner. */
void requests_clear_due(
    struct requests *, int64_t now_ms, requests_each each, void *arg);

/* All again, but each() only once for each request_id that there is. */
void requests_clear_ids(struct requests *, requests_each each, void *arg);

/* Whether one of that request_id is waited for. */
bool requests_has_id(const struct requests *, const char *request_id, size_t);

/* It has its first answer and goes on; unknown numbers are ignored. */
void requests_set_lasting(struct requests *, uint64_t number);

/* All of them, and those that are lasting. */
size_t requests_count(const struct requests *);
size_t requests_count_lasting(const struct requests *);

/* Those whose answer is due then or sooner. */
size_t requests_count_due(const struct requests *, int64_t now_ms);

/* The next new number, and whether one with a smaller number is waited for. */
uint64_t requests_next(const struct requests *);
bool requests_has_before(const struct requests *, uint64_t number);

#endif
