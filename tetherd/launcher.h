#ifndef TETHERD_LAUNCHER_H
#define TETHERD_LAUNCHER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/program.h"

/*
 * The launcher as tetherd sees it: a process from before tetherd's sandbox,
 * which starts the other ones.
 */

struct event_base;
struct launcher_conf;

/*
 * Start it and wait until it is ready; before the sandbox.  folder: of the
 * executables; root: see privileges_root(), taken over.  Fatal if it does not
 * come up.
 */
void launcher_start(struct event_base *, const struct launcher_conf *,
    const char *folder, int root);

/*
 * Start a program with these ends of its sockets, which are closed.  Blocks
 * until it is there, as quick as fork(2), 2 s at the most: a launcher that is
 * not back by then, or breaks the rules, is killed.  Returns its pid and a
 * descriptor of it, or -1 after logging why.
 */
pid_t launcher_spawn(enum program, int channel, int log, int *pidfd);

/* A process of ours died: true if it was the launcher. */
bool launcher_reap(pid_t);

/* 0 if it is not there; seconds since it was started. */
pid_t launcher_pid(void);
uint64_t launcher_uptime(void);

/* It ends with us, at the latest. */
void launcher_stop(void);

#endif
