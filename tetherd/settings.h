#ifndef TETHERD_SETTINGS_H
#define TETHERD_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

struct complaints;
struct conf;
struct macros;

/*
 * The settings: from tetherd.conf, the .env file on top, the environment on
 * top of that, and the flags last.  One table knows them all, by the name of
 * each in tetherd.conf and in the environment.
 */

/* Read when there is no -f, if it exists. */
#define SETTINGS_FILE "/etc/tetherd.conf"

/* What the flags say. */
struct sources {
	const char *file;     /* of -f; NULL for SETTINGS_FILE, if it exists */
	const char *env_file; /* of -e; NULL for none */
	const struct macros *macros; /* of -D */
	bool log_to_stderr;	     /* -d */
	unsigned verbose;	     /* how many -v */
};

/* The settings as they were read: a configuration, and whence each came. */
struct settings;

/*
 * Remember the environment's settings and take the secrets out of it, so
 * that neither /proc nor a child shows them.  Once, first of all.
 */
void settings_capture(void);

/*
 * Read all settings anew, and open the files that they name.  Returns NULL
 * when there is any complaint that is not a mild one.
 */
struct settings *settings_read(const struct sources *, struct complaints *);
void settings_free(struct settings *); /* NULL is allowed */

const struct conf *settings_conf(const struct settings *);

/* tetherd.conf and what it includes, from 0 on; NULL behind the last. */
const char *settings_file(const struct settings *, size_t i);

/*
 * Decide anew who the processes run as, see privileges.h, and what follows
 * from it.
 */
void settings_assign(struct settings *);

/* SETTINGS_FILE was read. */
bool settings_has_default_file(const struct settings *);

/*
 * Write them as a tetherd.conf that reads as the same configuration, except
 * that each secret is masked; a comment says where each value is from.
 */
void settings_print(const struct settings *, FILE *);

#endif
