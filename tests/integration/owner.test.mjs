// Who runs as whom, and whose the files are: started as root, tetherd leaves
// the user database to its owner.

import assert from "node:assert/strict";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat,
	writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { createUserDatabase, SCHEMAS, sql } from "./lib/database.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { run, startTetherd, tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";

const NOT_ROOT = process.getuid() !== 0 && "only root may change users";
const OWNER = 1234;
const NOBODY = 65534;
const ENDS = ["", "-wal", "-shm"];

let people = 2000;
const comeIn = (connection) => connection.request({ path: "/api/whoami",
	headers: identity(++people, `user${people}`) });

// Real, effective, saved and of files; and the groups.
async function users(pid) {
	const text = await readFile(`/proc/${pid}/status`, "utf8");
	const numbers = (name) => new RegExp(`^${name}:(.*)$`, "m").exec(text)[1]
		.trim().split(/\s+/).filter((word) => word !== "").map(Number);
	return { uids: numbers("Uid"), gids: numbers("Gid"),
		groups: numbers("Groups") };
}

async function assertRunsAs(pid, uid, gid = uid) {
	assert.deepEqual(await users(pid), { uids: Array(4).fill(uid),
		gids: Array(4).fill(gid), groups: [] });
}

async function assertOwner(path, uid, mode) {
	const found = await stat(path);
	assert.equal(found.uid, uid, path);
	assert.equal(found.gid, uid, path);
	if (mode !== undefined)
		assert.equal((found.mode & 0o7777).toString(8), mode.toString(8),
			path);
}

