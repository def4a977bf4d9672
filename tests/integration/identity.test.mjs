// Who a request's user is at the upstream.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { rm, stat } from "node:fs/promises";
import { describe } from "node:test";

import { createUserDatabase, SCHEMAS, sql } from "./lib/database.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { SECRET } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";
import { deadline } from "./lib/time.mjs";

const OCTOCAT = identity(583231, "octocat");
const whoami = (connection, headers = OCTOCAT) =>
	connection.request({ path: "/api/whoami", headers });
const users = (tetherd) =>
	sql(tetherd.database, "SELECT * FROM users ORDER BY id");

// An upstream that tells what token it was shown.
const tell = (req, res) => {
	res.setHeader("Content-Type", "application/json");
	res.end(JSON.stringify({
		authorization: req.headers.authorization ?? null,
	}));
};

function claimsOf(authorization, secret = SECRET) {
	const [, head, payload, signature] =
		/^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(authorization);
	const decode = (s) => JSON.parse(Buffer.from(s, "base64url"));

	assert.equal(createHmac("sha256", secret)
		.update(`${head}.${payload}`).digest("base64url"), signature);
	assert.equal(decode(head).alg, "HS256");
	return decode(payload);
}

describe("identity", { concurrency: 4 }, () => {
	scenario("sixteen first requests of one new user at once",
		async (stage) => {
			const { connection, tetherd } = await startInstance(stage);

			const answers = await Promise.all(
				Array.from({ length: 16 }, () => whoami(connection)));
			const [row, ...rest] = await users(tetherd);
			assert.deepEqual(rest, []);
			for (const answer of answers)
				assert.deepEqual([answer.status, answer.json],
					[200, { userId: row.id, username: "octocat" }]);
		});

	scenario("what the token says", async (stage) => {
		const { connection } =
			await startInstance(stage, { handle: tell });
		const now = Date.now() / 1000;
		const { authorization } = (await whoami(connection)).json;
		const claims = claimsOf(authorization);

		assert.equal(claims.userId, 1);
		assert.equal(claims.username, "octocat");
		assert.ok(Math.abs(claims.iat - now) < 60);
		assert.ok(claims.exp > now && claims.exp < now + 3700,
			"lives for an hour");
	});

	for (const schema of Object.keys(SCHEMAS))
		scenario(`the row of a new user, ${schema} schema`,
			async (stage) => {
				const { connection, tetherd } = await startInstance(
					stage, { env: {}, database: false });
				await createUserDatabase(tetherd.database, schema);
				assert.equal((await whoami(connection)).status, 200);
				const [row] = await users(tetherd);
				assert.equal(row.username, "octocat");
				assert.equal(row.is_active, 1);
				assert.match(row.password_hash,
					/^\$2b\$12\$[./A-Za-z0-9]{53}$/);
				assert.notEqual(row.last_login, null);
				if (schema === "new")
					assert.equal(row.has_completed_onboarding, 1);
				if (schema === "fork")
					assert.equal(row.github_id, "583231");
			});

	scenario("an account with that login is bound, once", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		await sql(tetherd.database, "INSERT INTO users " +
			"(username, password_hash) VALUES ('octocat', 'x')");

		assert.deepEqual((await whoami(connection)).json,
			{ userId: 1, username: "octocat" });
		const other = await whoami(connection, identity(99, "octocat"));
		assert.deepEqual(other.json,
			{ userId: 2, username: "orch_99_octocat" });
		const [row] = await users(tetherd);
		assert.equal(row.password_hash, "x", "stays the owner's");
	});

	scenario("a login that changes keeps its account", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);

		const before = (await whoami(connection)).json;
		const after = (await whoami(connection,
			identity(583231, "hexacat"))).json;
		assert.equal(after.userId, before.userId);
		assert.equal((await users(tetherd)).length, 1);
	});

	scenario("accounts outlive a restart", async (stage) => {
		const { connection, orchestrator, tetherd } =
			await startInstance(stage);
		await whoami(connection);
		process.kill(tetherd.childPid("authd"), "SIGKILL");
		await tetherd.line("lost child: authd");
		assert.deepEqual((await whoami(connection,
			identity(583231, "hexacat"))).json.userId, 1);
		assert.equal(orchestrator.upgrades.length, 1);
	});

	scenario("who comes in is in the audit log, once", async (stage) => {
		const { connection, tetherd } = await startInstance(stage, {
			env: { ORCHESTRATOR_GITHUB_USERS: "octocat" },
		});
		const comeIn = () => Promise.all(Array.from({ length: 5 }, () =>
			[whoami(connection), whoami(connection,
				identity(3, "mallory"))]).flat());
		await comeIn();
		await tetherd.line("audit: sign-in refused id=3 login=mallory");
		// proxyd forgets whom it knew: each is asked about again.
		process.kill(tetherd.childPid("proxyd"), "SIGKILL");
		await tetherd.line("lost child: proxyd");
		await comeIn();
		assert.deepEqual(tetherd.all("audit: sign-in")
			.map((line) => /audit: .*/.exec(line)[0]).sort(), [
			'audit: sign-in allowed id=583231 login=octocat role=full ' +
				'why="users"',
			"audit: sign-in refused id=3 login=mallory why=" +
				'"you are not among the users of this instance"',
		]);
	});

	scenario("an account that is not active: 403", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		await sql(tetherd.database, "INSERT INTO users (username, " +
			"password_hash, is_active) VALUES ('octocat', 'x', 0)");

		const answer = await whoami(connection);
		assert.equal(answer.status, 403);
		assert.equal(typeof answer.json.error, "string");
		assert.equal((await users(tetherd)).length, 1);
	});

	scenario("users that no rule names: 403", async (stage) => {
		const { connection, tetherd } = await startInstance(stage, {
			env: { ORCHESTRATOR_GITHUB_USERS: "Ada, octocat" },
		});
		assert.equal((await whoami(connection)).status, 200);
		assert.equal((await whoami(connection,
			identity(2, "ADA"))).status, 200);
		for (const login of ["mallory", "octoca", "octocat2", ",", ""])
			assert.notEqual((await whoami(connection,
				identity(3, login))).status, 200, login);
		assert.equal((await users(tetherd)).length, 2);
	});

	scenario("a rule that cannot be checked: 403", async (stage) => {
		const { connection } = await startInstance(stage, {
			env: { ORCHESTRATOR_GITHUB_ORG: "acme" },
		});
		assert.equal((await whoami(connection)).status, 403);
	});

	scenario("identities that are none", async (stage) => {
		const { connection, tetherd } =
			await startInstance(stage, { handle: tell });
		const [ID, NAME] = OCTOCAT.map(([name]) => name);
		assert.deepEqual((await whoami(connection, [])).json,
			{ authorization: null });
		await eachRow([
			[[ID, "0"], [NAME, "a"]],
			[[ID, "-1"], [NAME, "a"]],
			[[ID, "1e3"], [NAME, "a"]],
			[[ID, "1 2"], [NAME, "a"]],
			[[ID, "99999999999999999999"], [NAME, "a"]],
			[[ID, ""], [NAME, "a"]],
			[[ID, "5"], [NAME, "a'; DROP TABLE users; --"]],
			[[ID, "5"], [NAME, "../../x"]],
			[[ID, "5"], [NAME, "a".repeat(5000)]],
			[[ID, "5"], [NAME, "a"], [ID, "6"]],
			[[ID, "5"]],
			[[NAME, "octocat"]],
		], async (headers) => {
			const answer = await whoami(connection, headers);
			if (answer.status === 200)
				assert.equal(answer.json.authorization, null);
		});
		for (const row of await users(tetherd))
			assert.match(row.username, /^[\w-]{1,64}$/);
		assert.equal((await whoami(connection)).status, 200);
	});

	scenario("a token of the page does not get through", async (stage) => {
		const { connection } =
			await startInstance(stage, { handle: tell });
		const headers = [...OCTOCAT, ["Authorization", "Bearer a.b.c"]];
		const answer = await whoami(connection, headers);
		assert.equal(claimsOf(answer.json.authorization).username,
			"octocat");
		const alone = await whoami(connection, headers.slice(2));
		assert.equal(alone.json.authorization, null);
	});
});

