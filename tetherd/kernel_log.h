#ifndef TETHERD_KERNEL_LOG_H
#define TETHERD_KERNEL_LOG_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the kernel's log says of a process that a filter of system calls ended
 * (SIGSYS): which call it was.  Records of type 1326 (AUDIT_SECCOMP), which
 * the kernel makes for each, and prints where no audit daemon takes them.
 */

/* The name of a program that is compared with that in a record is cut so. */
#define KERNEL_LOG_NAME_MAX 15

struct kernel_log_death {
	pid_t pid;
	char name[KERNEL_LOG_NAME_MAX + 1]; /* chosen by the process */
	uint32_t arch;			    /* AUDIT_ARCH_*, see audit.h */
	int call;
};

/*
 * Open it at its end, if we may: before the sandbox.  What comes later can be
 * found.
 */
void kernel_log_open(void);

/*
 * Describe the call that ended the process of that pid and program: "system
 * call socket (41)".  Waits a few milliseconds for the kernel to print it.
 * Returns false, and leaves buf alone, if there is no such record.
 */
bool kernel_log_find(pid_t, const char *name, char *buf, size_t size);

void kernel_log_close(void);

/*
 * A record as read from /dev/kmsg.  False if it is none of such a death; a
 * process of ours can make any text of it but these.
 */
bool kernel_log_parse(const char *record, struct kernel_log_death *);

#endif
