#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <sqlite3.h>

#include "authd/handles.h"
#include "authd/policy.h"
#include "authd/tether_db.h"
#include "common/base64.h"

#define RANDOM_SIZE 32
#define HASH_SIZE   32

/* SQL with our numbers in it. */
#define TEXT_OF(n) #n
#define NUMBER(n)  TEXT_OF(n)

/* used_at may be ahead of a clock that was set back. */
#define IS_EXPIRED                  \
	"(used_at <= ?4 - " NUMBER( \
	    HANDLES_TIMEOUT) " OR used_at >= ?4 + " NUMBER(HANDLES_TIMEOUT) ")"

/* A row of the table. */
struct row {
	uint8_t hash[HASH_SIZE];
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
	time_t used_at;
};

static void handle_generate(char[HANDLE_SIZE]);
static bool handle_hash(const char *, uint8_t[HASH_SIZE]);
static enum db_result row_insert(struct tether_db *, const struct row *);
static enum db_result row_insert_trim(struct tether_db *, const struct row *);
static enum db_result row_get(struct tether_db *, struct row *, time_t);
static enum db_result row_touch(struct tether_db *, const struct row *, time_t);
static enum db_result row_run(
    struct tether_db *, const char *, const struct row *);
static bool person_is_enabled(struct tether_db *, uint64_t);

void
handles_make(struct handles *h, uint64_t github_id, const char *login,
    time_t now, char handle[HANDLE_SIZE])
{
	struct tether_db *t = h->tether;
	struct row row = { .github_id = github_id, .used_at = now };

	handle[0] = '\0';
	if (!policy_id_is_valid(github_id) || !policy_login_is_valid(login) ||
	    tether_db_open(t) != DB_OK)
		return;
	(void)strlcpy(row.login, login, sizeof(row.login));
	handle_generate(handle);
	if (handle_hash(handle, row.hash) && row_insert(t, &row) == DB_OK) {
		trouble_over(&t->db.trouble, t->db.what);
		h->made++;
	} else
		explicit_bzero(handle, HANDLE_SIZE);
}

void
handles_check(const struct handles *h, const char *handle, time_t now,
    struct handle_owner *owner)
{
	struct tether_db *t = h->tether;
	struct row row = { 0 };

	memset(owner, 0, sizeof(*owner));
	if (!handle_is_valid(handle) || !handle_hash(handle, row.hash) ||
	    tether_db_open(t) != DB_OK || row_get(t, &row, now) != DB_OK)
		return;
	if (!policy_id_is_valid(row.github_id) ||
	    !policy_login_is_valid(row.login) ||
	    !person_is_enabled(t, row.github_id))
		return;
	owner->github_id = row.github_id;
	(void)strlcpy(owner->login, row.login, sizeof(owner->login));
	/* A database that can only be read is no reason to refuse. */
	(void)row_touch(t, &row, now);
}

enum db_result
handles_revoke(struct tether_db *t, uint64_t github_id)
{
	struct row row = { .github_id = github_id };

	return row_run(t, "DELETE FROM handles WHERE github_id = ?2", &row);
}

static void
handle_generate(char handle[HANDLE_SIZE])
{
	char text[BASE64_SIZE(RANDOM_SIZE)];
	uint8_t random[RANDOM_SIZE];
	struct base64 encoder = { 0 };
	size_t n, i;

	arc4random_buf(random, sizeof(random));
	n = base64_feed(&encoder, random, sizeof(random), text);
	n += base64_finish(&encoder, text + n);
	for (i = 0; i < n; i++) {
		if (text[i] == '+')
			text[i] = '-';
		else if (text[i] == '/')
			text[i] = '_';
		else if (text[i] == '=')
			text[i] = '\0';
	}
	(void)strlcpy(handle, HANDLE_PREFIX, HANDLE_SIZE);
	(void)strlcat(handle, text, HANDLE_SIZE);
	explicit_bzero(random, sizeof(random));
	explicit_bzero(text, sizeof(text));
	explicit_bzero(&encoder, sizeof(encoder));
}

static bool
handle_hash(const char *handle, uint8_t hash[HASH_SIZE])
{
	unsigned int n;

	return EVP_Digest(
		   handle, strlen(handle), hash, &n, EVP_sha256(), NULL) == 1 &&
	       n == HASH_SIZE;
}

