#include <sys/queue.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "authd/tether_db.h"
#include "authd/tokens.h"
#include "authd/vault.h"
#include "common/log.h"
#include "common/slice.h"

/* One token, as the table has it; the text is in the vault. */
struct token {
	LIST_ENTRY(token) entry;
	char *host;
	char *text;
	char client_id[TOKENS_CLIENT_ID_MAX + 1];
	time_t granted_at;
};

struct tokens {
	struct tether_db *tether;
	LIST_HEAD(, token) unsaved; /* not in the database, or newer */
};

/* What is looked for, and how often it was found. */
struct search {
	const char *whom;
	char *host;
	size_t found;
};

static char *
copy(const char *s)
{
	char *c = strdup(s);

	if (c == NULL)
		fatal("tokens");
	return c;
}

struct tokens *
tokens_new(struct tether_db *tether)
{
	struct tokens *t = calloc(1, sizeof(*t));

	if (t == NULL)
		fatal("tokens");
	t->tether = tether;
	LIST_INIT(&t->unsaved);
	return t;
}

static void
drop(struct token *token)
{
	LIST_REMOVE(token, entry);
	vault_free(token->text);
	free(token->host);
	free(token);
}

void
tokens_free(struct tokens *t)
{
	while (!LIST_EMPTY(&t->unsaved))
		drop(LIST_FIRST(&t->unsaved));
	free(t);
}

static struct token *
find_unsaved(const struct tokens *t, const char *host)
{
	struct token *token;

	LIST_FOREACH(token, &t->unsaved, entry)
	if (strcmp(token->host, host) == 0)
		break;
	return token;
}

/* DB_NONE where there is no file: it is not made just to be read. */
static enum db_result
open_to_read(struct tether_db *tether)
{
	if (access(tether->db.path, F_OK) == -1 && errno == ENOENT)
		return DB_NONE;
	return tether_db_open(tether);
}

/* What is overwritten is to be gone from the file, too. */
static enum db_result
open_to_write(struct tether_db *tether)
{
	if (tether_db_open(tether) != DB_OK)
		return DB_FAILED;
	return database_exec(&tether->db, "PRAGMA secure_delete = ON");
}

/* With nothing of the token left in SQLite's memory. */
static enum db_result
finish_write(struct tether_db *tether, sqlite3_stmt *stmt)
{
	enum db_result result = database_finish(&tether->db, stmt);

	database_close(&tether->db);
	return result;
}

