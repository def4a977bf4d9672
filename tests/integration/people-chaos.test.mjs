// Hundreds of people while rules, roles, memberships and GitHub change at
// random and processes die: nobody comes in who was not allowed to at any
// moment of their request, and everybody gets one answer.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startGithub } from "./lib/github.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { deadline, until } from "./lib/time.mjs";

const MS = Number(process.env.TETHERD_CHAOS_MS ?? 5000);
const PEOPLE = 300;
const AT_ONCE = 40;
const KILL_EVERY_MS = 16000; // five deaths in a minute end it

// What was true of GitHub may count for so long.
const CACHED_MS = 1000 + 8000 + 500;

const INSTANCE = "ghp_the_instance";
const token = (id) => `gho_of_${id}`;

const pick = (list) => list[randomInt(list.length)];
const chance = (percent) => randomInt(100) < percent;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A value that changes, and since when it was what.
class History {
	constructor(value) {
		this.values = [{ value, from: 0, to: Infinity }];
	}

	// What was before counts, too, until the function returned is called.
	change(value) {
		const last = this.values.at(-1);
		this.values.push({ value, from: Date.now(), to: Infinity });
		return () => {
			last.to = Date.now();
		};
	}

	// All that it was between two times.
	between(from, to) {
		return this.values.filter((v) => v.from <= to && v.to >= from)
			.map((v) => v.value);
	}
}

const logins = Array.from({ length: PEOPLE }, (_, i) => `person-${i + 1}`);

function randomRules() {
	const some = (n) => Array.from({ length: n }, () => pick(logins));
	return {
		users: [some(randomInt(1, 60)), some(randomInt(60))],
		team: [chance(60), chance(60)],
		org: [chance(30), chance(30)],
	};
}

const NAMES = { team: ["acme/writers", "acme/readers"], org: ["acme", "emca"] };

function confOf(rules) {
	const lines = [];
	for (const [role, word] of [[0, ""], [1, "read-only "]]) {
		if (rules.users[role].length > 0)
			lines.push(`${word}users { ${rules.users[role].join(" ")} }`);
		for (const kind of ["team", "org"])
			if (rules[kind][role])
				lines.push(`${word}${kind} { ${NAMES[kind][role]} }`);
	}
	return `policy {\n\t${lines.join("\n\t")}\n}\n` +
		"github {\n\tcache allowed 1s\n\tcache refused 1s\n}\n" +
		"limits {\n\tfailures per minute 0\n}\n";
}

// Whatever may be wrong with GitHub.
const FAULTS = [
	{ hang: true }, { hang: "head" }, { hang: "body" }, { drop: true },
	{ drop: "body" }, { status: 500 }, { status: 403 }, { status: 401 },
	{ status: 404 }, { redirect: "https://127.0.0.1:1/user" },
	{ huge: 400000 }, { body: "<html>" }, { body: {} }, { body: [] },
	{ body: { state: "active", user: { id: 77, login: "other" } } },
	{ limit: { after: 1 } }, { limit: { status: 429, after: 1 } },
	{ raw: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"" },
	{ delay: 900 }, { drip: 5 },
];

class Chaos {
	constructor({ tetherd, connection, orchestrator }, github, conf, rules) {
		Object.assign(this, { tetherd, connection, orchestrator, github,
			conf });
		this.rules = new History(rules);
		this.members = new Map(logins.map((login, i) =>
			[login, new History(memberOf(i))]));
		this.words = new Map(logins.map((_, i) =>
			[i + 1, new History({ disabled: false, role: null })]));
		this.users = new Map(); // upstream user id → GitHub id
		this.counts = {};
		this.before = []; // connections that are no more
		this.wrong = [];
		this.end = Date.now() + MS;
		this.tellGithub();
	}

	get goesOn() {
		return Date.now() < this.end && this.wrong.length === 0;
	}

	count(what) {
		this.counts[what] = (this.counts[what] ?? 0) + 1;
	}

