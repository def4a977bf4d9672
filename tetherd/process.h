#ifndef TETHERD_PROCESS_H
#define TETHERD_PROCESS_H

#include <sys/types.h>

#include "common/program.h"

/*
 * Starting a child process: its sockets, its descriptors, its executable.
 */

struct process_sockets {
	int channel; /* SOCK_SEQPACKET, to the child's CHILD_FD_PARENT */
	int log;     /* SOCK_DGRAM, to the child's CHILD_FD_LOG */
	int pidfd;   /* the process itself, for process_kill() */
};

/*
 * Find the folder of the children's executables from the place of our own:
 * ../libexec/tetherd.  Once, at start; fatal if they are not there.
 */
void process_find_executables(void);
const char *process_folder(void);

/*
 * Execute a child, by way of the launcher, with no descriptors but those of
 * child.h.  Returns its pid, and our ends of the sockets and the descriptor,
 * which are then the caller's, or -1 after logging why.
 */
pid_t process_spawn(enum program, struct process_sockets *);

/*
 * SIGKILL.  By descriptor: a pid may be another process's by now, and a
 * taken-over tetherd could kill any.
 */
void process_kill(int pidfd);

/* Room for what the following has to say. */
#define PROCESS_DEATH_SIZE 160

/*
 * Describe how a process of ours ended, from its wait status: "exited with
 * status 1", "signal 9 (Killed)"; for one that its sandbox ended also the
 * system call, if the kernel's log has it, see kernel_log.h.  Returns buf.
 */
const char *process_describe_death(
    enum program, pid_t, int status, char *buf, size_t size);

#endif