describe("the upstream's database", { concurrency: 4 }, () => {
	scenario("missing: 503 until it is there", async (stage) => {
		const { connection, tetherd } =
			await startInstance(stage, { database: false });

		const answer = await whoami(connection);
		assert.equal(answer.status, 503);
		assert.doesNotMatch(answer.json.error, /auth\.db|sqlite/i);
		await tetherd.line(/authd\[\d+\]: .*auth\.db/);
		await assert.rejects(stat(tetherd.database), "not ours to make");
		assert.equal((await connection.request()).status, 200,
			"what needs no user goes on");

		await createUserDatabase(tetherd.database);
		assert.equal((await whoami(connection)).status, 200);
	});

	scenario("replaced while we run", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		assert.equal((await whoami(connection)).status, 200);

		for (const end of ["", "-wal", "-shm"])
			await rm(tetherd.database + end, { force: true });
		await createUserDatabase(tetherd.database);
		tetherd.signal("SIGHUP");
		await tetherd.line(/reload|configuration/);
		assert.equal((await whoami(connection,
			identity(4, "ada"))).status, 200);
		assert.deepEqual((await users(tetherd)).map((r) => r.username),
			["ada"]);
	});

	scenario("locked: an error, and on it goes", async (stage) => {
		const { connection, tetherd } = await startInstance(stage);
		const lock = spawn("sqlite3", ["-batch", tetherd.database],
			{ stdio: ["pipe", "pipe", "ignore"] });
		stage.atEnd(() => lock.kill("SIGKILL"));
		lock.stdin.write("BEGIN IMMEDIATE;\nSELECT 'locked';\n");
		await once(lock.stdout, "data");

		const answer = await whoami(connection);
		assert.equal(answer.status, 503);
		await tetherd.line(/authd\[\d+\]: .*locked/);
		assert.equal((await connection.request()).status, 200);

		lock.stdin.end("COMMIT;\n");
		await deadline(once(lock, "close"), 5000, "sqlite3 did not end");
		assert.equal((await whoami(connection)).status, 200);
	});

	scenario("no database at all", async (stage) => {
		const { connection, tetherd } = await startInstance(stage, {
			env: { DATABASE_PATH: "/dev/null" },
		});
		assert.equal((await whoami(connection)).status, 503);
		await tetherd.line(/authd\[\d+\]: /);
		assert.equal((await connection.request()).status, 200);
	});

	scenario("the secret of app_config", async (stage) => {
		const { connection, tetherd } = await startInstance(stage, {
			handle: tell,
			database: false,
			env: { JWT_SECRET: undefined },
		});
		await createUserDatabase(tetherd.database, "new");
		assert.equal((await whoami(connection)).status, 503);

		await sql(tetherd.database, "INSERT INTO app_config VALUES " +
			"('jwt_secret', 'made by the app')");
		const { authorization } = (await whoami(connection)).json;
		assert.equal(claimsOf(authorization, "made by the app").userId, 1);
	});

	scenario("the published default secret is refused", async (stage) => {
		const { connection } = await startInstance(stage, {
			env: { JWT_SECRET:
				"claude-ui-dev-secret-change-in-production" },
		});
		assert.equal((await whoami(connection)).status, 503);
	});
});
