#ifndef TETHERD_REACH_H
#define TETHERD_REACH_H

#include <stdbool.h>

#include "sandbox/sandbox.h"

struct settings;
struct sources;

/*
 * What tetherd itself may reach of the file system once it runs: the folders
 * that its settings named when it was started, to read them again at a reload
 * and to write its logs.  Of a symbolic link it is the folder where it stands
 * and the one where it leads to at the start.
 */

/*
 * Tell the operator what is not confined on this kernel, or by these settings.
 * Fatal if the kernel lacks too much.
 */
void reach_log(bool sandbox);

/*
 * Enter the sandbox; socket is the path of the control socket, "" for none.
 * Fatal if that cannot be done.
 */
void reach_confine(
    const struct settings *, const struct sources *, const char *socket);

/*
 * Why a file could not be opened, by errno, which stays: with a remark where
 * the reason is that we are confined.  access: what it was to be opened for,
 * SANDBOX_READ or SANDBOX_LOG.  The text has at most 127 bytes.
 */
const char *reach_error(const char *path, enum sandbox_access);

#endif
