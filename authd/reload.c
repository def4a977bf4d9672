#include <sys/stat.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authd/reload.h"
#include "authd/upstream_db.h"
#include "common/log.h"
#include "common/slice.h"

static char reason[TROUBLE_LINE_MAX];

/* Whether there is a user database at the path: NULL, or why not. */
static const char *
check_database(const char *path)
{
	struct upstream_db u;
	const char *why = NULL;

	upstream_db_init(&u, path);
	u.db.read_only = true;
	u.db.trouble.quiet = true;
	if (upstream_db_open(&u) != DB_OK) {
		(void)strlcpy(reason, u.db.trouble.line, sizeof(reason));
		why = reason;
	}
	upstream_db_free(&u);
	return why;
}

/*
 * Whether the state directory is there for us, or could be made: the first
 * of the directories that lead to it that exists must be writable.
 */
static const char *
check_directory(const char *path)
{
	char *dir = strdup(path), *slash;
	struct stat st;
	int error = 0;

	if (dir == NULL)
		fatal("strdup");
	while (stat(dir, &st) == -1 && errno == ENOENT &&
	       (slash = strrchr(dir, '/')) != NULL && slash > dir)
		*slash = '\0';
	if (stat(dir, &st) == -1 || access(dir, W_OK | X_OK) == -1)
		error = errno;
	else if (!S_ISDIR(st.st_mode))
		error = ENOTDIR;
	if (error != 0)
		(void)snprintf(reason, sizeof(reason),
		    "state directory %s: %s: %s", path, dir, strerror(error));
	free(dir);
	return error == 0 ? NULL : reason;
}

uint32_t
reload_flags(const struct authd_conf *now, const struct authd_conf *next)
{
	uint32_t flags = 0;

	if (strcmp(now->token, next->token) != 0)
		flags |= CONF_TOKEN;
	if (strcmp(now->database_path, next->database_path) != 0 ||
	    strcmp(now->state_dir, next->state_dir) != 0 ||
	    !confinement_is_same(&now->confinement, &next->confinement))
		flags |= CONF_RESTART;
	return flags;
}

const char *
reload_try(const struct authd_conf *conf, bool is_given)
{
	const char *why = check_database(conf->database_path);

	if (why == NULL && !is_given)
		why = check_directory(conf->state_dir);
	return why;
}
