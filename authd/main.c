#include <sys/stat.h>

#include <string.h>
#include <time.h>

#include "authd/github.h"
#include "authd/handles.h"
#include "authd/memory.h"
#include "authd/reload.h"
#include "authd/sessions.h"
#include "common/child.h"
#include "common/log.h"
#include "common/session.h"
#include "common/slice.h"
#include "common/status.h"
#include "sandbox/sandbox.h"

/*
 * authd knows the secrets and the people: it tells proxyd which user of the
 * upstream a request belongs to, and connector what to sign in with.
 */

struct authd {
	struct child child;
	struct authd_conf conf;
	struct github *github;
	struct sessions *sessions;
	struct handles handles;
	/* A question that came with a configuration that is to come yet. */
	struct {
		bool waits;
		uint64_t id;
		uint64_t conf_id;
	} token;
};

static int authd_on_session_get(void *, struct msg *);
static int authd_on_handle_new(void *, struct msg *);
static int authd_on_handle_check(void *, struct msg *);
static int authd_on_token_get(void *, struct msg *);
static int authd_on_github_dialed(void *, struct msg *);
static int authd_on_github_dial_failed(void *, struct msg *);
static void authd_log_status(void *);
static void authd_status(void *, struct status *);
static const char *authd_conf_check(void *, const void *, uint32_t *);
static void authd_conf_switch(void *, void *, uint32_t);
static void authd_peer_lost(void *, enum program);

static const struct channel_ops proxyd_ops = {
	.handlers[MSG_SESSION_GET] = authd_on_session_get,
	.handlers[MSG_HANDLE_NEW] = authd_on_handle_new,
	.handlers[MSG_HANDLE_CHECK] = authd_on_handle_check,
};

static const struct channel_ops connector_ops = {
	.handlers[MSG_TOKEN_GET] = authd_on_token_get,
};

static const struct child_ops ops = {
	.peers[PROGRAM_PROXYD] = &proxyd_ops,
	.peers[PROGRAM_CONNECTOR] = &connector_ops,
	.parent[MSG_GITHUB_DIALED] = authd_on_github_dialed,
	.parent[MSG_GITHUB_DIAL_FAILED] = authd_on_github_dial_failed,
	.log_status = authd_log_status,
	.status = authd_status,
	.conf_check = authd_conf_check,
	.conf_switch = authd_conf_switch,
	.peer_lost = authd_peer_lost,
};

int
main(int argc, char **argv)
{
	static struct authd authd;

	(void)umask(077);
	memory_start();
	child_start(&authd.child, PROGRAM_AUTHD, argc, argv);
	child_configure(&authd.child, &slice_authd, &authd.conf);
	authd.github = github_new(&authd.child, &authd.conf);
	authd.sessions = sessions_new(&authd.conf);
	authd.handles.conf = &authd.conf;
	authd.handles.tether = sessions_tether_db(authd.sessions);
	sandbox_enter(PROGRAM_AUTHD, authd.conf.sandbox);
	child_run(&authd.child, &ops, &authd);
	sessions_free(authd.sessions);
	github_free(authd.github);
	slice_free_authd(&authd.conf);
	child_finish(&authd.child);
	return 0;
}

static int
authd_on_session_get(void *arg, struct msg *m)
{
	struct authd *authd = arg;
	char login[SESSION_LOGIN_MAX];
	struct session session;
	struct msg_out answer;
	uint64_t github_id;

	if (session_get_read(m, &github_id, login) == -1)
		return -1;
	sessions_get(authd->sessions, github_id, login, time(NULL), &session);
	msg_start(&answer, MSG_SESSION, m->id);
	session_add(&answer, &session);
	(void)child_send(&authd->child, PROGRAM_PROXYD, &answer);
	explicit_bzero(&session, sizeof(session));
	return 0;
}

