// tetherd with all of its settings in files, which a test changes.

import assert from "node:assert/strict";
import { chmod, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createUserDatabase } from "./database.mjs";
import { Load, PEOPLE, startCounter, Talk } from "./load.mjs";
import { Orchestrator } from "./orchestrator.mjs";
import { startTetherd, tetherctl } from "./programs.mjs";
import { until } from "./time.mjs";
import { makeHandle } from "./tunnel.mjs";

export const FAILED = "reload failed: the old settings stay in force";
export const DONE = "settings reloaded";
export const CHILDREN = ["connector", "proxyd", "authd"];

// Nothing of startTetherd()'s environment stands above the file.
const NO_ENVIRONMENT = Object.fromEntries(["ORCHESTRATOR_MODE",
	"ORCHESTRATOR_TOKEN", "ORCHESTRATOR_CLIENT_ID", "DATABASE_PATH",
	"ORCHESTRATOR_RECONNECT_INTERVAL", "JWT_SECRET", "STATE_DIRECTORY"]
	.map((name) => [name, undefined]));

const main = (s) => `people = "people.conf"
orchestrator {
	mode client
	url "${s.url}"
	token file "${s.token}"
	client id ${s.client}
	reconnect interval 100ms
	${s.tls ? `ca file "${s.ca}"` : ""}
}
upstream {
	port ${s.port}
	database "${s.database}"
	jwt secret file "${s.secret}"
}
limits {
	${s.limits.join("\n\t")}
}
log { level ${s.level} }
state directory "${s.state}"
include $people
${s.more}
`;

const people = (s) => `policy {
	users { ${s.users} }
	${s.deny ? `deny path "${s.deny}"` : ""}
}
`;

export class Site {
	/*
	 * settings: url and port at least.  The files: tetherd.conf,
	 * people.conf that it includes, token, secret.
	 */
	static async make(stage, settings) {
		const site = new Site();
		const directory = await stage.directory();
		const path = (name) => join(directory, name);
		Object.assign(site, { stage, path, settings: {
			token: path("token"), secret: path("secret"),
			ca: path("ca.pem"), database: path("auth.db"),
			state: path("state"), client: "box", level: "brief",
			limits: [], more: "", users: "ada bob", ...settings } });
		await createUserDatabase(site.settings.database);
		await site.write("token", "ao_1_first\n");
		await site.write("secret", "first\n");
		await site.set({});
		return site;
	}

	async start() {
		this.tetherd = await startTetherd(this.stage, {
			args: ["-d", "-f", this.path("tetherd.conf")],
			database: false, env: NO_ENVIRONMENT });
		return this.tetherd;
	}

	// A file, or none if the text is null.
	async write(name, text, mode = 0o600) {
		const path = this.path(name);
		if (text === null)
			return rm(path, { force: true });
		// At once, as editors do: tetherd may be about to read it.
		await writeFile(`${path}.new`, text);
		await chmod(`${path}.new`, mode);
		await rename(`${path}.new`, path);
	}

	async set(settings) {
		Object.assign(this.settings, settings);
		await this.write("tetherd.conf", main(this.settings));
		await this.write("people.conf", people(this.settings));
	}

	// A change that is taken over.
	async change(settings = {}) {
		await this.set(settings);
		const { code, stdout, stderr } =
			await tetherctl(this.tetherd, "reload");
		assert.deepEqual([code, stdout, stderr], [0, `${DONE}\n`, ""]);
	}

	async config() {
		const { code, stdout, stderr } =
			await tetherctl(this.tetherd, "show", "config");
		assert.equal(code, 0, stderr);
		return stdout;
	}

	// What is there now is refused, for all of these reasons, and changes
	// nothing; meanwhile: what there is to do while it is under way.
	async refused(reasons, meanwhile = () => {}) {
		const { tetherd } = this;
		const before = await this.config();
		const from = tetherd.lines.length;
		const asked = tetherctl(tetherd, "reload");
		await meanwhile();
		const { code, stdout, stderr } = await asked;
		const told = stderr.trimEnd().split("\n");
		const last = told.pop();
		if (reasons[0] instanceof RegExp)
			assert.match(stderr, reasons[0]);
		else
			assert.deepEqual(told, reasons);
		assert.deepEqual([code, stdout, last],
			[4, "", `tetherctl: ${FAILED}`]);
		assert.equal(await this.config(), before);
		for (const line of [...told, FAILED])
			await tetherd.line(line, { from });
	}

