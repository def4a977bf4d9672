#ifndef AUTHD_FOLDERS_H
#define AUTHD_FOLDERS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

struct authd_conf;
struct child;
struct stat;

/*
 * The two folders with databases that authd can reach, as they were when it
 * entered its sandbox, and as which user.  What has come into their place
 * since, or has another owner, is for an authd that is started anew.
 */

struct folder {
	char *path;
	bool there;
	dev_t dev;
	ino_t ino;
};

struct folders {
	struct child *child;
	const struct authd_conf *conf;
	struct folder database;
	struct folder state;
	int64_t asked_ms; /* tetherd, to start us anew; 0 for never */
};

/* Find them, as the user that they are used as, before the sandbox. */
void folders_find(struct folders *, struct child *, const struct authd_conf *);
void folders_free(struct folders *);

/*
 * For database_guard(), with the folders as arg: false, and tetherd is asked
 * to start us anew, if the file at path is out of reach for good.  One that
 * root put in the place of a user's is no reason to run as root.
 */
bool folders_may_open(void *arg, const char *path, const struct stat *);

/* Whether one is, or will be when it is used. */
bool folders_are_lost(const struct folders *);

#endif
