#ifndef TETHERD_CTL_CLIENT_H
#define TETHERD_CTL_CLIENT_H

#include "tetherd/ctl_answer.h"
#include "tetherd/ctl_words.h"

/* The conversation with tetherd.  What goes wrong is told on standard error. */

/* The exit status of tetherctl. */
enum ctl_status {
	CTL_EXIT_DONE,
	CTL_EXIT_USAGE,
	CTL_EXIT_UNREACHABLE,
	CTL_EXIT_DENIED,
	CTL_EXIT_FAILED, /* refused, failed, no answer or a broken one */
};

/*
 * Connect to the socket at path, or in one of the usual places if it is
 * NULL, and greet.  *fd is the caller's.
 */
enum ctl_status ctl_client_connect(const char *path, int *fd);

/*
 * Ask, and gather the answer, which is the caller's whatever comes back.
 * CTL_EXIT_DONE is an answer that says how it went.
 */
enum ctl_status ctl_client_ask(
    int fd, const struct ctl_command *, struct ctl_answer *);

/* The exit status of an answer; its reason is told if it is no success. */
enum ctl_status ctl_client_result(const struct ctl_answer *);

#endif
