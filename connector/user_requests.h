#ifndef CONNECTOR_USER_REQUESTS_H
#define CONNECTOR_USER_REQUESTS_H

#include <stddef.h>

#include "common/msg.h"
#include "connector/requests.h"

/*
 * What people's browsers ask this instance for besides web pages, on its way
 * to proxyd, and the replies to it: each request_id gets a last one.
 */

struct connector;
struct evbuffer;
struct user_requests;

/* As many as that at once; each is one tunnel, or a message on its way. */
#define USER_REQUESTS_MAX REQUESTS_MAX

/* Fatal when out of memory. */
struct user_requests *user_requests_new(struct connector *);
void user_requests_free(struct user_requests *);

/* A user_request, or what follows one; its text is taken over. */
void user_requests_add(struct user_requests *, const char *request_id,
    size_t len, struct evbuffer *text);

/* Messages of proxyd: REPLY and REPLY_LAST, USER_REFUSE. */
int user_requests_on_reply(struct user_requests *, struct msg *);
int user_requests_on_refuse(struct user_requests *, struct msg *);

/* proxyd is gone: those that it had get an error. */
void user_requests_on_proxyd_lost(struct user_requests *);

/*
 * The connection is lost: nobody waits for replies any more.  The next one
 * brings new ones, unless we stop.
 */
void user_requests_on_link_down(struct user_requests *);

/* Take no more: new ones get an error with that text, which must live on. */
void user_requests_refuse(struct user_requests *, const char *text);

/* End all there are with an error. */
void user_requests_stop(struct user_requests *, const char *text);

/* Those that had no reply at all yet: others may last for ever. */
size_t user_requests_unanswered(const struct user_requests *);

/* Those that wait for a last reply. */
size_t user_requests_count(const struct user_requests *);

/* proxyd says no more of that one, which therefore ends with that text. */
void user_requests_give_up(
    struct user_requests *, uint64_t number, const char *text);

#endif