	tellGithub() {
		const { acme, emca } = this.github.orgs;
		for (const [login, history] of this.members) {
			const now = history.values.at(-1).value;
			const tell = (group, is) => {
				if (is)
					group.members[login] = "active";
				else
					delete group.members[login];
			};
			tell(acme, now.acme);
			tell(emca, now.emca);
			tell(acme.teams.writers, now.writers);
			tell(acme.teams.readers, now.readers);
		}
	}

	// The roles that somebody may have had between two times.
	rolesOf(id, login, from, to) {
		const roles = new Set();
		const name = login.toLowerCase();
		const owns = logins[id - 1] === name;
		const words = this.words.get(id)?.between(from, to) ??
			[{ disabled: false, role: null }];
		const was = owns ?
			this.members.get(name).between(from - CACHED_MS, to) : [];
		const add = (role) => {
			for (const word of words)
				if (!word.disabled)
					roles.add(word.role ?? role);
		};
		for (const rules of this.rules.between(from, to)) {
			for (const role of [0, 1]) {
				if (rules.users[role].includes(name))
					add(role);
				if (rules.team[role] && was.some((m) =>
					role === 0 ? m.writers : m.readers))
					add(role);
				if (rules.org[role] && was.some((m) =>
					role === 0 ? m.acme : m.emca))
					add(role);
			}
		}
		return roles;
	}

	check(text, id, login, from, to, needed) {
		const roles = this.rolesOf(id, login, from, to);
		if (needed === undefined ? roles.size > 0 : roles.has(needed))
			return;
		this.wrong.push(`${text} of id ${id} login ${login} passed`);
	}

	someone() {
		const id = randomInt(1, PEOPLE + 1);
		const login = chance(90) ? logins[id - 1] : pick(logins);
		return [id, chance(20) ? login.toUpperCase() : login];
	}

	async ask() {
		const [id, login] = this.someone();
		const { connection } = this;
		const method = chance(30) ? "POST" : "GET";
		const from = Date.now();
		const answer = await Promise.race([connection.closed,
			connection.request({ method, path: "/api/whoami",
				headers: identity(id, login) })]);

		if (answer.status === undefined)
			return this.count("gone");
		this.count(`${method} ${answer.status}`);
		if ([403, 429, 502, 503].includes(answer.status))
			return undefined;
		this.check(method, id, login, from, Date.now(),
			method === "POST" ? 0 : undefined);
		const { userId } = method === "GET" ? answer.json : {};
		if (userId === undefined)
			return undefined;
		if (!this.users.has(userId))
			this.users.set(userId, id);
		if (this.users.get(userId) !== id)
			this.wrong.push(`user ${userId} of ${id} and ` +
				`${this.users.get(userId)}`);
		return undefined;
	}

	async act() {
		const id = randomInt(1, PEOPLE + 1);
		const { connection } = this;
		const request_id = `act-${this.actions = (this.actions ?? 0) + 1}`;
		const from = Date.now();
		const ended = new Promise((resolve) => {
			connection.replies.set(request_id, (message) => {
				if (message.type === "response_complete")
					resolve(message);
				if (message.type === "response_chunk")
					connection.send({ type: "user_request",
						request_id, action: "close" });
			});
		});
		connection.send({ type: "user_request", request_id,
			action: "chat.send", payload: { auth_token: token(id) } });
		const answer = await deadline(Promise.race([connection.closed,
			ended]), 35000, "no reply");
		if (answer?.data === undefined)
			return this.count("act gone");
		// It may have ended before it was closed.
		connection.replies.set(request_id, ({ data }) =>
			data.message === "no such session" ||
				this.wrong.push(`two ends of ${request_id}`));
		const passed = answer.data.code === 1000;
		this.count(passed ? "act passed" : "act refused");
		if (passed)
			this.check("an action", id, logins[id - 1], from,
				Date.now(), 0);
		return undefined;
	}

	// Another connector answers what the last one could not, but once.
	checkSurplus() {
		const open = new Set(this.before.flatMap((connection) =>
			[...connection.answers.keys()]));

		for (const connection of [...this.before, this.connection])
			for (const { request_id } of connection.surplus)
				assert.ok(open.delete(request_id), "answered once");
	}

	async person() {
		while (this.goesOn) {
			await (chance(25) ? this.act() : this.ask());
			// Without a connection both are over at once.
			await pause(1);
		}
	}

