#ifndef AUTHD_QUESTIONS_H
#define AUTHD_QUESTIONS_H

#include "common/msg.h"

/*
 * proxyd's questions about people, SESSION_GET and SESSION_GET_BY_TOKEN: from
 * the message over the verdict (access.h), which may take a while, to the
 * answer; and about the instance itself, SESSION_GET_SERVICE.  Each gets one,
 * unless the proxyd that asked is gone: the numbers of its successor start
 * over, and an answer must not go there.
 */

struct access;
struct child;
struct questions;
struct sessions;
struct sign_ins;

/* Open ones; beyond, the answer is at once that we are busy. */
#define QUESTIONS_MAX 1024

/* All of them must outlive it.  Fatal when out of memory. */
struct questions *questions_new(
    struct child *, struct access *, struct sessions *, struct sign_ins *);
void questions_free(struct questions *);

/* The messages: 0, or -1 if malformed. */
int questions_on_session_get(struct questions *, struct msg *);
int questions_on_session_get_by_token(struct questions *, struct msg *);
int questions_on_session_get_service(struct questions *, struct msg *);

/* Whoever asked is gone. */
void questions_cancel(struct questions *);

#endif
