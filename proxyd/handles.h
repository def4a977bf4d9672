#ifndef PROXYD_HANDLES_H
#define PROXYD_HANDLES_H

#include <sys/queue.h>

#include <stdint.h>

#include "common/handle.h"

/*
 * Questions to authd about the handles of pages (common/handle.h).
 */

struct handles;
struct proxyd;

/* What authd said. */
struct handle_answer {
	char handle[HANDLE_SIZE]; /* a new one; "" if there is none */
	uint64_t github_id;	  /* whose it is; 0 if nobody's */
	char login[SESSION_LOGIN_MAX];
};

/* One that waits; a member of its owner.  Zeroed when it does not wait. */
struct handle_wait {
	TAILQ_ENTRY(handle_wait) entry;
	struct handle_question *question;
	/* Called once, later; the answer is valid only inside. */
	void (*done)(void *arg, const struct handle_answer *);
	void *arg;
};

/* Fatal when out of memory. */
struct handles *handles_new(struct proxyd *);
void handles_free(struct handles *);

/* Have a handle made for a person. */
void handles_make(struct handles *, uint64_t github_id, const char *login,
    struct handle_wait *);

/* Whose handle is it?  Any string may be asked for. */
void handles_check(struct handles *, const char *handle, struct handle_wait *);

/* Does nothing unless it waits. */
void handles_cancel(struct handle_wait *);

/* Messages of authd; it came (back): ask what it did not answer. */
int handles_on_handle(struct handles *, struct msg *);
int handles_on_owner(struct handles *, struct msg *);
void handles_on_authd(struct handles *);

#endif
