#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/folder.h"
#include "common/log.h"
#include "sandbox/privileges.h"
#include "tetherd/conf.h"
#include "tetherd/privileges.h"

/* For those whose user the operator has not made. */
#define NOBODY 65534

static const char unix_prefix[] = "unix:";

struct user {
	const char *name;
	const char *wrong; /* with it, so that it is nobody instead; or NULL */
	uint32_t uid;
	uint32_t gid;
};

static struct user connector_user = { .name = PRIVILEGES_CONNECTOR };
static struct user proxyd_user = { .name = PRIVILEGES_PROXYD };
static bool drops;

static void
find_user(struct user *u)
{
	const struct passwd *pw = getpwnam(u->name);

	u->wrong = NULL;
	if (pw == NULL)
		u->wrong = "does not exist";
	else if (pw->pw_uid == 0 || pw->pw_gid == 0)
		u->wrong = "is root, or of root's group";
	u->uid = u->wrong != NULL ? NOBODY : pw->pw_uid;
	u->gid = u->wrong != NULL ? NOBODY : pw->pw_gid;
}

void
privileges_find(void)
{
	drops = privileges_are_there();
	if (!drops)
		return;
	find_user(&connector_user);
	find_user(&proxyd_user);
}

/*
 * What is known of a file; true if there is one.  Else of the folder that it
 * would be made in, or of the nearest one on the way there that exists.
 */
static bool
look_at(const char *path, struct stat *st)
{
	char *folder, *at;

	if (stat(path, st) == 0)
		return true;
	at = folder = folder_of(path);
	while (
	    stat(at, st) == -1 && strcmp(at, "/") != 0 && strcmp(at, ".") != 0)
		at = dirname(at);
	free(folder);
	return false;
}

static struct confinement
confined_as(const struct conf *conf, const struct user *u)
{
	return (struct confinement){
		.sandbox = conf->parent.sandbox,
		.drop = drops,
		.uid = u->uid,
		.gid = u->gid,
	};
}

static void
assign_owner(const struct stat *st, struct confinement *c)
{
	c->uid = st->st_uid;
	c->gid = st->st_gid;
}

/*
 * The mode of a socket is up to the web app: mostly it is for its owner.  But
 * a folder of root's that others may pass, as /run is, says nothing about who
 * that will be.
 */
static void
assign_socket(const char *path, struct confinement *c)
{
	struct stat st = { .st_mode = S_IXOTH };

	if (look_at(path, &st) || st.st_uid != 0 || (st.st_mode & S_IXOTH) == 0)
		assign_owner(&st, c);
}

void
privileges_assign(struct conf *conf)
{
	static const struct user root = { .name = "root" };
	const char *address = conf->proxyd.upstream_host;
	struct stat st = { .st_uid = 0 };

	conf->launcher.confinement = confined_as(conf, &root);
	conf->connector.confinement = confined_as(conf, &connector_user);
	conf->dialer.confinement = confined_as(conf, &connector_user);
	conf->github_dialer.confinement = confined_as(conf, &connector_user);
	conf->proxyd.confinement = confined_as(conf, &proxyd_user);
	conf->authd.confinement = confined_as(conf, &root);
	if (!drops)
		return;
	(void)look_at(conf->authd.database_path, &st);
	assign_owner(&st, &conf->authd.confinement);
	if (strncmp(address, unix_prefix, strlen(unix_prefix)) == 0)
		assign_socket(
		    address + strlen(unix_prefix), &conf->proxyd.confinement);
}

static void
log_wrong(const struct user *u)
{
	if (u->wrong != NULL)
		log_warnx("user %s %s: its processes run as uid %d", u->name,
		    u->wrong, NOBODY);
}

void
privileges_log_authd(const struct conf *conf)
{
	if (conf->authd.confinement.uid == 0)
		log_warnx("authd runs as root, which %s belongs to",
		    conf->authd.database_path);
	else
		log_infox("authd runs as uid %u, which %s belongs to",
		    conf->authd.confinement.uid, conf->authd.database_path);
}

void
privileges_log(const struct conf *conf)
{
	if (!drops) {
		log_infox("no chroot and no change of uid: all processes run "
			  "as uid %d",
		    (int)getuid());
		if (geteuid() == 0)
			log_warnx(
			    "root may not become anybody else here: it "
			    "lacks capabilities, or is a user namespace's");
		return;
	}
	log_wrong(&connector_user);
	log_wrong(&proxyd_user);
	privileges_log_authd(conf);
	if (conf->proxyd.confinement.uid == 0)
		log_warnx("proxyd runs as root, which %s belongs to",
		    conf->proxyd.upstream_host);
}

/* A folder that is gone; -1 if none could be made there. */
static int
make_gone(const char *template)
{
	char *path = strdup(template);
	int fd = -1;

	if (path == NULL)
		fatal("strdup");
	if (mkdtemp(path) != NULL) {
		fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (rmdir(path) == -1)
			fatal("%s", path);
	}
	free(path);
	return fd;
}

int
privileges_root(void)
{
	static const char *const places[] = { "/run/tetherd-XXXXXX",
		"/tmp/tetherd-XXXXXX" };
	size_t i;
	int fd = -1;

	if (!drops)
		return -1;
	for (i = 0; fd == -1 && i < sizeof(places) / sizeof(places[0]); i++)
		fd = make_gone(places[i]);
	if (fd == -1)
		fatal("no empty folder to change root to");
	return fd;
}
