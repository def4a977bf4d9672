#ifndef TETHERD_REACH_H
#define TETHERD_REACH_H

struct settings;
struct sources;

/*
 * What tetherd itself may reach of the file system once it runs: the folders
 * that its settings named when it was started, to read them again at a reload
 * and to write its logs.
 */

/*
 * Enter the sandbox; socket is the path of the control socket, "" for none.
 * Fatal if that cannot be done.
 */
void reach_confine(
    const struct settings *, const struct sources *, const char *socket);

#endif