// What another program of that user says to a database.
async function asUser(uid, path, text) {
	const { code, stdout, stderr } = await run("setpriv", [
		`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups",
		"sqlite3", "-batch", "-cmd", ".timeout 5000", path, text]);
	assert.equal(code, 0, stderr);
	return stdout.trim();
}

// A folder as the web app makes it, in one of root's that all may pass.
async function prepare(stage, { made = true, uid = OWNER } = {}) {
	const root = await stage.directory();
	const path = (name) => join(root, name);
	const app = path("app"), database = join(app, "auth.db");

	await chmod(root, 0o755);
	const make = async (folder = app) => {
		await mkdir(folder, { mode: 0o700 });
		await createUserDatabase(join(folder, "auth.db"));
		for (const name of ["", ...await readdir(folder)])
			await chown(join(folder, name), uid, uid);
	};
	if (made)
		await make();
	return { root, path, app, database, make, env: {
		DATABASE_PATH: database, STATE_DIRECTORY: path("state") } };
}

async function start(stage, options = {}, more = {}) {
	const place = await prepare(stage, options);
	const instance = await startInstance(stage,
		{ database: false, env: { ...place.env, ...options.env }, ...more });
	return { ...place, ...instance };
}

describe("the owner of the user database", { concurrency: 2,
	skip: NOT_ROOT }, () => {
	scenario("authd runs as that user", async (stage) => {
		const { tetherd, connection, database, path } = await start(stage);
		const state = path("state");

		await assertRunsAs(tetherd.childPid("authd"), OWNER);
		await assertRunsAs(tetherd.childPid("proxyd"), NOBODY);
		await assertRunsAs(tetherd.childPid("connector"), NOBODY);
		assert.equal((await users(tetherd.pid)).uids[1], 0);
		await tetherd.line(`authd runs as uid ${OWNER}, which ` +
			`${database} belongs to`);
		await tetherd.line("user _tetherconn does not exist: " +
			`its processes run as uid ${NOBODY}`);

		assert.equal((await comeIn(connection)).status, 200);
		await assertOwner(state, OWNER, 0o700);
		await assertOwner(join(state, "tether.db"), OWNER, 0o600);
		for (const end of ENDS)
			await assertOwner(database + end, OWNER);
	});

	scenario("beside a writer, and after SIGKILL", async (stage) => {
		const { tetherd, connection, database, path } = await start(stage);
		const insert = (name) => asUser(OWNER, database, "INSERT INTO users " +
			`(username, password_hash) VALUES ('${name}', 'x')`);

		for (let i = 0; i < 3; i++) {
			const from = tetherd.lines.length;
			await insert(`writer${i}`);
			const answers = await Promise.all(
				[comeIn(connection), comeIn(connection),
					insert(`again${i}`)]);
			assert.equal(answers[0].status, 200);
			assert.equal(answers[1].status, 200);
			for (const end of ENDS)
				await assertOwner(database + end, OWNER);
			process.kill(tetherd.childPid("authd"), "SIGKILL");
			await tetherd.line("authd: started", { from });
			await until(async () =>
				(await comeIn(connection)).status === 200, "no way in");
			await assertRunsAs(tetherd.childPid("authd"), OWNER);
		}
		assert.equal(await asUser(OWNER, database,
			"PRAGMA integrity_check"), "ok");
		assert.equal(await asUser(OWNER, database, "SELECT count(*) " +
			"FROM users WHERE username LIKE 'user%'") >= 9, true);
		assert.equal(await asUser(OWNER, path("state/tether.db"),
			"PRAGMA integrity_check"), "ok");
	});

	scenario("a state directory from before is given on", async (stage) => {
		const place = await prepare(stage);
		const state = join(place.root, "state");
		const { database, env } = place;

		// By a tetherd whose database was root's.
		await chown(database, 0, 0);
		const first = await startTetherd(stage, { database: false, env:
			{ ...env, ORCHESTRATOR_MODE: "standalone" } });
		await first.line("startup complete");
		await first.line(`authd runs as root, which ${database} belongs to`);
		await assertRunsAs(first.childPid("authd"), 0);
		await until(async () => (await readdir(state).catch(() => []))
			.includes("tether.db"), "no database");
		first.signal("SIGTERM");
		await first.ended();
		await assertOwner(join(state, "tether.db"), 0);

		await chown(database, OWNER, OWNER);
		const { tetherd, connection } = await startInstance(stage,
			{ database: false, env });
		assert.equal((await comeIn(connection)).status, 200);
		await assertOwner(state, OWNER, 0o700);
		await assertOwner(join(state, "tether.db"), OWNER, 0o600);
		assert.deepEqual(tetherd.all("not given"), []);
	});

	scenario("what is not ours is nobody else's", async (stage) => {
		const place = await prepare(stage);
		const { root, env } = place;
		const other = await stage.directory();
		const state = join(root, "state");
		const tries = [
			// There is something else in it.
			async () => {
				await mkdir(state, { mode: 0o755 });
				await writeFile(join(state, "secret"), "x");
				return state;
			},
			// It is reached by a link of somebody's.
			async () => {
				await mkdir(join(other, "mine"));
				await run("ln", ["-s", join(other, "mine"),
					join(place.app, "link")]);
				env.STATE_DIRECTORY = join(place.app, "link");
				return join(other, "mine");
			},
			// It is in a folder of somebody's.
			async () => {
				await mkdir(join(place.app, "root"), { mode: 0o755 });
				env.STATE_DIRECTORY = join(place.app, "root");
				return env.STATE_DIRECTORY;
			},
		];
		for (const make of tries) {
			const path = await make();
			const { tetherd, connection } = await startInstance(stage,
				{ database: false, env });
			assert.equal((await comeIn(connection)).status, 503);
			await tetherd.line(/can't create .*: Permission denied/);
			assert.equal((await stat(path)).uid, 0);
			tetherd.signal("SIGTERM");
			await tetherd.ended();
		}
	});

	scenario("the default of the state directory", async (stage) => {
		const { env, path } = await prepare(stage);
		const { stdout } = await check({ ...env,
			STATE_DIRECTORY: undefined });
		assert.match(stdout, /^state directory "\/var\/lib\/tetherd"/m);
		const set = await check(env);
		assert.match(set.stdout, new RegExp(
			`^state directory "${path("state")}"`, "m"));
		const mine = await check({ DATABASE_PATH: path("auth.db"),
			STATE_DIRECTORY: undefined });
		assert.match(mine.stdout,
			/^state directory "[^"]*\/.local\/state\/tetherd"/m);

		async function check(more) {
			const process = await startTetherd(stage,
				{ args: ["-nn"], database: false,
					env: { ...more, ORCHESTRATOR_MODE: "standalone" } });
			const { code } = await process.ended();
			assert.equal(code, 0);
			return { stdout: process.lines.join("\n")
				.replaceAll(/^tetherd: /gm, "") };
		}
	});
});

describe("another folder, another owner", { concurrency: 2 }, () => {
	scenario("made after the start", { skip: NOT_ROOT }, async (stage) => {
		const { tetherd, connection, make, database, path } =
			await start(stage, { made: false });

		await assertRunsAs(tetherd.childPid("authd"), 0);
		assert.equal((await comeIn(connection)).status, 503);
		await make();
		await until(async () => (await comeIn(connection)).status === 200,
			"no way in");
		await tetherd.line("authd: restarting it: " + database);
		await tetherd.line(`authd runs as uid ${OWNER}`);
		assert.equal(tetherd.all("restarting it").length, 1);
		await assertRunsAs(tetherd.childPid("authd"), OWNER);
		await assertOwner(path("state/tether.db"), OWNER);
		for (const end of ENDS)
			await assertOwner(database + end, OWNER);
	});

	scenario("replaced by a copy", async (stage) => {
		const { tetherd, connection, app, make, database } =
			await start(stage, { uid: process.getuid() });

		assert.equal((await comeIn(connection)).status, 200);
		await rename(app, `${app}.old`);
		await make();
		await until(async () => (await comeIn(connection)).status === 200,
			"no way in");
		const [line] = tetherd.all("restarting it");
		assert.match(line, new RegExp(`${database}: its folder is not the ` +
			"one that was there when authd started"));
		assert.equal(tetherd.all("restarting it").length, 1);
		assert.equal((await sql(database,
			"SELECT count(*) AS n FROM users"))[0].n >= 1, true);
	});

	scenario("the state directory is gone", async (stage) => {
		const { tetherd, connection, path } =
			await start(stage, { uid: process.getuid() });

		assert.equal((await comeIn(connection)).status, 200);
		await rm(path("state"), { recursive: true });
		await until(async () => (await comeIn(connection)).status === 200,
			"no way in");
		assert.equal(tetherd.all("restarting it").length, 1);
		assert.deepEqual((await readdir(path("state")))
			.includes("tether.db"), true);
	});

	scenario("behind a link", async (stage) => {
		const place = await prepare(stage, { uid: process.getuid() });
		const link = place.path("link.db");
		await run("ln", ["-s", "app/auth.db", link]);
		const { tetherd, connection } = await startInstance(stage,
			{ database: false, env: { ...place.env, DATABASE_PATH: link } });

		assert.equal((await comeIn(connection)).status, 200);
		await place.make(place.path("next"));
		await rm(link);
		await run("ln", ["-s", "next/auth.db", link]);
		await until(async () => (await comeIn(connection)).status === 200,
			"no way in");
		assert.equal(tetherd.all("restarting it").length, 1);
		assert.deepEqual(await sql(place.path("next/auth.db"),
			"SELECT count(*) > 0 AS n FROM users"), [{ n: 1 }]);
	});

	scenario("again and again", async (stage) => {
		const { tetherd, connection, app, make } =
			await start(stage, { uid: process.getuid() });

		for (let i = 0; i < 5; i++) {
			await rename(app, `${app}.${i}`);
			await make();
			await until(async () => tetherd.code !== undefined ||
				tetherd.all("restarting it").length === i + 1 ||
				(await comeIn(connection).catch(() => null)) === 0,
			"no restart");
			if (i < 4)
				await until(async () =>
					(await comeIn(connection)).status === 200, "no way in");
		}
		assert.equal((await tetherd.ended()).code, 1);
		await tetherd.line("authd wants to be restarted too often: giving up");
	});

	scenario("at a reload", { skip: NOT_ROOT }, async (stage) => {
		const { tetherd, connection, app, database, path } =
			await start(stage);
		const pid = tetherd.childPid("authd");
		const reload = () => tetherctl(tetherd, "reload");

		// Nothing changed.
		assert.equal((await reload()).code, 0);
		assert.equal(tetherd.childPid("authd"), pid);
		for (const name of ["", ...await readdir(app)])
			await chown(join(app, name), 4321, 4321);
		await chown(path("state"), 0, 0);
		for (const name of await readdir(path("state")))
			await chown(path(`state/${name}`), 0, 0);
		const { code, stderr } = await reload();
		assert.equal(code, 0, stderr);
		await tetherd.line("authd runs as uid 4321");
		await assertRunsAs(tetherd.childPid("authd"), 4321);
		assert.equal((await comeIn(connection)).status, 200);
		await assertOwner(path("state/tether.db"), 4321);
		// A place for the state that this user cannot use: refused.
		await chown(database, OWNER, OWNER);
		const refused = await reload();
		assert.equal(refused.code, 4);
		assert.match(refused.stderr, /^reload: authd refuses: /);
		await assertRunsAs(tetherd.childPid("authd"), 4321);
	});

	scenario("root's, by a slip", { skip: NOT_ROOT }, async (stage) => {
		const { tetherd, connection, database } = await start(stage);

		assert.equal((await comeIn(connection)).status, 200);
		// As one who restores a backup does.
		await rm(database);
		await rm(`${database}-wal`, { force: true });
		await rm(`${database}-shm`, { force: true });
		await sql(database, SCHEMAS.old);
		assert.equal((await comeIn(connection)).status, 503);
		await tetherd.line(/check the owner and mode of the file/);
		await assertRunsAs(tetherd.childPid("authd"), OWNER);
		assert.deepEqual(tetherd.all("restarting it"), []);
	});
});

describe("users of their own", { skip: NOT_ROOT }, () => {
	const within = (passwd) => ["unshare", "-m", "sh", "-c",
		'mount --bind "$0" /etc/passwd && exec "$@"', passwd];

	async function privateUsers(stage, lines) {
		const path = join(await stage.directory(), "passwd");
		await writeFile(path, await readFile("/etc/passwd", "utf8") +
			lines.map((line) => `${line}\n`).join(""));
		await chmod(path, 0o644);
		const { code } = await run("unshare", ["-m", "mount", "--bind", path,
			"/etc/passwd"], { env: { PATH: process.env.PATH } });
		return code === 0 ? path : null;
	}

	scenario("exist", async (stage, t) => {
		const passwd = await privateUsers(stage, [
			"_tetherconn:x:4001:4101::/:/bin/false",
			"_tetherproxy:x:4002:4102::/:/bin/false"]);
		if (passwd === null)
			return t.skip("no mounting in namespaces here");
		const { tetherd, connection } =
			await start(stage, {}, { within: within(passwd) });
		await assertRunsAs(tetherd.childPid("connector"), 4001, 4101);
		await assertRunsAs(tetherd.childPid("proxyd"), 4002, 4102);
		await assertRunsAs(tetherd.childPid("authd"), OWNER);
		assert.deepEqual(tetherd.all("does not exist"), []);
		assert.equal((await comeIn(connection)).status, 200);
	});

	scenario("are root, by a slip", async (stage, t) => {
		const passwd = await privateUsers(stage, [
			"_tetherconn:x:0:0::/:/bin/false",
			"_tetherproxy:x:4002:0::/:/bin/false"]);
		if (passwd === null)
			return t.skip("no mounting in namespaces here");
		const { tetherd } =
			await start(stage, {}, { within: within(passwd) });
		for (const name of ["connector", "proxyd"])
			await assertRunsAs(tetherd.childPid(name), NOBODY);
		for (const name of ["_tetherconn", "_tetherproxy"])
			await tetherd.line(`user ${name} is root, or of root's group: ` +
				`its processes run as uid ${NOBODY}`);
	});
});

// Root of a container, and of a namespace that anybody may make.
const POOR = {
	"root without capabilities": {
		within: ["setpriv", "--bounding-set=-all", "--inh-caps=-all"],
		skip: NOT_ROOT,
	},
	"root of a user namespace": { within: ["unshare", "-Ur"] },
};

describe("root that may not become anybody else", { concurrency: 2 }, () => {
	for (const [name, { within, skip }] of Object.entries(POOR))
		scenario(name, { skip }, async (stage, t) => {
			if ((await run(within[0], [...within.slice(1), "true"]))
				.code !== 0) {
				t.skip("this machine has no such namespaces");
				return;
			}
			const { connection, tetherd } =
				await startInstance(stage, { within });
			await tetherd.line(
				"root may not become anybody else here: it lacks");
			assert.equal((await comeIn(connection)).status, 200);
			assert.deepEqual(tetherd.all("lost child"), []);
			tetherd.signal("SIGTERM");
			assert.equal((await tetherd.ended()).code, 0);
		});
});
