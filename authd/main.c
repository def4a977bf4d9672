#include <sys/stat.h>

#include <errno.h>
#include <string.h>
#include <time.h>

#include "authd/access.h"
#include "authd/database.h"
#include "authd/folders.h"
#include "authd/github.h"
#include "authd/handles.h"
#include "authd/jwt.h"
#include "authd/memory.h"
#include "authd/operator.h"
#include "authd/questions.h"
#include "authd/reload.h"
#include "authd/sessions.h"
#include "authd/sign_ins.h"
#include "authd/state_folder.h"
#include "authd/token_question.h"
#include "authd/tokens.h"
#include "authd/vault.h"
#include "common/child.h"
#include "common/log.h"
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
	struct access *access;
	struct sessions *sessions;
	struct sign_ins *sign_ins;
	struct questions *questions;
	struct handles handles;
	struct tokens *tokens;
	struct operator_desk desk;
	struct token_question token_question;
	struct folders folders;
};

static int authd_on_session_get(void *, struct msg *);
static int authd_on_session_get_by_token(void *, struct msg *);
static int authd_on_session_get_service(void *, struct msg *);
static int authd_on_handle_new(void *, struct msg *);
static int authd_on_handle_check(void *, struct msg *);
static int authd_on_token_get(void *, struct msg *);
static int authd_on_admin(void *, struct msg *);
static int authd_on_github_dialed(void *, struct msg *);
static int authd_on_github_dial_failed(void *, struct msg *);
static int authd_on_token_granted(void *, struct msg *);
static void authd_open(struct authd *);
static void authd_close(struct authd *);
static void authd_confine(struct authd *);
static void authd_start(struct authd *);
static void authd_try(struct authd *);
static void authd_log_status(void *);
static void authd_status(void *, struct status *);
static const char *authd_conf_check(void *, const void *, uint32_t *);
static void authd_conf_switch(void *, void *, uint32_t);
static void authd_peer_lost(void *, enum program);

static const struct channel_ops proxyd_ops = {
	.handlers[MSG_SESSION_GET] = authd_on_session_get,
	.handlers[MSG_SESSION_GET_BY_TOKEN] = authd_on_session_get_by_token,
	.handlers[MSG_SESSION_GET_SERVICE] = authd_on_session_get_service,
	.handlers[MSG_HANDLE_NEW] = authd_on_handle_new,
	.handlers[MSG_HANDLE_CHECK] = authd_on_handle_check,
};

static const struct channel_ops connector_ops = {
	.handlers[MSG_TOKEN_GET] = authd_on_token_get,
	.handlers[MSG_TOKEN_GRANTED] = authd_on_token_granted,
};

static const struct child_ops ops = {
	.peers[PROGRAM_PROXYD] = &proxyd_ops,
	.peers[PROGRAM_CONNECTOR] = &connector_ops,
	.log_status = authd_log_status,
	.status = authd_status,
	.conf_check = authd_conf_check,
	.conf_switch = authd_conf_switch,
	.peer_lost = authd_peer_lost,
	.parent[MSG_ADMIN] = authd_on_admin,
	.parent[MSG_GITHUB_DIALED] = authd_on_github_dialed,
	.parent[MSG_GITHUB_DIAL_FAILED] = authd_on_github_dial_failed,
};

int
main(int argc, char **argv)
{
	static struct authd authd;

	(void)umask(077);
	memory_start();
	child_start(&authd.child, PROGRAM_AUTHD, argc, argv);
	vault_init();
	child_configure(&authd.child, &slice_authd, &authd.conf);
	if (vault_keep_conf(&authd.conf) == -1)
		fatalx("no memory for the secrets of the configuration");
	authd_start(&authd);
	if (authd.conf.trial)
		authd_try(&authd);
	state_folder_give(authd.conf.state_dir, &authd.conf.confinement);
	authd_confine(&authd);
	authd_open(&authd);
	child_run(&authd.child, &ops, &authd);
	authd_close(&authd);
	vault_drop_conf(&authd.conf);
	slice_free_authd(&authd.conf);
	child_finish(&authd.child);
	return 0;
}

/*
 * From root to a process that reaches two folders.  The way to them, and what
 * is in them, is that user's to see: root without its capabilities can less.
 */
static void
authd_confine(struct authd *a)
{
	const struct authd_conf *conf = &a->conf;

	sandbox_authd_user(&conf->confinement);
	/* Beneath what its rules name the sandbox lets us make files only. */
	if (!conf->trial && state_folder_make(conf->state_dir) == -1)
		log_debugx(
		    "state directory %s: %s", conf->state_dir, strerror(errno));
	folders_find(&a->folders, &a->child, conf);
	database_guard(folders_may_open, &a->folders);
	sandbox_authd(
	    &conf->confinement, a->folders.database.path, conf->state_dir);
}

