#ifndef PROXYD_RUN_LIST_H
#define PROXYD_RUN_LIST_H

#include <stddef.h>

#include "proxyd/runs.h"

/*
 * What an app says that runs.
 */

struct evbuffer;

/* Bytes of a message that says so; no app has that much to say. */
#define RUN_LIST_TEXT_MAX (256 * 1024)

struct run_list {
	size_t total;
	/* As many of them as have a name, up to RUNS_MAX. */
	size_t count;
	char sessions[RUNS_MAX][RUN_SESSION_SIZE];
};

/*
 * Read {"data":{"sessions":[{"sessionId":…},…]}}, the new app's answer, or
 * {"type":"active-sessions","sessions":{"claude":[…],…}}, the old one's.  -1
 * if the text is something else.
 */
int run_list_read_new(struct run_list *, struct evbuffer *text);
int run_list_read_old(struct run_list *, struct evbuffer *text);

#endif
