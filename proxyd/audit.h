#ifndef PROXYD_AUDIT_H
#define PROXYD_AUDIT_H

/*
 * One info line for each request and each tunnel: who, what, and what became
 * of it.  Never a query, a body, or anything else that people typed.
 */

struct proxyd;
struct request;
struct tunnel;

/*
 * A request is over: the status of its answer, or 0 if nobody waited for
 * one any more.  Does nothing unless it is configured.
 */
void audit_request(const struct proxyd *, const struct request *, int status);

/*
 * A tunnel is open, or will never be: reason is NULL, or what the page is
 * told, "403 ...", or "" if it went before that was decided.
 */
void audit_tunnel(const struct tunnel *, const char *reason);

#endif