static int
authd_on_handle_new(void *arg, struct msg *m)
{
	struct authd *authd = arg;
	char login[SESSION_LOGIN_MAX], handle[HANDLE_SIZE];
	struct msg_out answer;
	uint64_t github_id;

	if (handle_owner_read(m, &github_id, login) == -1)
		return -1;
	handles_make(&authd->handles, github_id, login, time(NULL), handle);
	msg_start(&answer, MSG_HANDLE, m->id);
	handle_add(&answer, handle);
	(void)child_send(&authd->child, PROGRAM_PROXYD, &answer);
	explicit_bzero(handle, sizeof(handle));
	return 0;
}

static int
authd_on_handle_check(void *arg, struct msg *m)
{
	struct authd *authd = arg;
	char handle[HANDLE_SIZE];
	struct handle_owner owner;
	struct msg_out answer;

	if (handle_read(m, handle) == -1)
		return -1;
	handles_check(&authd->handles, handle, time(NULL), &owner);
	explicit_bzero(handle, sizeof(handle));
	msg_start(&answer, MSG_HANDLE_OWNER, m->id);
	handle_owner_add(&answer, owner.github_id, owner.login);
	(void)child_send(&authd->child, PROGRAM_PROXYD, &answer);
	return 0;
}

/*
 * Answer the question, once the token belongs to the orchestrator that
 * connector knows.  If connector is the one behind it will ask again.
 */
static void
authd_answer_token(struct authd *authd)
{
	struct msg_out answer;

	if (!authd->token.waits || authd->token.conf_id != authd->child.conf_id)
		return;
	authd->token.waits = false;
	msg_start(&answer, MSG_TOKEN, authd->token.id);
	msg_add_str(&answer, authd->conf.token);
	msg_add_str(&answer, "");
	(void)child_send(&authd->child, PROGRAM_CONNECTOR, &answer);
}

static int
authd_on_token_get(void *arg, struct msg *m)
{
	struct authd *authd = arg;
	uint64_t conf_id = msg_get_u64(m);

	if (!msg_end(m))
		return -1;
	authd->token.waits = true;
	authd->token.id = m->id;
	authd->token.conf_id = conf_id;
	authd_answer_token(authd);
	return 0;
}

static int
authd_on_github_dialed(void *arg, struct msg *m)
{
	struct authd *authd = arg;

	return github_on_dialed(authd->github, m);
}

static int
authd_on_github_dial_failed(void *arg, struct msg *m)
{
	struct authd *authd = arg;

	return github_on_dial_failed(authd->github, m);
}

static void
authd_peer_lost(void *arg, enum program peer)
{
	struct authd *authd = arg;

	if (peer == PROGRAM_CONNECTOR)
		authd->token.waits = false;
}

/* What proxyd has been told is to be asked again. */
static void
authd_flush(struct authd *authd)
{
	struct msg_out flush;

	msg_start(&flush, MSG_SESSION_FLUSH, 0);
	(void)child_send(&authd->child, PROGRAM_PROXYD, &flush);
}

static const char *
authd_conf_check(void *arg, const void *next, uint32_t *flags)
{
	const struct authd *authd = arg;
	const char *why = reload_check(&authd->conf, next, flags);

	return why != NULL ? why : github_check(authd->github, next);
}

/*
 * All that uses the settings looks at them where they are.  Handles are
 * checked against the new rules when they are used next.
 */
static void
authd_conf_switch(void *arg, void *next, uint32_t flags)
{
	struct authd *authd = arg;

	(void)flags;
	slice_free_authd(&authd->conf);
	memcpy(&authd->conf, next, sizeof(authd->conf));
	github_reload(authd->github);
	sessions_reload(authd->sessions);
	authd_flush(authd);
	authd_answer_token(authd);
}

static void
authd_status(void *arg, struct status *status)
{
	const struct authd *authd = arg;

	sessions_status(authd->sessions, status);
	status_set_number(
	    status, STATUS_AUTHD_HANDLES_MADE, authd->handles.made);
}

static void
authd_log_status(void *arg)
{
	const struct authd *authd = arg;

	sessions_log_status(authd->sessions);
}
