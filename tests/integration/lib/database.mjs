// The upstream's user database, by way of the sqlite3 command.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

import { deadline } from "./time.mjs";

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

// A lock of another process, until what is returned is called.
export async function lock(stage, path, mode = "EXCLUSIVE") {
	const shell = spawn("sqlite3", ["-batch", path],
		{ stdio: ["pipe", "pipe", "ignore"] });
	stage.atEnd(() => shell.kill("SIGKILL"));
	shell.stdin.write(".bail on\n.timeout 5000\nBEGIN " + mode + ";\n" +
		"SELECT 'locked';\n");
	for (let text = ""; !text.includes("locked\n");)
		text += (await deadline(once(shell.stdout, "data"), 10000,
			"no lock"))[0];
	return async () => {
		shell.stdin.end("COMMIT;\n");
		await deadline(once(shell, "close"), 5000, "sqlite3 did not end");
	};
}