/* As far as authd would come with these settings, and no further. */
static void
authd_try(struct authd *a)
{
	const struct authd_conf *conf = &a->conf;
	bool is_given =
	    state_folder_is_to_give(conf->state_dir, &conf->confinement);
	const char *why;

	authd_confine(a);
	why = reload_try(conf, is_given);
	if (why != NULL)
		child_refuse(&a->child, why);
	child_accept(&a->child);
}

/* What needs files, of libraries and certificates; no database yet. */
static void
authd_start(struct authd *a)
{
	if (jwt_init() == -1)
		fatalx("libcrypto does not compute HMAC-SHA256");
	if (database_start() == -1)
		fatalx("sqlite3_initialize failed");
	a->github = github_new(&a->child, &a->conf);
}

static void
authd_open(struct authd *a)
{
	a->access = access_new(a->child.base, &a->conf, a->github);
	a->sessions = sessions_new(&a->conf);
	a->sign_ins = sign_ins_new(&a->child);
	a->questions =
	    questions_new(&a->child, a->access, a->sessions, a->sign_ins);
	a->handles.tether = sessions_tether_db(a->sessions);
	a->tokens = tokens_new(sessions_tether_db(a->sessions));
	token_question_init(&a->token_question, &a->child, &a->conf, a->tokens);
	a->desk.child = &a->child;
	a->desk.conf = &a->conf;
	a->desk.sessions = a->sessions;
	a->desk.sign_ins = a->sign_ins;
	a->desk.tokens = a->tokens;
}

static void
authd_close(struct authd *a)
{
	questions_free(a->questions);
	sign_ins_free(a->sign_ins);
	access_free(a->access);
	github_free(a->github);
	token_question_clear(&a->token_question);
	tokens_free(a->tokens);
	sessions_free(a->sessions);
	folders_free(&a->folders);
}

static int
authd_on_session_get(void *arg, struct msg *m)
{
	struct authd *authd = arg;

	return questions_on_session_get(authd->questions, m);
}

static int
authd_on_session_get_by_token(void *arg, struct msg *m)
{
	struct authd *authd = arg;

	return questions_on_session_get_by_token(authd->questions, m);
}

static int
authd_on_session_get_service(void *arg, struct msg *m)
{
	struct authd *authd = arg;

	return questions_on_session_get_service(authd->questions, m);
}

static int
authd_on_admin(void *arg, struct msg *m)
{
	struct authd *authd = arg;

	return operator_on_admin(&authd->desk, m);
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

static int
authd_on_token_get(void *arg, struct msg *m)
{
	struct authd *authd = arg;

	return token_question_on_get(&authd->token_question, m);
}

static int
authd_on_token_granted(void *arg, struct msg *m)
{
	struct authd *authd = arg;

	return token_question_on_granted(&authd->token_question, m);
}

static void
authd_peer_lost(void *arg, enum program peer)
{
	struct authd *authd = arg;

	if (peer == PROGRAM_CONNECTOR)
		token_question_forget(&authd->token_question);
	if (peer == PROGRAM_PROXYD)
		questions_cancel(authd->questions);
}

static const char *
authd_conf_check(void *arg, const void *next, uint32_t *flags)
{
	const struct authd *authd = arg;
	const char *why = github_check(authd->github, next);

	if (why != NULL)
		return why;
	*flags |= reload_flags(&authd->conf, next);
	if (folders_are_lost(&authd->folders))
		*flags |= CONF_RESTART;
	return NULL;
}

/* All that uses the settings looks at them where they are. */
static void
authd_conf_switch(void *arg, void *next, uint32_t flags)
{
	struct authd *authd = arg;

	(void)flags;
	vault_drop_conf(&authd->conf);
	slice_free_authd(&authd->conf);
	memcpy(&authd->conf, next, sizeof(authd->conf));
	if (vault_keep_conf(&authd->conf) == -1)
		log_warnx("no locked memory for the secrets of the new "
			  "configuration: they are kept in other memory");
	sessions_reload(authd->sessions);
	github_reload(authd->github);
	access_reload(authd->access);
	sign_ins_forget(authd->sign_ins);
	operator_flush(&authd->desk);
	token_question_answer(&authd->token_question);
}

static void
authd_status(void *arg, struct status *status)
{
	const struct authd *authd = arg;

	sessions_status(authd->sessions, status);
	access_status(authd->access, status);
	status_set_number(
	    status, STATUS_AUTHD_HANDLES_MADE, authd->handles.made);
	status_set_number(
	    status, STATUS_AUTHD_GITHUB_ASKED, github_asked(authd->github));
	status_set_number(
	    status, STATUS_AUTHD_GITHUB_FAILED, github_failed(authd->github));
}

static void
authd_log_status(void *arg)
{
	const struct authd *authd = arg;

	sessions_log_status(authd->sessions);
}
