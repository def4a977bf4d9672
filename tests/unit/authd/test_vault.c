/* Where secrets are, and that nothing is left of them. */

#include <sys/resource.h>
#include <sys/wait.h>

#include "authd/access.h"
#include "authd/jwt.h"
#include "authd/questions.h"
#include "authd/secret.h"
#include "authd/sessions.h"
#include "authd/sign_ins.h"
#include "authd/tether_db.h"
#include "authd/tokens.h"
#include "tests/unit/authd/memory_scan.h"
#include "tests/unit/authd/peers.h"

#define NOW 1700000000

static struct child child;

static void
test_pieces(void **state)
{
	struct veiled veiled;
	char secret[SCAN_LEN + 1];
	size_t used = CRYPTO_secure_used(), i;
	char *a, *b;

	(void)state;
	veiled_make(&veiled, secret);
	a = vault_copy(secret);
	assert_non_null(a);
	assert_string_equal(a, secret);
	assert_true(CRYPTO_secure_allocated(a));
	b = vault_copy_cached("");
	assert_non_null(b);
	assert_string_equal(b, "");
	vault_free(a);
	vault_free(b);
	vault_free(NULL);
	assert_int_equal(CRYPTO_secure_used(), used);
	/* Zeroes, whatever was there. */
	a = vault_new(4096);
	for (i = 0; i < 4096; i++)
		assert_int_equal(a[i], 0);
	vault_free(a);
	explicit_bzero(secret, sizeof(secret));
	if (CAN_SCAN)
		assert_int_equal(scan(&veiled), 0);
}

/* What may be made again leaves room; and what is full stays full. */
static void
test_full(void **state)
{
	char *pieces[VAULT_SIZE / 4096 + 1];
	size_t n = 0, cached;
	char text[4096];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	while ((pieces[n] = vault_copy_cached(text)) != NULL)
		n++;
	cached = n;
	assert_in_range(CRYPTO_secure_used(),
	    VAULT_CACHE_MAX - 2 * sizeof(text), VAULT_CACHE_MAX);
	while (n < COUNT(pieces) && (pieces[n] = vault_copy(text)) != NULL)
		n++;
	assert_in_range(n, cached + 1, COUNT(pieces) - 1);
	assert_null(vault_new(sizeof(text)));
	while (n > 0)
		vault_free(pieces[--n]);
}

static void
test_conf(void **state)
{
	struct fixture *f = *state;
	struct authd_conf *conf = &f->conf;
	struct veiled veiled[3];
	char secret[SCAN_LEN + 1];
	size_t used = CRYPTO_secure_used();
	char **fields[] = { &conf->jwt_secret, &conf->token,
		&conf->github_token };
	char *before;
	size_t i;

	for (i = 0; i < COUNT(fields); i++) {
		veiled_make(&veiled[i], secret);
		set_conf(fields[i], secret);
	}
	explicit_bzero(secret, sizeof(secret));
	assert_int_equal(vault_keep_conf(conf), 0);
	for (i = 0; i < COUNT(fields); i++) {
		assert_true(CRYPTO_secure_allocated(*fields[i]));
		assert_int_equal(strlen(*fields[i]), SCAN_LEN);
		if (CAN_SCAN)
			assert_int_equal(scan(&veiled[i]), 1);
	}
	/* There already: they stay. */
	before = conf->token;
	assert_int_equal(vault_keep_conf(conf), 0);
	assert_ptr_equal(conf->token, before);
	vault_drop_conf(conf);
	for (i = 0; i < COUNT(fields); i++) {
		assert_null(*fields[i]);
		if (CAN_SCAN)
			assert_int_equal(scan(&veiled[i]), 0);
	}
	assert_int_equal(CRYPTO_secure_used(), used);
	/* What is elsewhere is not the vault's. */
	set_conf(&conf->token, "plain");
	vault_drop_conf(conf);
	assert_string_equal(conf->token, "plain");
	assert_int_equal(vault_keep_conf(conf), 0);
	vault_drop_conf(conf);
	if (!CAN_SCAN)
		print_message("skipped: memory cannot be searched here\n");
}

