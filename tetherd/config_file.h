#ifndef TETHERD_CONFIG_FILE_H
#define TETHERD_CONFIG_FILE_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * Files that tell a daemon what to do: nobody may change them but root and
 * the user that it runs as.
 */

/* A reason why one was refused, with its NUL. */
#define CONFIG_FILE_WHY_MAX 128

struct config_file {
	char *path;
	char *text; /* size bytes, and a NUL */
	size_t size;
	unsigned mode; /* as of chmod */
	dev_t dev;     /* with ino, which file it is by any path */
	ino_t ino;
};

/*
 * Read a regular file of at most PARSE_FILE_MAX bytes, of root or ourselves,
 * not writable by group or others.  Returns 0, and what config_file_free()
 * takes; or -1 with the reason in why.  Then errno is ENOENT if there is no
 * such file, and only then.  Fatal without memory.
 */
int config_file_read(
    struct config_file *, const char *path, char why[CONFIG_FILE_WHY_MAX]);

/* The same of a file that anybody may own and write. */
int config_file_read_any(
    struct config_file *, const char *path, char why[CONFIG_FILE_WHY_MAX]);

/* 0 if it is root's or ours, and nobody else may write it; or -1, and why. */
int config_file_check(const struct stat *, char why[CONFIG_FILE_WHY_MAX]);

/* Wipe and forget the text; the rest stays. */
void config_file_drop_text(struct config_file *);
void config_file_free(struct config_file *);

/* Others may read it. */
bool config_file_is_exposed(const struct config_file *);

#endif