	get pids() {
		return CHILDREN.map(this.tetherd.childPid);
	}

	// Stopped until the test is over, or the function is called.
	hold(name) {
		const pid = this.tetherd.childPid(name);
		const go = () => {
			try {
				process.kill(pid, "SIGCONT");
			} catch {
				// It is gone already.
			}
		};
		process.kill(pid, "SIGSTOP");
		this.stage.atEnd(go);
		return go;
	}

	// Kill one, and wait until that was noticed.
	async kill(name) {
		const { tetherd } = this;
		const from = tetherd.lines.length;
		process.kill(tetherd.childPid(name), "SIGKILL");
		await tetherd.line(`lost child: ${name}`, { from });
	}

	// Until all run and know each other: each says how it is, and that comes
	// behind all that it was told before.
	ready() {
		return until(async () => {
			const { code, stdout } =
				await tetherctl(this.tetherd, "show", "status");
			return code === 0 && !stdout.includes("no answer");
		}, "not all run");
	}
}

const SECRETS = ["first", "second"];
const SECRET_TEXTS = /ao_1_first|ao_2_second/;

// The next instance that registered; one that is told to reconnect may be
// gone before it did.
export async function registered(orchestrator) {
	for (;;) {
		const connection = await orchestrator.connection();
		connection.closed.then(() =>
			connection.messages.push({ type: "register" }));
		connection.register = await connection.receive("register");
		if (connection.register.client_id !== undefined)
			return connection;
	}
}

/*
 * Two orchestrators and two web apps, the first of which are in use, under
 * load, with tunnels that talk.
 *	options		of the orchestrators
 *	files		more of those in its directory
 *	early(site)	is called right after the start; then there are no
 *			tunnels, and nothing is waited for
 */
export async function start(stage, settings = {},
    { options, files = {}, early } = {}) {
	// Some of their instances lose a process.
	options = { cutMessages: true, ...options };
	const here = await Orchestrator.start(stage, options);
	const there = await Orchestrator.start(stage, options);
	const one = await startCounter(stage, "one", SECRETS);
	const two = await startCounter(stage, "two", SECRETS);
	const site = await Site.make(stage,
		{ url: here.url, port: one.port, ...settings });
	for (const [name, text] of Object.entries(files))
		await site.write(name, text);
	const tetherd = await site.start();
	await early?.(site);
	const connection = await registered(here);
	const load = new Load(connection, [one, two]);
	if (early !== undefined)
		return { site, tetherd, connection, load, talks: [], here, there };
	const handle = await makeHandle({ connection }, PEOPLE.ada, "ada");
	const talks = [];
	for (let i = 0; i < 2; i++)
		talks.push(await Talk.open(connection, handle, `/talk/${i}`, one));
	await load.more();
	return { site, tetherd, connection, load, talks, handle,
		here, there, one, two };
}

// The end: figures of all that was asked for.
export async function account(t, { load, talks, tetherd, mayCut }, may) {
	for (const talk of talks.filter(({ left }) => !left))
		await talk.stop();
	const sum = await load.account(may);
	const messages = talks.reduce((n, { up, down }) => n + up + down, 0);
	t.diagnostic(`${JSON.stringify(sum)}, ${messages} messages`);
	if (!mayCut && !load.stubborn)
		assert.equal(sum.cut, 0, "some were cut off");
	for (const line of tetherd.lines)
		assert.doesNotMatch(line, SECRET_TEXTS);
	return sum;
}

// What proxyd had when it died, and what came before another one was there,
// is answered by the connector.
export const lost = (from, to) => ({ status, sent, answered }) =>
	status === 502 && sent < to && answered > from;

// The connection is none of those that are to be replaced.
export const stays = (tetherd) =>
	assert.deepEqual(tetherd.all("the settings of the connection"), []);

// What answers, and who may come in, is as it was at first.
export async function isOld({ load, there, connection, tetherd }) {
	const bob = await load.ask("small", "bob");
	assert.equal(bob.status, 200);
	assert.deepEqual([bob.said.at, bob.said.secret], ["one", "first"]);
	assert.equal((await load.ask("small", "eve")).status, 403);
	assert.equal(load.connection, connection);
	assert.equal(load.leaving, false);
	assert.deepEqual(there.upgrades, []);
	stays(tetherd);
}

// All different from what start() begins with.
export const others = ({ there, two }) => ({ url: there.url, port: two.port,
	client: "other", users: "ada eve", limits: ["request time 500ms"] });