/* Full when a configuration comes: it stays where it was, and whole. */
static void
test_conf_full(void **state)
{
	struct fixture *f = *state;
	char *pieces[2 * VAULT_SIZE / 4096];
	size_t n = 0, size;

	for (size = VAULT_SIZE / 2; size >= 32; size /= 2)
		while ((pieces[n] = vault_new(size)) != NULL)
			n++;
	set_conf(&f->conf.token, "a token");
	assert_int_equal(vault_keep_conf(&f->conf), -1);
	assert_string_equal(f->conf.token, "a token");
	assert_string_equal(f->conf.jwt_secret, SECRET);
	vault_drop_conf(&f->conf);
	assert_string_equal(f->conf.token, "a token");
	while (n > 0)
		vault_free(pieces[--n]);
}

/* The signature of a JWT that is somewhere in there: after its second dot. */
static void
veil_signature(struct veiled *v, const void *data, size_t len)
{
	const uint8_t *at = memmem(data, len, "eyJ", 3);
	size_t i;
	int dots = 0;

	assert_non_null(at);
	while (dots < 2)
		dots += *at++ == '.';
	for (i = 0; i < SCAN_LEN; i++)
		v->bytes[i] = at[i] ^ VEIL;
}

/* Sessions, with a secret of the web app's database. */
static void
test_sessions(void **state)
{
	struct fixture *f = *state;
	struct access_verdict verdict = { .result = ACCESS_ALLOWED,
		.github_id = 5,
		.login = "mona",
		.lifetime_ms = 60000 };
	struct session session;
	struct veiled secret_veiled, jwt_veiled;
	char secret[SCAN_LEN + 1];
	struct sessions *s;
	char sql[160];

	set_conf(&f->conf.jwt_secret, "");
	veiled_make(&secret_veiled, secret);
	(void)snprintf(sql, sizeof(sql),
	    "INSERT INTO app_config (key, value) VALUES ('jwt_secret', '%s')",
	    secret);
	explicit_bzero(secret, sizeof(secret));
	run_sql(f->users, schemas[NEW]);
	run_sql(f->users, sql);
	explicit_bzero(sql, sizeof(sql));
	if (CAN_SCAN)
		assert_int_equal(scan(&secret_veiled), 0);

	s = sessions_new(&f->conf);
	sessions_get(s, &verdict, NOW, &session);
	assert_int_equal(session.status, SESSION_OK);
	veil_signature(&jwt_veiled, session.jwt, sizeof(session.jwt));
	explicit_bzero(&session, sizeof(session));
	if (CAN_SCAN) {
		assert_int_equal(scan(&secret_veiled), 1);
		assert_int_equal(scan(&jwt_veiled), 1);
	}
	sessions_drop(s, 5);
	if (CAN_SCAN)
		assert_int_equal(scan(&jwt_veiled), 0);
	sessions_refresh(s);
	if (CAN_SCAN)
		assert_int_equal(scan(&secret_veiled), 0);
	sessions_get(s, &verdict, NOW, &session);
	assert_int_equal(session.status, SESSION_OK);
	explicit_bzero(&session, sizeof(session));
	sessions_free(s);
	if (CAN_SCAN) {
		assert_int_equal(scan(&secret_veiled), 0);
		assert_int_equal(scan(&jwt_veiled), 0);
	} else
		print_message("skipped: memory cannot be searched here\n");
}

/* With a full vault people still come in, and nothing is kept elsewhere. */
static void
test_sessions_full(void **state)
{
	struct fixture *f = *state;
	struct access_verdict verdict = { .result = ACCESS_ALLOWED,
		.github_id = 5,
		.login = "mona",
		.lifetime_ms = 60000 };
	char *pieces[VAULT_SIZE / 4096 + 1];
	struct session session;
	struct sessions *s;
	char text[4096];
	size_t n = 0;

	run_sql(f->users, schemas[NEW]);
	s = sessions_new(&f->conf);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	while ((pieces[n] = vault_copy(text)) != NULL)
		n++;
	(void)log_count(f, "");
	sessions_get(s, &verdict, NOW, &session);
	assert_int_equal(session.status, SESSION_OK);
	sessions_log_status(s);
	assert_int_equal(log_count(f, "0 sessions cached"), 1);
	while (n > 0)
		vault_free(pieces[--n]);
	sessions_free(s);
}

/* In place of the rules, which this test is not about. */
static struct access_wait *waiting;

bool
access_by_identity(struct access *a, uint64_t github_id, const char *login,
    struct access_verdict *verdict, struct access_wait *wait)
{
	(void)a;
	(void)github_id;
	(void)login;
	(void)verdict;
	waiting = wait;
	return false;
}

bool
access_by_token(struct access *a, const char *token,
    struct access_verdict *verdict, struct access_wait *wait)
{
	return access_by_identity(a, 0, token, verdict, wait);
}

