#ifndef CONNECTOR_EXCHANGE_H
#define CONNECTOR_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * Requests on their way to proxyd, and answers on their way back: each
 * request gets exactly one.
 */

struct connector;
struct evbuffer;
struct exchange;

struct exchange *exchange_new(struct connector *);
void exchange_free(struct exchange *);

/* A request: its request_id, and its text, which is taken over. */
void exchange_request(struct exchange *, const char *request_id, size_t len,
    struct evbuffer *text);

/*
 * The connection is registered, or lost.  Each new one takes requests, unless
 * we stop.
 */
void exchange_link_up(struct exchange *, uint32_t capabilities);
void exchange_link_down(struct exchange *);

/* The connection takes more. */
void exchange_on_link_writable(struct exchange *);

/* proxyd is there, or gone. */
void exchange_on_proxyd(struct exchange *);
void exchange_on_proxyd_lost(struct exchange *);

/* Messages of proxyd. */
int exchange_on_adopt(struct exchange *, struct msg *);
int exchange_on_answer(struct exchange *, struct msg *);
int exchange_on_refuse(struct exchange *, struct msg *);

/* Take no more: new ones get a 503 with that text, which must live on. */
void exchange_refuse(struct exchange *, const char *text);

/* Answer all there are with that, too. */
void exchange_stop(struct exchange *, const char *text);

/*
 * Told to stop: exchange_refuse(), and call done() when the last answer is
 * out, soon in any case.
 */
void exchange_drain(
    struct exchange *, const char *text, void (*done)(void *arg), void *arg);

/* Requests that wait for an answer. */
size_t exchange_count(const struct exchange *);

/* A mark in time, and whether a request from before it still waits. */
uint64_t exchange_mark(const struct exchange *);
bool exchange_waits_since(const struct exchange *, uint64_t mark);

#endif
