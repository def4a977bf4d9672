#ifndef TETHERD_CONTROL_PROC_H
#define TETHERD_CONTROL_PROC_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/* What the kernel says of a process in /proc/PID/status, see proc(5). */
struct control_proc {
	bool known;   /* false: nothing below */
	uint32_t uid; /* effective */
	uint64_t rss; /* bytes */
	uint32_t seccomp;
	bool no_new_privs;
	uint64_t capabilities; /* effective */
};

void control_proc_get(pid_t, struct control_proc *);

/* The same from the text of such a file. */
void control_proc_parse(const char *text, struct control_proc *);

#endif
