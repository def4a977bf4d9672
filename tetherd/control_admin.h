#ifndef TETHERD_CONTROL_ADMIN_H
#define TETHERD_CONTROL_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The operator's questions about people and tokens, which authd answers:
 * several may be under way at once.  Its rows go to the client as they come.
 */

/* authd has to be done by then, in milliseconds. */
#define CONTROL_ADMIN_TIMEOUT_MS 10000

struct admin_done;
struct admin_request;
struct admin_token;
struct admin_user;
struct channel;
struct children;
struct control_admin;
struct event_base;

/* The text is for the person who asked: why not, if it is not good. */
typedef void (*control_admin_done)(void *arg, bool good, const char *text);

/* Fatal when out of memory. */
struct control_admin *control_admin_new(struct event_base *, struct children *);
void control_admin_free(struct control_admin *); /* NULL is allowed */

/*
 * Ask.  Rows are sent to the channel, then done is called, once: at once if
 * authd does not run.
 */
void control_admin_start(struct control_admin *, const struct admin_request *,
    struct channel *, control_admin_done done, void *arg);

/* Who asked is gone: nothing is sent any more, and done() not called. */
void control_admin_forget(struct control_admin *, const void *arg);

/* "users disable octocat", the words of tetherctl, printable; returns dst. */
char *control_admin_describe(
    const struct admin_request *, char *dst, size_t size);

/*
 * authd's answers, see children.h: -1 for what nobody can have asked for, or
 * too much of it.  What is late belongs to nobody, and is dropped.
 */
int control_admin_on_user(
    struct control_admin *, uint64_t id, const struct admin_user *);
int control_admin_on_token(
    struct control_admin *, uint64_t id, const struct admin_token *);
int control_admin_on_done(
    struct control_admin *, uint64_t id, const struct admin_done *);

/* authd is gone: it answers none of them. */
void control_admin_on_gone(struct control_admin *);

#endif