	async reloads() {
		while (this.goesOn) {
			await pause(randomInt(50, 1500));
			const rules = randomRules();
			const settle = this.rules.change(rules);
			await this.conf.change(confOf(rules), this.tetherd,
				/settings reloaded|reload: gave up/);
			settle();
			this.count("reload");
		}
	}

	async operator() {
		while (this.goesOn) {
			const id = randomInt(1, PEOPLE + 1);
			const history = this.words.get(id);
			const now = history.values.at(-1).value;
			const [next, ...args] = pick([
				[{ disabled: true }, "disable", id],
				[{ disabled: false }, "enable", id],
				[{ role: 0 }, "role", id, "full"],
				[{ role: 1 }, "role", id, "read-only"],
				[{ role: null }, "role", id, "default"],
			]);
			const settle = history.change({ ...now, ...next });
			const { code } = await tetherctl(this.tetherd, "users",
				...args.map(String));
			this.count(`operator ${code}`);
			if (code === 0)
				settle();
			else
				history.values.splice(-1); // it was not known
		}
	}

	async memberships() {
		while (this.goesOn) {
			await pause(randomInt(400));
			const i = randomInt(PEOPLE);
			const settle = this.members.get(logins[i])
				.change(memberOf(i));
			this.tellGithub();
			settle();
			const over = chance(50) ? this.github.fault(pick([/^/,
				"/user", /^\/orgs/, /^\/users/, /memberships/]),
			{ times: randomInt(1, 9), ...pick(FAULTS) }) : () => {};
			await pause(randomInt(300));
			over();
			if (chance(5))
				this.github.dropConnections();
		}
	}

	async deaths() {
		for (let i = 0; this.goesOn; i++) {
			await pause(i === 0 ? 1500 : KILL_EVERY_MS);
			const name = pick(["authd", "authd", "proxyd", "connector"]);
			const from = this.tetherd.lines.length;
			process.kill(this.tetherd.childPid(name), "SIGKILL");
			if (name === "connector") {
				this.before.push(this.connection);
				this.connection = await this.orchestrator.registered();
				await this.tetherd.registered(from);
			}
			this.count(`killed ${name}`);
		}
	}
}

function memberOf() {
	const acme = chance(50);
	return { acme, emca: chance(40), writers: acme && chance(50),
		readers: acme && chance(50) };
}

describe("people", () => {
	scenario("everything changes at once", { timeout: MS + 90000 },
		async (stage) => {
			const github = await startGithub(stage, {
				people: {
					boss: { id: 100000, token: INSTANCE },
					...Object.fromEntries(logins.map((login, i) =>
						[login, { id: i + 1, token: token(i + 1) }])),
				},
				orgs: {
					acme: { id: 1, members: { boss: "active" }, teams: {
						writers: { members: {} },
						readers: { members: {} } } },
					emca: { id: 2, members: { boss: "active" } },
				},
			});
			const rules = randomRules();
			const conf = await startConf(stage, confOf(rules));
			const all = await startInstance(stage, { args: conf.args,
				orchestrator: { cutMessages: true },
				env: { ...github.env, GITHUB_TOKEN: INSTANCE } });
			const chaos = new Chaos(all, github, conf, rules);

			await Promise.all([
				...Array.from({ length: AT_ONCE }, () => chaos.person()),
				chaos.reloads(), chaos.operator(), chaos.memberships(),
				chaos.deaths(),
			]);
			if (process.env.TETHERD_CHAOS_SHOW)
				console.log(chaos.counts);
			assert.deepEqual(chaos.wrong, []);
			chaos.checkSurplus();
			assert.ok(chaos.counts["GET 200"] > 0, "somebody came in");
			const log = all.tetherd.lines.join("\n");
			assert.doesNotMatch(log, /gho_|ghp_/);
			assert.doesNotMatch(log, /ERROR: AddressSanitizer|runtime error:/);
			assert.doesNotMatch(log, /is broken, says|signal (?!9)/);
			await until(async () => (await chaos.connection.request({
				path: "/api/whoami" })).status !== 502, "it works still");
		});
});
