// The upstream's user database, by way of the sqlite3 command.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export const SCHEMAS = {
	old: `CREATE TABLE users (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		username TEXT UNIQUE NOT NULL,
		password_hash TEXT NOT NULL,
		created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
		last_login DATETIME,
		is_active BOOLEAN DEFAULT 1);`,
};
SCHEMAS.new = SCHEMAS.old.replace(/\);$/, `,
		git_name TEXT, git_email TEXT,
		has_completed_onboarding BOOLEAN DEFAULT 0);
	CREATE TABLE app_config (key TEXT PRIMARY KEY, value TEXT NOT NULL);`);
SCHEMAS.fork = SCHEMAS.old.replace(/\);$/, ", github_id TEXT UNIQUE);");

export async function createUserDatabase(path, schema = "old") {
	await sql(path, `PRAGMA journal_mode=WAL; ${SCHEMAS[schema]}`);
}

// The rows of a query, as objects.
export async function sql(path, text) {
	const { stdout } = await run("sqlite3",
		["-batch", "-json", "-cmd", ".timeout 5000", path, text]);
	try {
		return stdout.trim() === "" ? [] : JSON.parse(stdout);
	} catch {
		return []; // a pragma's plain line
	}
}
