#ifndef TETHERD_CONTROL_H
#define TETHERD_CONTROL_H

#include <stdint.h>

#include "common/program.h"

/*
 * The control socket: where tetherctl asks, and who may.
 */

struct admin_done;
struct admin_token;
struct admin_user;
struct children;
struct conf;
struct control;
struct event_base;
struct reload;
struct status;

/*
 * Make the socket, before the sandbox is entered.  Fatal if one that was
 * asked for cannot be had.
 */
struct control *control_new(struct event_base *, const struct conf *);

/* The path of the socket; "" if there is none. */
const char *control_path(const struct control *);

/* Serve clients from now on; both must live until control_stop(). */
void control_start(struct control *, struct children *, struct reload *);

/* tetherd ends: no more clients, and those who wait are told. */
void control_stop(struct control *);

/* NULL is allowed. */
void control_free(struct control *);

/* A child's answer, see children.h. */
void control_on_status(
    struct control *, enum program, uint64_t id, const struct status *);

/* authd's answers, and its end, see children.h and control_admin.h. */
int control_on_admin_user(
    struct control *, uint64_t id, const struct admin_user *);
int control_on_admin_token(
    struct control *, uint64_t id, const struct admin_token *);
int control_on_admin_done(
    struct control *, uint64_t id, const struct admin_done *);
void control_on_authd_gone(struct control *);

#endif