static enum db_result
row_put(struct tether_db *tether, const char *host, const char *text,
    const char *client_id, time_t granted_at)
{
	sqlite3_stmt *stmt;

	if (open_to_write(tether) != DB_OK)
		return DB_FAILED;
	stmt = database_prepare(&tether->db,
	    "INSERT INTO tokens (host, client_id, token, granted_at)"
	    " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (host) DO UPDATE"
	    " SET client_id = ?2, token = ?3, granted_at = ?4");
	if (stmt != NULL) {
		(void)sqlite3_bind_text(stmt, 1, host, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(stmt, 2, client_id, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(stmt, 3, text, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(stmt, 4, granted_at);
	}
	if (finish_write(tether, stmt) != DB_OK)
		return DB_FAILED;
	trouble_over(&tether->db.trouble, tether->db.what);
	return DB_OK;
}

/* A row that we cannot have written counts for none. */
static bool
row_read(sqlite3_stmt *stmt, char token[TOKENS_TOKEN_MAX + 1],
    char client_id[TOKENS_CLIENT_ID_MAX + 1])
{
	return database_text(stmt, 0, token, TOKENS_TOKEN_MAX + 1) &&
	       database_text(stmt, 1, client_id, TOKENS_CLIENT_ID_MAX + 1) &&
	       token[0] != '\0' && slice_is_token(token) &&
	       client_id_check(client_id) == NULL;
}

static enum db_result
row_get(struct tether_db *tether, const char *host,
    char token[TOKENS_TOKEN_MAX + 1], char client_id[TOKENS_CLIENT_ID_MAX + 1])
{
	enum db_result result = open_to_read(tether);
	sqlite3_stmt *stmt;

	if (result != DB_OK)
		return result;
	stmt = database_prepare(
	    &tether->db, "SELECT token, client_id FROM tokens WHERE host = ?1");
	if (stmt != NULL)
		(void)sqlite3_bind_text(stmt, 1, host, -1, SQLITE_STATIC);
	result = database_step(&tether->db, stmt);
	if (result == DB_OK && !row_read(stmt, token, client_id)) {
		trouble_report(&tether->db.trouble,
		    "identity database %s: the token of %s is not usable",
		    tether->db.path, host);
		explicit_bzero(token, TOKENS_TOKEN_MAX + 1);
		client_id[0] = '\0';
		result = DB_NONE;
	}
	(void)sqlite3_finalize(stmt);
	database_forget(&tether->db);
	return result;
}

enum db_result
tokens_get(struct tokens *t, const char *host, char token[TOKENS_TOKEN_MAX + 1],
    char client_id[TOKENS_CLIENT_ID_MAX + 1])
{
	struct token *unsaved = find_unsaved(t, host);

	token[0] = client_id[0] = '\0';
	if (unsaved == NULL)
		return row_get(t->tether, host, token, client_id);
	(void)strlcpy(token, unsaved->text, TOKENS_TOKEN_MAX + 1);
	(void)strlcpy(client_id, unsaved->client_id, TOKENS_CLIENT_ID_MAX + 1);
	if (row_put(t->tether, host, token, client_id, unsaved->granted_at) ==
	    DB_OK) {
		log_infox("orchestrator token granted by %s is kept in "
			  "tether.db now",
		    host);
		drop(unsaved);
	}
	return DB_OK;
}

/* What the database does not take; false if there is no room in the vault. */
static bool
keep(struct tokens *t, const char *host, const char *text,
    const char *client_id, time_t now)
{
	struct token *token = calloc(1, sizeof(*token));

	if (token == NULL)
		fatal("tokens");
	if ((token->text = vault_copy(text)) == NULL) {
		free(token);
		return false;
	}
	token->host = copy(host);
	(void)strlcpy(token->client_id, client_id, sizeof(token->client_id));
	token->granted_at = now;
	LIST_INSERT_HEAD(&t->unsaved, token, entry);
	return true;
}

enum db_result
tokens_put(struct tokens *t, const char *host, const char *text,
    const char *client_id, time_t now)
{
	struct token *last = find_unsaved(t, host);

	if (last != NULL)
		drop(last);
	if (row_put(t->tether, host, text, client_id, now) == DB_OK) {
		log_infox("orchestrator token granted by %s, kept in tether.db",
		    host);
		return DB_OK;
	}
	if (keep(t, host, text, client_id, now))
		log_warnx("orchestrator token granted by %s can't be stored: "
			  "kept in memory until authd ends",
		    host);
	else
		log_warnx("orchestrator token granted by %s can't be kept: no "
			  "memory for secrets",
		    host);
	return DB_FAILED;
}

static void
tell(const char *host, const char *client_id, int64_t granted_at,
    void (*each)(void *, const struct admin_token *), void *arg)
{
	struct admin_token row = { .granted_at = (uint64_t)granted_at };

	(void)strlcpy(row.host, host, sizeof(row.host));
	(void)strlcpy(row.client_id, client_id, sizeof(row.client_id));
	each(arg, &row);
}

static const char *
column(sqlite3_stmt *stmt, int i)
{
	const unsigned char *text = sqlite3_column_text(stmt, i);

	return text == NULL ? "" : (const char *)text;
}

enum db_result
tokens_list(struct tokens *t, size_t max,
    void (*each)(void *arg, const struct admin_token *), void *arg)
{
	struct tether_db *tether = t->tether;
	enum db_result result = open_to_read(tether);
	const struct token *token;
	sqlite3_stmt *stmt;
	const char *host;
	size_t n = 0;

	LIST_FOREACH(token, &t->unsaved, entry)
	if (n++ < max)
		tell(token->host, token->client_id, token->granted_at, each,
		    arg);
	if (result != DB_OK)
		return result == DB_NONE ? DB_OK : result;
	stmt = database_prepare(&tether->db,
	    "SELECT host, client_id, granted_at FROM tokens ORDER BY host");
	while ((result = database_step(&tether->db, stmt)) == DB_OK) {
		host = column(stmt, 0);
		if (find_unsaved(t, host) == NULL && n++ < max)
			tell(host, column(stmt, 1),
			    sqlite3_column_int64(stmt, 2), each, arg);
	}
	(void)sqlite3_finalize(stmt);
	database_forget(&tether->db);
	return result == DB_NONE ? DB_OK : result;
}

/* Whether "host:port" is meant by that, or by "host"; names have no case. */
static bool
is_meant(const char *whom, const char *host)
{
	size_t len = strlen(whom);
	const char *colon = strrchr(host, ':');

	/* An IPv6 address may come without its brackets. */
	if (host[0] == '[' && whom[0] != '[' && colon - host >= 2 &&
	    (size_t)(colon - host) == len + 2)
		return strncasecmp(whom, host + 1, len) == 0;
	return strncasecmp(whom, host, len) == 0 &&
	       (host[len] == '\0' || host + len == colon);
}

static void
look_at(void *arg, const struct admin_token *row)
{
	struct search *search = arg;

	if (!is_meant(search->whom, row->host))
		return;
	search->found++;
	free(search->host);
	search->host = copy(row->host);
}

static enum db_result
row_forget(struct tether_db *tether, const char *host)
{
	enum db_result result = open_to_read(tether);
	sqlite3_stmt *stmt;

	if (result != DB_OK)
		return result == DB_NONE ? DB_OK : result;
	if (open_to_write(tether) != DB_OK)
		return DB_FAILED;
	stmt =
	    database_prepare(&tether->db, "DELETE FROM tokens WHERE host = ?1");
	if (stmt != NULL)
		(void)sqlite3_bind_text(stmt, 1, host, -1, SQLITE_STATIC);
	return finish_write(tether, stmt);
}

enum db_result
tokens_forget(struct tokens *t, const char *whom)
{
	struct search search = { .whom = whom };
	enum db_result result = tokens_list(t, SIZE_MAX, look_at, &search);
	struct token *token;

	if (result == DB_OK && search.found != 1)
		result = search.found == 0 ? DB_NONE : DB_TAKEN;
	if (result == DB_OK)
		result = row_forget(t->tether, search.host);
	if (result == DB_OK && (token = find_unsaved(t, search.host)) != NULL)
		drop(token);
	free(search.host);
	return result;
}
