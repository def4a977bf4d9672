#ifndef PROXYD_RUN_ASK_NEW_H
#define PROXYD_RUN_ASK_NEW_H

/*
 * A question to the new app: one request.
 */

struct proxyd;
struct run_ask_new;
struct run_list;

struct run_ask_new_ops {
	/* One of these is called, once; the question is freed after it. */
	void (*answered)(void *arg, const struct run_list *);
	/* It answers, but not as that app does. */
	void (*other)(void *arg);
	/* It refuses the JWT. */
	void (*refused)(void *arg);
	/* Nobody listens there. */
	void (*absent)(void *arg);
	/* Why: a text that stays. */
	void (*failed)(void *arg, const char *why);
};

/* Fatal when out of memory. */
struct run_ask_new *run_ask_new_start(struct proxyd *, const char *jwt,
    const struct run_ask_new_ops *, void *arg);

/* Forget it; NULL is fine. */
void run_ask_new_cancel(struct run_ask_new *);

#endif
