#ifndef PROXYD_RUN_ASK_OLD_H
#define PROXYD_RUN_ASK_OLD_H

#include <stdbool.h>

/*
 * Questions to the old app: a chat socket of our own, which stays open.
 */

struct proxyd;
struct run_ask_old;
struct run_list;

struct run_ask_old_ops {
	void (*answered)(void *arg, const struct run_list *);
	/*
	 * The socket is gone, or never came; one of these two is called, once,
	 * and it is freed after it.  Why: a text that stays.
	 */
	void (*refused)(void *arg);
	void (*closed)(void *arg, const char *why);
};

/* Fatal when out of memory. */
struct run_ask_old *run_ask_old_open(struct proxyd *, const char *jwt,
    const struct run_ask_old_ops *, void *arg);

/* NULL is fine.  Not from answered(). */
void run_ask_old_free(struct run_ask_old *);

/* Ask, as soon as the socket is open. */
void run_ask_old_ask(struct run_ask_old *);

#endif