void
access_cancel(struct access_wait *wait)
{
	assert_ptr_equal(wait, waiting);
}

/*
 * Nothing of the token stays while its verdict is out, and of the JWT only
 * what is in the vault once it is.
 */
static void
test_question(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct sign_ins *sign_ins = sign_ins_new(&child);
	struct questions *q = questions_new(&child, NULL, s, sign_ins);
	struct access_verdict verdict = { .result = ACCESS_ALLOWED,
		.github_id = 5,
		.login = "mona",
		.lifetime_ms = 60000 };
	char secret[SCAN_LEN + 1];
	struct veiled veiled;
	struct msg_out out;
	struct msg m;

	run_sql(f->users, schemas[NEW]);
	veiled_make(&veiled, secret);
	msg_start(&out, MSG_SESSION_GET_BY_TOKEN, 1);
	session_token_add(&out, secret);
	explicit_bzero(secret, sizeof(secret));
	m = received_message(&out);
	assert_int_equal(questions_on_session_get_by_token(q, &m), 0);
	assert_non_null(waiting);
	msg_discard(&out);
	if (CAN_SCAN)
		assert_int_equal(scan(&veiled), 0);
	else
		print_message("skipped: memory cannot be searched here\n");
	waiting->done(waiting->arg, &verdict);
	veil_signature(&veiled, sent[0].data, sent[0].len);
	peers_reset();
	if (CAN_SCAN)
		assert_int_equal(scan(&veiled), 1);
	questions_free(q);
	sign_ins_free(sign_ins);
	sessions_free(s);
}

/* A token that an orchestrator granted: stored, given out, forgotten. */
static void
test_tokens(void **state)
{
	struct fixture *f = *state;
	char text[TOKENS_TOKEN_MAX + 1], id[TOKENS_CLIENT_ID_MAX + 1];
	char secret[SCAN_LEN + 1];
	struct tether_db db;
	struct veiled veiled;
	struct tokens *t;
	sqlite3 *lock;

	tether_db_init(&db, f->state);
	t = tokens_new(&db);
	veiled_make(&veiled, secret);
	assert_int_equal(tokens_put(t, "hub:443", secret, "me", NOW), DB_OK);
	if (CAN_SCAN)
		assert_int_equal(scan(&veiled), 1); /* the test's own */
	/* In memory only for as long as it must be, and in the vault. */
	lock = hold_lock(f->tether);
	assert_int_equal(tokens_put(t, "b:443", secret, "me", NOW), DB_FAILED);
	explicit_bzero(secret, sizeof(secret));
	if (CAN_SCAN)
		assert_int_equal(scan(&veiled), 1);
	(void)sqlite3_close(lock);
	assert_int_equal(tokens_get(t, "b:443", text, id), DB_OK);
	explicit_bzero(text, sizeof(text));
	if (CAN_SCAN)
		assert_int_equal(scan(&veiled), 0);

	assert_int_equal(tokens_get(t, "hub:443", text, id), DB_OK);
	assert_int_equal(strlen(text), SCAN_LEN);
	explicit_bzero(text, sizeof(text));
	if (CAN_SCAN)
		assert_int_equal(scan(&veiled), 0);
	assert_int_equal(tokens_forget(t, "hub"), DB_OK);
	if (CAN_SCAN)
		assert_int_equal(scan(&veiled), 0);
	else
		print_message("skipped: memory cannot be searched here\n");
	tokens_free(t);
	tether_db_free(&db);
	database_forget(&db.db);
}

/* Without memory that can be locked it says so, and goes on. */
static void
test_not_locked(void **state)
{
	const struct rlimit none = { 0, 0 };
	struct fixture *f = *state;
	char *secret;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* Made anew, by somebody whom the limit is for. */
		if (CRYPTO_secure_malloc_done() != 1 ||
		    setrlimit(RLIMIT_MEMLOCK, &none) == -1 ||
		    (geteuid() == 0 && setuid(65534) == -1))
			_exit(1);
		vault_init();
		secret = vault_copy("secret");
		_exit(log_count(f, "not locked") == 1 && secret != NULL &&
			      CRYPTO_secure_allocated(secret)
			  ? 0
			  : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(log_count(f, ""), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, peers_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pieces),
		TEST(test_full),
		TEST(test_conf),
		TEST(test_conf_full),
		TEST(test_sessions),
		TEST(test_sessions_full),
		TEST(test_question),
		TEST(test_tokens),
		TEST(test_not_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
