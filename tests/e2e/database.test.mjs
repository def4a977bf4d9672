// The user database of the real apps, which keep it open and write to it all
// the time, while many people come in for the first time.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "../integration/lib/conf-file.mjs";
import { sql } from "../integration/lib/database.mjs";
import { request } from "../integration/lib/http.mjs";
import { startInstance } from "../integration/lib/instance.mjs";
import { identity } from "../integration/lib/orchestrator.mjs";
import { SECRET, tetherctl } from "../integration/lib/programs.mjs";
import { scenario } from "../integration/lib/scenario.mjs";
import { startApp } from "./lib/apps.mjs";

const OWNER = { username: "owner", password: "of the web app" };
const HASH = /^\$2b\$12\$[./A-Za-z0-9]{53}$/;
const TIMES = 3; // that each one asks at once
const WRITES = 100; // of the app's own, at least
const BUSY = /SQLITE_BUSY|database is locked/;

const range = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const numbered = (n, id, name) =>
	range(n, (i) => ({ id: id + i, login: `${name}${i}` }));

// Fifty people, by what there is when they come.
const PEOPLE = {
	fresh: numbered(20, 1000, "fresh"),
	bound: numbered(10, 2000, "bound"), // an account with their name
	twins: [...numbered(5, 3000, "twin"), // two with each name
		...numbered(5, 4000, "twin")],
	inactive: numbered(5, 5000, "gone"), // one that the app has disabled
	apart: numbered(5, 6000, "kept"), // one that is not to be adopted
};

const WRITES_OF = {
	new: [
		["PUT", "/api/user/drafts", (i) => ({ scope: `s${i % 50}`,
			text: `draft ${i}` })],
		["PATCH", "/api/user/preferences", (i) => ({ [`p${i % 50}`]: i })],
		["POST", "/api/user/complete-onboarding", () => ({})],
		["PUT", "/api/settings/notification-preferences", () => ({})],
		["POST", "/api/providers/sessions", (i, { home }) => ({
			provider: "claude", projectPath: home }), 201],
	],
	old: [],
};
const WRITES_OF_BOTH = [
	["POST", "/api/settings/api-keys", (i) => ({ keyName: `key ${i}` })],
	["POST", "/api/settings/credentials", (i) => ({
		credentialName: `name ${i}`, credentialType: "t",
		credentialValue: "v" })],
	["POST", "/api/auth/login", () => OWNER],
	["POST", "/api/auth/register", () => OWNER, 403], // begins, looks, ends
];

function send(app, method, path, body, token) {
	return request(app.url + path, { method, body: JSON.stringify(body),
		headers: { "Content-Type": "application/json",
			...token && { Authorization: `Bearer ${token}` } } });
}

/*
 * The app writes, in several ways at once, until stop() is called, which
 * returns how often it did; any write that fails ends up in failures.
 */
class Writer {
	constructor(app, name, token) {
		Object.assign(this, { app, token, count: 0, failures: [] });
		this.loops = [...WRITES_OF_BOTH, ...WRITES_OF[name]]
			.map((what) => this.loop(...what));
	}

	async loop(method, path, body, expected = 200) {
		for (let i = 0; !this.stopped; i++) {
			const answer = await send(this.app, method, path, body(i,
				this.app), this.token);
			this.count++;
			if (answer.status !== expected)
				this.failures.push(
					`${path}: ${answer.status} ${answer.text}`);
		}
	}

	async stop() {
		this.stopped = true;
		await Promise.all(this.loops);
		return this.count;
	}
}

// What only the app itself may change.
async function schemaOf({ database }) {
	const tables = await sql(database, "SELECT type, name, tbl_name, sql " +
		"FROM sqlite_master ORDER BY type, name");
	const pragmas = await Promise.all(["journal_mode", "user_version",
		"application_id", "auto_vacuum", "page_size", "encoding"]
		.map((name) => sql(database, `SELECT * FROM pragma_${name}`)));
	return { tables, pragmas };
}

const accountsOf = async ({ database }) => new Map((await sql(database,
	"SELECT * FROM users")).map((row) => [row.username, row]));

async function furnish(app) {
	const registered = await send(app, "POST", "/api/auth/register", OWNER);
	assert.equal(registered.status, 200, registered.text);
	const accounts = [
		...PEOPLE.bound.map(({ login }) => [login, 1]),
		...PEOPLE.inactive.map(({ login }) => [login, 0]),
		...PEOPLE.apart.map(({ login }) => [login, 1]),
	].map(([login, active]) => `('${login}', '-', ${active})`);
	await sql(app.database, "INSERT INTO users (username, password_hash, " +
		`is_active) VALUES ${accounts.join()}`);
	return registered.json.token;
}

// Each of them asks a few times at once: what the app takes them for.
async function comeIn({ connection }, people, statuses) {
	const ask = async ({ id, login }, method, path, body = null) => {
		const answer = await connection.request({ method, path, body,
			headers: [...identity(id, login),
				["Content-Type", "application/json"]] });
		statuses.push(answer.status);
		return answer;
	};

	return new Map(await Promise.all(people.map(async (person) => {
		const answers = await Promise.all(range(TIMES, () =>
			ask(person, "GET", "/api/auth/user")));
		const names = new Set(answers.map((answer) =>
			answer.status === 200 ? answer.json.user.username
				: answer.status));
		assert.equal(names.size, 1, `${person.login}: ${[...names]}`);
		const [name] = names;
		if (typeof name === "string") {
			const { status, body } = await ask(person, "POST",
				"/api/settings/api-keys", '{"keyName":"mine"}');
			assert.equal(status, 200, body);
		}
		return [person.id, name];
	})));
}

