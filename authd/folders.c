#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authd/folders.h"
#include "common/child.h"
#include "common/folder.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/slice.h"

#define WHY_SIZE 1000

/* If nothing came of it. */
#define ASK_AGAIN_MS 60000

static void
look(struct folder *f)
{
	struct stat st;

	f->there = stat(f->path, &st) == 0 && S_ISDIR(st.st_mode);
	f->dev = f->there ? st.st_dev : 0;
	f->ino = f->there ? st.st_ino : 0;
}

void
folders_find(
    struct folders *f, struct child *child, const struct authd_conf *conf)
{
	memset(f, 0, sizeof(*f));
	f->child = child;
	f->conf = conf;
	f->database.path = folder_of(conf->database_path);
	f->state.path = strdup(conf->state_dir);
	if (f->state.path == NULL)
		fatal("strdup");
	look(&f->database);
	look(&f->state);
}

void
folders_free(struct folders *f)
{
	free(f->database.path);
	free(f->state.path);
	memset(f, 0, sizeof(*f));
}

static bool
is_same(const struct folder *a, const struct folder *b)
{
	return a->there == b->there && a->dev == b->dev && a->ino == b->ino;
}

/* The link that is the database may lead to another folder by now. */
static bool
database_folder_is_lost(const struct folders *f)
{
	struct folder now = { .path = folder_of(f->conf->database_path) };

	look(&now);
	free(now.path);
	return now.there && !is_same(&now, &f->database);
}

/* One that is gone is made anew at the start, unless that failed then, too. */
static bool
state_folder_is_lost(const struct folders *f)
{
	struct folder now = { .path = f->state.path };

	look(&now);
	return !is_same(&now, &f->state);
}

static bool
folder_is_lost(const struct folders *f, bool is_database)
{
	if (!f->conf->confinement.sandbox)
		return false;
	return is_database ? database_folder_is_lost(f)
			   : state_folder_is_lost(f);
}

/* Made by another user than was expected, in a place where we cannot look. */
static bool
owner_differs(const struct folders *f, const struct stat *st)
{
	const struct confinement *c = &f->conf->confinement;

	if (!c->drop)
		return false;
	if (st == NULL)
		return access(f->conf->database_path, F_OK) == -1 &&
		       errno == EACCES;
	return st->st_uid != c->uid && st->st_uid != 0;
}

static void
ask(struct folders *f, bool owner, const char *path, const char *why)
{
	int64_t now = monotonic_ms();
	char text[WHY_SIZE];
	struct msg_out m;

	if (f->asked_ms != 0 && now - f->asked_ms < ASK_AGAIN_MS)
		return;
	(void)snprintf(text, sizeof(text), "%s: %s", path, why);
	msg_start(&m, MSG_RESTART, 0);
	msg_add_u8(&m, owner);
	msg_add_str(&m, text);
	if (child_send(f->child, PROGRAM_PARENT, &m))
		f->asked_ms = now;
}

bool
folders_may_open(void *arg, const char *path, const struct stat *st)
{
	struct folders *f = arg;
	bool is_database = strcmp(path, f->conf->database_path) == 0;

	if (folder_is_lost(f, is_database))
		ask(f, false, path,
		    "its folder is not the one that was there when authd "
		    "started");
	else if (is_database && owner_differs(f, st))
		ask(f, true, path, "it is not of the user who authd runs as");
	else
		return true;
	return false;
}

bool
folders_are_lost(const struct folders *f)
{
	return f->conf->confinement.sandbox &&
	       (database_folder_is_lost(f) || state_folder_is_lost(f));
}
