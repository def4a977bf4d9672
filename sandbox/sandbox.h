#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "common/confinement.h"

/*
 * One function for each process that gives up all that it does not need from
 * there on, never to be gained back: privileges, files, system calls.  Called
 * once, after what is out of reach later has been opened and before the first
 * byte from outside is read.  Void and fatal: there is no way to go on
 * without.  With "sandbox none" the kernel enforces nothing, but users and
 * root directories are changed all the same.
 */

/* A folder, or file, and what may be done with it and all beneath. */
enum sandbox_access {
	SANDBOX_READ,	/* files, not what there is in a folder */
	SANDBOX_LOG,	/* read, make and write files, not shorten them */
	SANDBOX_WRITE,	/* make, shorten and remove files, list folders */
	SANDBOX_REMOVE, /* files, and nothing else */
	SANDBOX_EXECUTE /* where reading is not refused anyway */
};

struct sandbox_path {
	const char *path;
	enum sandbox_access access;
};

/* The kernel's Landlock ABI, 0 if it has no Landlock. */
unsigned sandbox_landlock_abi(void);

/*
 * What the kernel lacks, for a line of the log: "" for nothing.  Fatal if it
 * lacks what there is no way to go on without.
 */
const char *sandbox_lacks(void);

/* tetherd itself, which may use these paths, and no others. */
void sandbox_parent(
    const struct confinement *, const struct sandbox_path *, size_t n);

/* Programs in folder may be executed. */
void sandbox_launcher(const struct confinement *, const char *folder);

/*
 * root: the folder of privileges_root() in tetherd, closed; of no meaning if
 * no privileges are to be dropped.
 */
void sandbox_connector(const struct confinement *, int root);

/*
 * The upstream listens at that port; or at a socket in that folder, which
 * becomes the root directory, so that "/NAME" is the socket's path then.
 */
void sandbox_proxyd(const struct confinement *, int root, uint16_t port);
void sandbox_proxyd_unix(const struct confinement *, const char *folder);

/*
 * The two folders with databases; one that is not there can not be used.
 * sandbox_authd_user() is a first step of it: what is to be looked at as the
 * user that authd runs as may come between.
 */
void sandbox_authd_user(const struct confinement *);
void sandbox_authd(const struct confinement *, const char *database_folder,
    const char *state_folder);

/* The dialer may connect to that port, and ask name servers. */
void sandbox_dialer(const struct confinement *, uint16_t port);

#endif
