// Databases that fail, the upstream's and our own: whoever needs them is
// refused, it is logged once, everything else goes on, and so do they when it
// is over.

import assert from "node:assert/strict";
import { copyFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { createUserDatabase, lock, SCHEMAS, sql } from "./lib/database.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { run } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

const WARNING = /authd\[\d+\]: .*((user|identity) database|can't create)/;
const AGAIN = /database works again/;

// Somebody new each time: who came in is remembered for a while.
let people = 1000;
async function comeIn(connection) {
	const login = `user${++people}`;
	const answer = await connection.request({ path: "/api/whoami",
		headers: identity(people, login) });
	return { ...answer, login };
}

async function refused(connection, tetherd, line, from = tetherd.lines.length) {
	for (let i = 0; i < 5; i++) {
		const answer = await comeIn(connection);
		assert.equal(answer.status, 503);
		assert.doesNotMatch(answer.body, /\.db|sqlite/i);
	}
	await tetherd.line(line, { from });
	const lines = tetherd.lines.slice(from)
		.filter((l) => WARNING.test(l) && !AGAIN.test(l));
	assert.equal(lines.length, 1, lines.join("\n"));
	assert.match(lines[0], line);
	assert.equal((await connection.request()).status, 200,
		"what needs nobody goes on");
}

async function recovered(connection, tetherd) {
	assert.equal((await comeIn(connection)).status, 200);
	await tetherd.line(AGAIN);
}

const ours = (tetherd) => join(tetherd.home, "state/tether.db");
const theirs = (tetherd) => tetherd.database;
const DATABASES = { "the upstream's": theirs, "our own": ours };

async function removeAll(path) {
	for (const end of ["", "-wal", "-shm", "-journal"])
		await rm(path + end, { force: true });
}

for (const [name, path] of Object.entries(DATABASES))
	describe(name, { concurrency: 3 }, () => {
		scenario("locked for ten seconds", async (stage) => {
			const { connection, tetherd } = await startInstance(stage);
			await comeIn(connection);
			const release = await lock(stage, path(tetherd));
			const start = Date.now();
			let longest = 0;

			await refused(connection, tetherd, /locked/);
			while (Date.now() - start < 10000) {
				const asked = Date.now();
				assert.equal((await comeIn(connection)).status, 503);
				longest = Math.max(longest, Date.now() - asked);
				await sleep(500);
			}
			assert.ok(longest < 10000, `${longest} ms`);
			assert.equal(tetherd.all(/locked/).length, 1);
			await release();
			await recovered(connection, tetherd);
		});

		scenario("overwritten while it is open", async (stage) => {
			const { connection, tetherd } = await startInstance(stage);
			await comeIn(connection);
			await removeAll(path(tetherd));
			await writeFile(path(tetherd), "x".repeat(16384));

			await refused(connection, tetherd,
				/not a database; restore it from a copy or move it away/);
			await removeAll(path(tetherd));
			if (path === theirs)
				await createUserDatabase(path(tetherd));
			await recovered(connection, tetherd);
		});

		scenario("pages of it damaged", async (stage) => {
			const { connection, tetherd } = await startInstance(stage);
			const file = path(tetherd);
			await comeIn(connection);
			await sql(file, "PRAGMA wal_checkpoint(TRUNCATE)");
			const { stdout } = await run("sh", ["-c",
				'size=$(stat -c %s "$1") && dd if=/dev/zero of="$1" bs=4096 ' +
				'seek=1 count=$((size / 4096 - 1)) conv=notrunc 2>&1',
				"sh", file], { env: { PATH: process.env.PATH } });
			assert.match(stdout, /records out/);
			// Nobody looks at what they have in memory.
			process.kill(tetherd.childPid("authd"), "SIGKILL");
			await tetherd.line("lost child: authd");

			await refused(connection, tetherd, /malformed; restore/);
			await removeAll(file);
			if (path === theirs)
				await createUserDatabase(file);
			await recovered(connection, tetherd);
		});

		scenario("replaced while it is open", async (stage) => {
			const { connection, tetherd } = await startInstance(stage);
			const { login: first } = await comeIn(connection);
			const file = path(tetherd);
			await sql(file, "PRAGMA wal_checkpoint(TRUNCATE)");
			await copyFile(file, `${file}.copy`);
			assert.equal((await comeIn(connection)).status, 200);
			await removeAll(file);
			await rename(`${file}.copy`, file);

			const { login: last, status } = await comeIn(connection);
			assert.equal(status, 200);
			const table = path === theirs ? "users" : "identities";
			const column = path === theirs ? "username" : "login";
			const rows = await sql(file,
				`SELECT ${column} AS name FROM ${table} ORDER BY rowid`);
			assert.deepEqual(rows.map((row) => row.name),
				[first, last]);
		});

		scenario("without a column", async (stage) => {
			const { connection, tetherd } = await startInstance(stage);
			const file = path(tetherd);
			await comeIn(connection);
			const [drop, line] = path === theirs
				? ["DROP TABLE users; CREATE TABLE users (id INTEGER " +
					"PRIMARY KEY, username TEXT)", /columns are missing/]
				: ["ALTER TABLE identities DROP COLUMN disabled",
					/no such column: disabled/];
			await sql(file, drop);
			await refused(connection, tetherd, line);
			await sql(file, path === theirs
				? `DROP TABLE users; ${SCHEMAS.old}`
				: "ALTER TABLE identities ADD COLUMN disabled INTEGER " +
					"NOT NULL DEFAULT 0");
			await recovered(connection, tetherd);
		});
	});

// tetherd sees a small file system of its own in ./disk, as nobody else does,
// and has one of its databases there.
const ROOT = process.getuid() === 0;
// As nobody's root: one without the right to change users would not do.
const UNSHARE = ["unshare", "-m",
	...ROOT ? [] : ["-U", "--map-current-user", "--keep-caps"]];
const DROP = ROOT ? "" : "setpriv --ambient-caps=-all --inh-caps=-all";
const onDisk = (variable, place, spoil) => [...UNSHARE, "sh", "-c",
	"mkdir disk && mount -t tmpfs -o size=512k none disk && " +
	"cp auth.db disk/ && mkdir disk/state && " +
	`${spoil} && export ${variable}="$PWD/${place}" && exec ${DROP} "$@"`,
	"sh"];
const ENV = { env: { PATH: process.env.PATH } };

// A command inside.
const inside = (tetherd, command) => run("nsenter", ["-t",
	String(tetherd.pid), "-m", ...ROOT ? [] : ["-U",
		"--preserve-credentials"],
	"sh", "-c", `cd ${tetherd.home} && ${command}`], ENV);

// Whether such a file system can be made, and mounted in another way then.
async function isPossible(mount) {
	const [file, ...args] = UNSHARE;
	const { code } = await run(file, [...args, "sh", "-c",
		`mount -t tmpfs none /mnt && ${mount.replace("disk", "/mnt")}`],
	ENV).catch(() => ({ code: 1 }));

	return code === 0;
}

describe("the disk", { concurrency: 2 }, () => {
	const places = {
		"the upstream's": ["DATABASE_PATH", "disk/auth.db"],
		"our own": ["STATE_DIRECTORY", "disk/state"],
	};
	const failures = {
		"is full": {
			mount: ":",
			spoil: "{ dd if=/dev/zero of=disk/filler bs=4096 2>dd.log; :; }",
			line: /(is full|I\/O error); check the disk and the room on it/,
			repair: "rm disk/filler",
		},
		"is read-only": {
			mount: "mount -o remount,ro disk",
			spoil: "mount -o remount,ro disk",
			line: /check the owner and mode|Read-only file system/,
			repair: "mount -o remount,rw disk",
		},
	};
	for (const [name, [variable, place]] of Object.entries(places))
		for (const [how, { mount, spoil, line, repair }] of
			Object.entries(failures))
			scenario(`of ${name} ${how}`, async (stage, t) => {
				if (!await isPossible(mount) ||
					!ROOT && repair.startsWith("mount")) {
					t.skip("no mounting in namespaces here");
					return;
				}
				const { connection, tetherd } = await startInstance(stage, {
					within: onDisk(variable, place, spoil),
					env: { [variable]: undefined } });
				await refused(connection, tetherd, line, 0);
				assert.equal((await inside(tetherd, repair)).code, 0);
				await recovered(connection, tetherd);
			});
});
