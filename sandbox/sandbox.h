#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>

#include "common/program.h"

/*
 * Give up what a program does not need from here on: never to be gained
 * back.  Called once, after all files are open and before the first byte
 * from outside is read.  Void and fatal: there is no way to go on without.
 * Unless the program is to be confined ("sandbox none"), only its secrets are
 * guarded: from core files and debuggers.
 */
void sandbox_enter(enum program, bool confined);

#endif