// What the operator does all the time, until it is told to stop.
class Operator {
	constructor(instance, person) {
		Object.assign(this, { instance, person, count: 0 });
		this.loop = this.work();
	}

	async work() {
		const { tetherd, connection } = this.instance;
		const { id, login } = this.person;
		const status = async (method) => (await connection.request({
			method, path: "/api/auth/logout",
			headers: identity(id, login) })).status;
		const control = async (...words) => {
			const { code, stderr } =
				await tetherctl(tetherd, "users", ...words);
			assert.equal(code, 0, stderr);
		};

		while (!this.stopped) {
			await control("disable", login);
			assert.equal(await status("POST"), 403);
			await control("enable", String(id));
			assert.equal(await status("POST"), 200);
			await control("role", login, "read-only");
			assert.equal(await status("POST"), 403);
			assert.equal(await status("GET"), 200);
			await control("role", login, "default");
			this.count++;
		}
	}

	async stop() {
		this.stopped = true;
		await this.loop;
		return this.count;
	}
}

function checkNames(names, accounts) {
	const of = (people) => people.map(({ id }) => names.get(id));
	const logins = (people) => people.map(({ login }) => login);
	const apart = ({ id, login }) => `orch_${id}_${login}`;

	for (const key of ["fresh", "bound"])
		assert.deepEqual(of(PEOPLE[key]), logins(PEOPLE[key]));
	assert.deepEqual(of(PEOPLE.apart), PEOPLE.apart.map(apart));
	assert.deepEqual(of(PEOPLE.inactive), PEOPLE.inactive.map(() => 403));
	// Of two, whoever was first has the name.
	for (const one of PEOPLE.twins.slice(0, 5)) {
		const two = PEOPLE.twins.find(({ id }) => id === one.id + 1000);
		const both = of([one, two]);
		assert.ok(both[0] === one.login ? both[1] === apart(two)
			: both[0] === apart(one) && both[1] === one.login, both);
	}
	const created = [...names.values()].filter((name) =>
		typeof name === "string" && !name.startsWith("bound"));
	for (const name of created) {
		const row = accounts.get(name);
		assert.match(row.password_hash, HASH, name);
		assert.equal(row.is_active, 1);
		if ("has_completed_onboarding" in row)
			assert.equal(row.has_completed_onboarding, 1, name);
	}
	// It is left out where it would have to wait for long.
	const seen = created.filter((name) =>
		accounts.get(name).last_login !== null);
	assert.ok(seen.length > created.length / 2, `${seen.length} seen`);
	return created;
}

describe("user database", { concurrency: 2 }, () => {
	for (const name of ["new", "old"])
		scenario(`${name} app: many come in while it writes`, async (stage, t) => {
			const secret = name === "old" ? SECRET : undefined;
			const app = await startApp(stage, name, { secret });
			const token = await furnish(app);
			const conf = await startConf(stage, "policy { adopt yes }\n");
			const instance = await startInstance(stage, {
				upstream: () => app, database: false, args: conf.args,
				env: { DATABASE_PATH: app.database, JWT_SECRET: secret } });
			const known = { id: 9000, login: "known" };
			const statuses = [];
			await comeIn(instance, [known], statuses);
			const schema = await schemaOf(app);
			const before = await accountsOf(app);

			const writer = new Writer(app, name, token);
			const operator = new Operator(instance, known);
			const { apart, ...others } = PEOPLE;
			const names = await comeIn(instance,
				Object.values(others).flat(), statuses);
			await conf.change("policy { adopt no }\n", instance.tetherd);
			for (const entry of await comeIn(instance, apart, statuses))
				names.set(...entry);
			const changes = await operator.stop();
			while (writer.count < WRITES)
				await new Promise((resolve) => setTimeout(resolve, 20));
			const writes = await writer.stop();

			const accounts = await accountsOf(app);
			const created = checkNames(names, accounts);
			assert.deepEqual([...accounts.keys()].sort(),
				[...before.keys(), ...created].sort(), "one row for each");
			for (const { login } of [...PEOPLE.inactive, ...PEOPLE.apart])
				assert.deepEqual(accounts.get(login), before.get(login));
			for (const { login } of PEOPLE.bound)
				assert.deepEqual({ ...accounts.get(login), last_login: null },
					before.get(login), "signed in, and nothing else");
			assert.ok(!statuses.includes(503), String(statuses));
			assert.deepEqual(writer.failures, []);
			assert.ok(changes > 0, "the operator got nothing done");
			assert.deepEqual(app.all(BUSY), []);
			assert.deepEqual(instance.tetherd.all(BUSY), []);
			assert.deepEqual(await schemaOf(app), schema);
			assert.deepEqual(await sql(app.database, "SELECT * FROM " +
				"pragma_integrity_check"), [{ integrity_check: "ok" }]);
			const known_ids = await sql(
				`${instance.tetherd.home}/state/tether.db`,
				"SELECT github_id FROM identities");
			assert.equal(new Set(known_ids.map((row) => row.github_id)).size,
				known_ids.length);
			t.diagnostic(`${statuses.length} requests of ${names.size} people, ` +
				`${writes} writes of the app, ${changes} rounds of changes`);
		});
});