/* DB_NONE for somebody who must not have one. */
static enum db_result
row_insert(struct tether_db *t, const struct row *row)
{
	enum db_result result;

	database_patience(&t->db, DATABASE_WAIT);
	result = database_exec(&t->db, "BEGIN IMMEDIATE");
	if (result == DB_OK && !person_is_enabled(t, row->github_id))
		result = DB_NONE;
	if (result == DB_OK)
		result = row_insert_trim(t, row);
	if (result == DB_OK)
		result = database_exec(&t->db, "COMMIT");
	if (result != DB_OK)
		database_rollback(&t->db);
	return result;
}

/* Make room for one row, then add it. */
static enum db_result
row_insert_trim(struct tether_db *t, const struct row *row)
{
	static const char *const sql[] = {
		"DELETE FROM handles WHERE " IS_EXPIRED,
		"DELETE FROM handles WHERE rowid IN"
		" (SELECT rowid FROM handles WHERE github_id = ?2"
		" ORDER BY used_at DESC, rowid DESC"
		" LIMIT -1 OFFSET " NUMBER(HANDLES_PER_PERSON) " - 1)",
		"DELETE FROM handles WHERE rowid IN"
		" (SELECT rowid FROM handles"
		" ORDER BY used_at DESC, rowid DESC"
		" LIMIT -1 OFFSET " NUMBER(HANDLES_MAX) " - 1)",
		"INSERT INTO handles (hash, github_id, login, made_at,"
		" used_at) VALUES (?1, ?2, ?3, ?4, ?4)"
		" ON CONFLICT (hash) DO NOTHING",
	};
	enum db_result result = DB_OK;
	size_t i;

	for (i = 0; i < sizeof(sql) / sizeof(sql[0]) && result == DB_OK; i++)
		result = row_run(t, sql[i], row);
	/* Nobody gets a handle that is in use, however unlikely. */
	if (result == DB_OK && sqlite3_changes(t->db.handle) != 1)
		result = DB_TAKEN;
	return result;
}

/* The row of row->hash; DB_NONE if there is none that is good. */
static enum db_result
row_get(struct tether_db *t, struct row *row, time_t now)
{
	sqlite3_stmt *stmt;
	enum db_result result;
	bool expired = false;

	stmt = database_prepare(&t->db,
	    "SELECT github_id, login, used_at, " IS_EXPIRED
	    " FROM handles WHERE hash = ?1");
	if (stmt != NULL) {
		(void)sqlite3_bind_blob(
		    stmt, 1, row->hash, sizeof(row->hash), SQLITE_STATIC);
		(void)sqlite3_bind_int64(stmt, 4, now);
	}
	result = database_step(&t->db, stmt);
	if (result == DB_OK) {
		row->github_id = (uint64_t)sqlite3_column_int64(stmt, 0);
		row->used_at = sqlite3_column_int64(stmt, 2);
		expired = sqlite3_column_int(stmt, 3) != 0;
		if (!database_text(stmt, 1, row->login, sizeof(row->login)))
			result = DB_NONE; /* nothing that we wrote */
	}
	(void)sqlite3_finalize(stmt);
	if (!expired)
		return result;
	row->used_at = now;
	database_patience(&t->db, DATABASE_WAIT_LITTLE);
	(void)row_run(t, "DELETE FROM handles WHERE " IS_EXPIRED, row);
	return DB_NONE;
}

/* Not more often than needed: each time waits for the disk. */
static enum db_result
row_touch(struct tether_db *t, const struct row *row, time_t now)
{
	struct row touched = *row;

	if (now >= row->used_at && now - row->used_at < HANDLES_TOUCH)
		return DB_OK;
	touched.used_at = now;
	database_patience(&t->db, DATABASE_WAIT_LITTLE);
	return row_run(
	    t, "UPDATE handles SET used_at = ?4 WHERE hash = ?1", &touched);
}

static enum db_result
row_run(struct tether_db *t, const char *sql, const struct row *row)
{
	sqlite3_stmt *stmt = database_prepare(&t->db, sql);

	/* What a statement does not have is not bound. */
	if (stmt != NULL) {
		(void)sqlite3_bind_blob(
		    stmt, 1, row->hash, sizeof(row->hash), SQLITE_STATIC);
		(void)sqlite3_bind_int64(stmt, 2, (int64_t)row->github_id);
		(void)sqlite3_bind_text(stmt, 3, row->login, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(stmt, 4, row->used_at);
	}
	return database_finish(&t->db, stmt);
}

static bool
person_is_enabled(struct tether_db *t, uint64_t github_id)
{
	struct tether_identity identity;

	return tether_db_get(t, github_id, &identity) == DB_OK &&
	       !identity.disabled;
}
