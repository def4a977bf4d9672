#include <string.h>

#include <sqlite3.h>

#include "authd/tether_service.h"

static enum db_result service_write(
    struct tether_db *, const struct tether_identity *, time_t);

enum db_result
tether_service_get(struct tether_db *t, struct tether_identity *service)
{
	sqlite3_stmt *stmt;
	enum db_result result;

	memset(service, 0, sizeof(*service));
	(void)strlcpy(
	    service->login, SESSION_SERVICE_LOGIN, sizeof(service->login));
	stmt = database_prepare(
	    &t->db, "SELECT upstream_user_id, upstream_user_name FROM service");
	result = database_step(&t->db, stmt);
	if (result == DB_OK) {
		service->user_id = sqlite3_column_int64(stmt, 0);
		if (!database_text(stmt, 1, service->user_name,
			sizeof(service->user_name))) {
			trouble_report(&t->db.trouble,
			    "identity database %s: unusable name of the "
			    "instance's own user",
			    t->db.path);
			result = DB_FAILED;
		}
	}
	(void)sqlite3_finalize(stmt);
	return result;
}

enum db_result
tether_service_bind(
    struct tether_db *t, const struct tether_identity *service, time_t now)
{
	database_patience(&t->db, DATABASE_WAIT);
	if (database_exec(&t->db, "BEGIN IMMEDIATE") == DB_OK &&
	    service_write(t, service, now) == DB_OK &&
	    database_exec(&t->db, "COMMIT") == DB_OK)
		return DB_OK;
	database_rollback(&t->db);
	return DB_FAILED;
}

static enum db_result
service_write(
    struct tether_db *t, const struct tether_identity *service, time_t now)
{
	static const char *const sql[] = {
		/* An old note of a user whose id and name came again. */
		"UPDATE identities SET upstream_user_id = NULL,"
		" upstream_user_name = NULL WHERE upstream_user_id = ?1"
		" AND upstream_user_name = ?2",
		"INSERT INTO service (id, upstream_user_id,"
		" upstream_user_name, created_at, last_seen)"
		" VALUES (0, ?1, ?2, ?3, ?3)"
		" ON CONFLICT (id) DO UPDATE SET upstream_user_id = ?1,"
		" upstream_user_name = ?2, last_seen = ?3",
	};
	enum db_result result = DB_OK;
	sqlite3_stmt *stmt;
	size_t i;

	for (i = 0; i < 2 && result == DB_OK; i++) {
		stmt = database_prepare(&t->db, sql[i]);
		if (stmt != NULL) {
			(void)sqlite3_bind_int64(stmt, 1, service->user_id);
			(void)sqlite3_bind_text(
			    stmt, 2, service->user_name, -1, SQLITE_STATIC);
		}
		if (stmt != NULL && i == 1)
			(void)sqlite3_bind_int64(stmt, 3, now);
		result = database_finish(&t->db, stmt);
	}
	return result;
}

enum db_result
tether_service_seen(struct tether_db *t, time_t now)
{
	sqlite3_stmt *stmt;

	database_patience(&t->db, DATABASE_WAIT_LITTLE);
	stmt = database_prepare(&t->db, "UPDATE service SET last_seen = ?1");
	if (stmt != NULL)
		(void)sqlite3_bind_int64(stmt, 1, now);
	return database_finish(&t->db, stmt);
}
