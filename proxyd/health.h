#ifndef PROXYD_HEALTH_H
#define PROXYD_HEALTH_H

/*
 * Whether the upstream answers, as transfers tell: said in the log once each
 * way, as one that is away fails every request.
 */

struct proxyd;

/* A transfer from the upstream of that name ended, with a CURLcode. */
void health_note(struct proxyd *, const char *name, int error);

/* There is another upstream now, of which nothing is known. */
void health_forget(struct proxyd *);

/* For the operator: "answers", or why it does not. */
const char *health_text(const struct proxyd *);

#endif
