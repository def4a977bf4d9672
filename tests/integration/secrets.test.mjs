// No secret is seen by anybody whom it is not meant for: one instance with all
// of them, each way in which they can come to it, and all that can happen to it.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from
	"node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { createAuthority } from "./lib/certificates.mjs";
import { createUserDatabase, sql } from "./lib/database.mjs";
import { startGithub } from "./lib/github.mjs";
import { startHttpProxy } from "./lib/http-proxy.mjs";
import { identity, Orchestrator } from "./lib/orchestrator.mjs";
import { programPath, run, startTetherd, tetherctl } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { registered } from "./lib/site.mjs";
import { Secrets } from "./lib/secrets.mjs";
import { eachRow } from "./lib/table.mjs";
import { until } from "./lib/time.mjs";
import { makeHandle, Page, startSocketUpstream } from "./lib/tunnel.mjs";
import { watchProcesses } from "./lib/watch.mjs";

const CHILDREN = ["connector", "proxyd", "authd"];
const DIALS_FOR = 100; // ms at least, so that a dialer can be looked at
const SHOWN = 1000; // characters of what has one in it
const ADA = [1, "ada"];
const MONA = [2, "mona"];
const JWT = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g;

// Nothing of startTetherd()'s environment.
const NO_ENVIRONMENT = Object.fromEntries(["ORCHESTRATOR_MODE",
	"ORCHESTRATOR_TOKEN", "ORCHESTRATOR_CLIENT_ID", "DATABASE_PATH",
	"ORCHESTRATOR_RECONNECT_INTERVAL", "JWT_SECRET", "STATE_DIRECTORY"]
	.map((name) => [name, undefined]));

/*
 * How the settings that are secrets come: lines of tetherd.conf by block, and
 * variables.  granted: the orchestrator's token is none of the settings;
 * log: there is a log file; env: the variables are those of a file.
 */
const WAYS = {
	"in files": {
		log: true,
		conf: (w) => ({
			orchestrator: `token file "${w.path("token")}"
				proxy "${w.proxyUrl}"
				callback url "https://ui.test:3001/"`,
			upstream: `jwt secret file "${w.path("secret")}"`,
			github: `token file "${w.path("github")}"`,
		}),
		files: (w) => ({ token: w.token, secret: w.jwtSecret,
			github: w.githubToken }),
	},
	"in the environment": { variables },
	"in .env": { env: true, variables },
	"granted, and from databases": {
		granted: true,
		conf: (w) => ({
			orchestrator: `claim user alice\nproxy "${w.proxyUrl}"`,
			github: `token "${w.githubToken}"`,
		}),
	},
};

function variables(w) {
	return { ORCHESTRATOR_TOKEN: w.token, JWT_SECRET: w.jwtSecret,
		GITHUB_TOKEN: w.githubToken, HTTPS_PROXY: w.proxyUrl };
}

const configuration = (w, { orchestrator = "", upstream = "",
	github = "" } = {}, more = "") => `
orchestrator {
	mode client
	url "${w.orchestrator.url}"
	client id box
	ca file "${w.authority.caFile}"
	reconnect interval 100ms
	${orchestrator}
}
upstream {
	port ${w.upstream.port}
	database "${w.database}"
	${upstream}
}
github {
	api url "${w.github.url}"
	ca file "${w.github.caFile}"
	${github}
}
policy {
	users ada
	org acme
	read-only team acme/guests
	deny path "/closed"
}
audit {
	requests yes
	file "${w.path("audit")}"
}
log { ${w.way.log ? `file "${w.path("log")}"` : "level trace"} }
state directory "${w.path("state")}"
${more}`;

const assertOnly = (w, text, where, allowed) =>
	assert.deepEqual(w.secrets.in(text, allowed), [],
		`${where}: ${text.slice(0, SHOWN)}`);

class World {
	constructor(stage, way) {
		Object.assign(this, { stage, way, secrets: new Secrets(),
			jwts: new Set(), seen: [], asked: 0 });
		const make = (...args) => this.secrets.make(...args);
		this.token = make("orchestrator's token", "ao_1_");
		this.jwtSecret = make("JWT secret", "", '"\\+/=%& ');
		this.githubToken = make("instance's GitHub token", "ghp_");
		this.password = make("password of the proxy");
		this.adaToken = make("user's GitHub token", "gho_");
		this.refusedToken = make("refused GitHub token", "gho_");
		this.query = make("query");
		this.body = make("body");
		this.cookie = make("cookie");
		this.said = make("message of a socket");
	}

	async build() {
		const { stage, way } = this;
		const directory = await stage.directory();
		this.path = (name) => join(directory, name);
		this.database = this.path("auth.db");
		this.tetherDb = join(this.path("state"), "tether.db");
		await createUserDatabase(this.database, "new");
		if (way.granted)
			await sql(this.database, "INSERT INTO app_config VALUES " +
				`('jwt_secret', '${this.jwtSecret}')`);
		this.authority = await createAuthority(await stage.directory());
		this.good = true;
		this.orchestrator = await Orchestrator.start(stage, {
			cutMessages: true,
			tls: await this.authority.issue("good"),
			admit: () => this.good || "401 Unauthorized",
		});
		this.github = await startGithub(stage, {
			people: { robot: { id: 99, token: this.githubToken },
				ada: { id: 1, token: this.adaToken },
				mona: { id: 2 }, lisa: { id: 3 } },
			orgs: { acme: { members: { robot: "active", mona: "active",
				lisa: "active" } } },
		});
		this.proxy = await startHttpProxy(stage, { delay: DIALS_FOR });
		this.proxyUrl = `http://tether:${encodeURIComponent(this.password)}` +
			`@127.0.0.1:${this.proxy.port}`;
		this.upstream = await startSocketUpstream(stage, {
			handle: (req, res) => this.answer(req, res),
			connected: (ws, req) => {
				this.take(req);
				ws.on("message", () => ws.send(this.said));
			},
		});
		await mkdir(this.path("tmp"));
		for (const [name, text] of Object.entries(way.files?.(this) ?? {}))
			await this.write(name, `${text}\n`);
		if (way.env)
			await this.write("env", Object.entries(way.variables(this))
				.map(([name, text]) => `${name}='${text}'\n`).join(""));
		await this.write("tetherd.conf",
			configuration(this, way.conf?.(this)));
	}

	async write(name, text) {
		await writeFile(this.path(name), text, { mode: 0o600 });
		await chmod(this.path(name), 0o600);
	}

	get flags() {
		return [...this.way.log ? [] : ["-d"], "-vv", "-f",
			this.path("tetherd.conf"),
			...this.way.env ? ["-e", this.path("env")] : []];
	}

	get environment() {
		return { ...NO_ENVIRONMENT, TMPDIR: this.path("tmp"),
			...this.way.env ? {} : this.way.variables?.(this) };
	}

	async start() {
		const { stage, way } = this;
		this.tetherd = await startTetherd(stage, { args: this.flags,
			database: false, env: this.environment });
		if (way.log)
			followFile(stage, this.path("log"), this.tetherd);
		await this.tetherd.line("startup: ");
		this.watched = watchProcesses(stage, this.tetherd.pid);
		if (way.granted)
			await this.claim();
		await this.connected(0);
	}

	// What comes to the web app: the tokens are those that it gets.
	take(req) {
		const text = `${req.url} ${JSON.stringify(req.headers)}`;
		for (const [jwt] of text.matchAll(JWT))
			if (!this.jwts.has(jwt)) {
				this.jwts.add(jwt);
				this.secrets.addJwt("JWT", jwt);
			}
	}

	answer(req, res) {
		this.take(req);
		if (req.url.startsWith("/broken"))
			return req.socket.destroy();
		if (req.url.startsWith("/odd"))
			return req.socket.end(`HTTP/1.1 odd ${this.body}\r\n\r\n`);
		if (req.url.startsWith("/page"))
			res.setHeader("Content-Type", "text/html");
		else if (req.url.startsWith("/stream"))
			res.setHeader("Content-Type", "text/event-stream");
		if (req.url.startsWith("/bad"))
			res.statusCode = 500;
		res.setHeader("Set-Cookie", `c=${this.cookie}`);
		return res.end(req.url.startsWith("/stream")
			? `data: ${this.said}\n\n`
			: `<html><head></head>${this.body}</html>`);
	}

	// It waits to be claimed; the first thing that is granted is no token.
	async claim() {
		const pending = await this.orchestrator.pending();
		const grant = (token) => pending.send(
			{ type: "token_granted", token, client_id: "box" });
		grant(`${this.token} x`);
		await this.tetherd.line("token_granted without a valid token");
		grant(this.token);
		await this.tetherd.line("kept in tether.db");
	}

	async connected(from) {
		this.connection = await registered(this.orchestrator);
		await this.tetherd.registered(from);
		this.page = new Page(this.connection);
	}

	// What makes it connect anew.
	async reconnect(how) {
		const from = this.tetherd.lines.length;
		await how();
		await this.connected(from);
	}

	// A request of somebody, with secrets wherever there is a place for one.
	request([id, login], members = {}) {
		return this.connection.request({ method: "POST", path: "/",
			query: `q=${encodeURIComponent(this.query)}&r=${this.query}`,
			body: this.body,
			...members,
			headers: [...identity(id, login),
				["Cookie", `c=${this.cookie}`],
				["Authorization", `Bearer ${this.handle ?? this.body}`],
				...members.headers ?? []] });
	}

	async assertAnswered(status, who, members) {
		const answer = await this.request(who, members);
		assert.equal(answer.status, status, answer.body);
		return answer;
	}

	// Somebody who may come in only if GitHub says so.
	stranger() {
		this.asked++;
		return [1000 + this.asked, `stranger${this.asked}`];
	}

	async userRequest(payload, action = "chat.send") {
		const request_id = `r${++this.asked}`;
		this.connection.send({ type: "user_request", request_id, action,
			payload });
		const next = (...types) => this.connection.messages.next((m) =>
			types.includes(m.type) && m.request_id === request_id);
		const first = await next("response_chunk", "response_complete");
		if (first.type === "response_complete")
			return first.data;
		// The upstream said something: that is enough.
		this.connection.send({ type: "user_request", request_id,
			action: "close" });
		return (await next("response_complete")).data;
	}

	// A command of the operator's; what it prints is looked at in the end.
	async control(...words) {
		const { code, stdout, stderr } =
			await tetherctl(this.tetherd, ...words);
		this.seen.push([`tetherctl ${words.join(" ")}`, stdout + stderr]);
		return { code, stdout, stderr };
	}

	async controls(code, ...words) {
		const answer = await this.control(...words);
		assert.equal(answer.code, code, `${words}: ${answer.stderr}`);
		return answer;
	}

	// Until all of them answer.
	ready() {
		return until(async () => {
			const { code, stdout } = await this.control("show", "status");
			return code === 0 && !stdout.includes("no answer");
		}, "not all run");
	}
}

// Lines of a file become lines of the process that writes it, as it would have
// written them to standard error.
function followFile(stage, path, child) {
	let at = 0;
	const timer = setInterval(() => {
		const text = existsSync(path) ? readFileSync(path, "utf8") : "";
		const end = text.lastIndexOf("\n");
		if (end < at)
			return;
		for (const line of text.slice(at, end).split("\n"))
			child.take(line.replace(/^\S+ tetherd\[\d+\]/, "tetherd"));
		at = end + 1;
	}, 10);

	stage.atEnd(() => clearInterval(timer));
}

async function signIn(w) {
	const people = { proxy_base: "/clients/box/proxy" };

	await w.assertAnswered(200, ADA);
	await w.assertAnswered(200, MONA, people);
	assert.equal(w.github.requests.at(-1).headers.authorization,
		`Bearer ${w.githubToken}`);
	await w.assertAnswered(403, [7, "eve"]);
	await w.assertAnswered(403, [7, "e ve"]);
	await w.assertAnswered(403, ADA, { path: "/closed" });

	w.handle = await makeHandle(w, ...ADA);
	w.secrets.add("handle", w.handle.replace(/^tether_/, ""));
	const { body } = await w.assertAnswered(200, ADA,
		{ ...people, method: "GET", path: "/page" });
	for (const [, inPage] of body.matchAll(/"handle":"tether_([^"]+)"/g))
		w.secrets.add("handle", inPage);
	assert.equal(JWT.test(body), w.way.log === true);
	JWT.lastIndex = 0;
	w.take({ url: body });
	await w.assertAnswered(200, ADA, { path: "/api",
		query: `token=${w.handle}` });
	await w.assertAnswered(500, ADA, { path: "/bad" });
	for (const path of ["/broken", "/odd"])
		await w.assertAnswered(502, ADA, { path });
	await w.request(ADA, { method: w.body });
	await w.request(ADA, { query: `${w.query}\u0000\r\n` });
	await w.request(ADA, { headers: [["X-A", `${w.cookie}\r\nb`],
		[`${w.cookie} x`, "y"], ["X-Orchestrator-User-Id", w.cookie]] });
}

async function failGithub(w) {
	const { github } = w;
	const token = w.githubToken;
	const rows = [
		[{ status: 401, body: { message: `Bad credentials: ${token}` } }],
		[{ status: 500, body: { message: token } }],
		[{ status: 403, body: { message: token } }],
		[{ body: `{"state":"active","x":${token}` }],
		[{ body: { state: "active", user: { login: token, id: 1 } } }],
		[{ redirect: `${github.url}/?access_token=${token}` }],
		[{ raw: `HTTP/1.1 200 ${token}\r\n${token}\r\n` }],
		[{ headers: { "x-long": token.repeat(900) } }],
	];

	await eachRow(rows, async ([fault]) => {
		const end = github.fault(/./, fault);
		await w.assertAnswered(403, w.stranger());
		end();
	});
	await github.close();
	await w.assertAnswered(403, w.stranger());
	await github.listen();
	w.proxy.refuse = "HTTP/1.1 407 No\r\nContent-Length: 0\r\n" +
		`X-Echo: ${w.password}\r\n\r\n`;
	github.dropConnections();
	await w.assertAnswered(403, w.stranger());
	w.proxy.refuse = undefined;
	await w.assertAnswered(200, [3, "lisa"]);
}

async function userTokens(w) {
	const error = async (auth_token) =>
		(await w.userRequest({ auth_token, content: w.body })).message;

	assert.equal((await w.userRequest({ auth_token: w.adaToken,
		content: w.body })).reason, "Normal close");
	assert.equal(await error(w.refusedToken),
		"the GitHub token is not valid");
	for (const bad of [`${w.refusedToken}\r\n`, w.refusedToken.repeat(200),
		[w.refusedToken], `${w.refusedToken} x`])
		assert.match(await error(bad), /auth_token|not valid/);
	const end = w.github.fault("/user", { status: 500,
		body: w.adaToken });
	await error(w.refusedToken.replace("gho_", "ghu_"));
	end();
}

async function tunnels(w) {
	const { page } = w;
	const socket = page.open(`/ws?token=${w.handle}&q=${w.query}`,
		{ handle: w.handle, protocols: [`p-${w.cookie.slice(0, -5)}`] });
	const opened = await socket.opened;
	if (opened.t === "open") {
		await socket.send(w.said);
		assert.equal(await socket.messages.next(), w.said);
	}
	const stream = page.stream(`/stream?q=${w.query}`, {
		handle: w.handle, headers: [["Cookie", w.cookie]] });
	await stream.closed;
	for (const handle of [w.said, `tether_${w.said}`,
		w.handle.slice(0, -1), `${w.handle}x`]) {
		await page.open("/ws", { handle }).closed;
		await page.stream("/stream", { handle }).closed;
	}
	await page.open("/closed", { handle: w.handle }).closed;
	await page.ask("tunnel.send", { id: w.said, n: 0, d: w.said });
	await page.ask("tunnel.open", { handle: [w.handle], path: w.handle });

	await w.control("users", "role", "ada", "read-only");
	const chat = page.open("/ws", { handle: w.handle });
	if ((await chat.opened).t === "open") {
		chat.send(JSON.stringify({ type: "chat.send", text: w.said }));
		chat.send(w.said);
		await chat.denied.next();
		await chat.close(1000, w.said.slice(0, 60));
	}
	await w.assertAnswered(403, ADA);
	await w.control("users", "role", "ada", "default");
	await socket.close(1000, "");
}

async function operate(w) {
	const commands = [["show", "config"], ["show", "limits"],
		["show", "processes"], ["show", "status"], ["stats"], ["tokens"],
		["users"]];

	for (const words of commands)
		for (const flags of [[], ["-j"]])
			if (words[1] !== "config" || flags.length === 0)
				await w.controls(0, ...flags, ...words);
	for (const words of [["log", "trace"], ["log", "verbose", "authd"],
		["log", "trace", "authd"], ["users", "disable", "mona"],
		["users", "enable", "2"]])
		await w.controls(0, ...words);
	for (const words of [["tokens", "forget", "nobody.test"],
		["users", "disable", "nobody"]])
		assert.notEqual((await w.control(...words)).code, 0);
	const { stdout: config } = await w.control("show", "config");
	assert.match(config, /proxy "http:\/\/\*{8}@127/);

	// The same, of a tetherd that does nothing else.
	const { stdout, stderr } = await run(programPath("tetherd"),
		["-nn", ...w.flags], { cwd: w.tetherd.home, env: Object.fromEntries(
			Object.entries({ HOME: w.tetherd.home, ...w.environment })
				.filter(([, value]) => value !== undefined)) });
	assert.match(stdout, /\*{8}/);
	w.seen.push(["tetherd -nn", stdout + stderr]);

	const from = w.tetherd.lines.length;
	w.tetherd.signal("SIGUSR1");
	await w.tetherd.line("status: ", { from });
	await w.reconnect(() => w.tetherd.signal("SIGUSR2"));
}

async function refusedByOrchestrator(w) {
	const from = w.tetherd.lines.length;

	w.good = false;
	await w.controls(0, "reconnect");
	await w.tetherd.line("HTTP 401", { from });
	w.good = true;
	await w.reconnect(() => w.controls(0, "reconnect"));
	await w.controls(0, "disconnect");
	await w.reconnect(() => w.controls(0, "reconnect"));
}

// Settings that are none, with secrets in them; then others.
async function reload(w) {
	const { conf } = w.way;
	const set = (more, blocks = {}) => w.write("tetherd.conf",
		configuration(w, { ...conf?.(w), ...blocks }, more));
	const token = w.token;
	const rows = [
		[`"${token}`], [`orchestrator "${token}"`],
		[`include "${token.slice(0, 20)}\u0001"`], [`x = ${token} ${token}`],
		["", { orchestrator: `token "${token} x"` }],
		["", { orchestrator: `token "${token}` }],
		["", { orchestrator: `token ${token} ${token}` }],
		["", { orchestrator: `token "${token}"\ntoken "${token}"` }],
		["", { orchestrator: `proxy "http://u:${w.password}@h:x"` }],
		["", { orchestrator: `proxy "https://u:${w.password}@h"` }],
		["", { orchestrator: `proxy "u:${w.password}"` }],
		["", { upstream: `jwt secret "${token.repeat(200)}"` }],
		["", { upstream: `jwt secret ${token} default` }],
		["", { github: `token "${w.githubToken}\\x"\n}` }],
		["", { github: `token ""\napi url "https://${token}@h/"` }],
	];

	await eachRow(rows, async ([more, blocks]) => {
		await set(more, blocks);
		await w.controls(4, "reload");
		const checked = await run(programPath("tetherd"),
			["-nn", "-f", w.path("tetherd.conf")]);
		assert.equal(checked.code, 1);
		w.seen.push(["tetherd -nn", checked.stdout + checked.stderr]);
	});
	await set("limits { requests 100 }");
	await w.controls(0, "reload");
	await w.assertAnswered(200, MONA);
}

// Each process dies: no other one tells what it knew, nor does a core file.
async function die(w) {
	const { tetherd } = w;
	const kill = async (name, signal) => {
		const from = tetherd.lines.length;
		process.kill(tetherd.childPid(name), signal);
		await tetherd.line(`lost child: ${name}`, { from });
	};

	for (const [name, signal] of [["authd", "SIGKILL"], ["authd", "SIGSEGV"],
		["proxyd", "SIGKILL"]]) {
		await kill(name, signal);
		await w.ready();
		await w.assertAnswered(200, ADA);
	}
	await w.reconnect(() => kill("connector", "SIGKILL"));
	await w.assertAnswered(200, ADA);
}

async function failDatabases(w) {
	const { database, tetherDb } = w;
	const newcomer = () => w.userRequest({ auth_token: w.adaToken });

	await rename(database, `${database}.away`);
	await writeFile(database, w.jwtSecret.repeat(100));
	await w.request([3, "lisa"]);
	await makeHandle(w, 3, "lisa").catch(() => {});
	await rename(`${database}.away`, database);
	await sql(database, "ALTER TABLE users RENAME TO away");
	await w.request([3, "lisa"]);
	await sql(database, "ALTER TABLE away RENAME TO users");
	await sql(tetherDb, "ALTER TABLE handles RENAME TO away");
	await makeHandle(w, ...MONA).catch(() => {});
	await w.page.open("/ws", { handle: w.handle }).closed;
	await newcomer();
	await sql(tetherDb, "ALTER TABLE away RENAME TO handles");
	await w.request(ADA);
}

const ACTS = [signIn, failGithub, userTokens, tunnels, operate,
	refusedByOrchestrator, reload, failDatabases, die];

// Each secret was where it belongs: else it was not there to be found.
function assertUsed(w) {
	const { searchParams } = new URL(w.orchestrator.upgrades.at(-1).url,
		"ws://h");
	assert.equal(searchParams.get("token"), w.token);
	assert.ok(w.github.requests.some(({ headers }) =>
		headers.authorization === `Bearer ${w.adaToken}`));
	assert.ok(w.github.requests.some(({ headers }) =>
		headers.authorization === `Bearer ${w.refusedToken}`));
	const login = Buffer.from(`tether:${w.password}`).toString("base64");
	for (const { headers } of w.proxy.tunnels.items)
		assert.equal(headers["proxy-authorization"], `Basic ${login}`);
	assert.ok(w.proxy.tunnels.length >= 4);
	assert.ok(w.jwts.size >= 2);
}

function assertProcessesClean(w, seen) {
	const names = new Map();
	for (const { pid, file, text } of seen)
		if (file === "comm")
			names.set(pid, text.trim());
	for (const name of ["tetherd", "dialer", ...CHILDREN])
		for (const file of ["cmdline", "environ", "limits"])
			assert.ok(seen.some((s) => names.get(s.pid) === name &&
				s.file === file), `no ${file} of ${name}`);
	for (const { pid, file, text } of seen) {
		const where = `${file} of ${names.get(pid)}`;
		assertOnly(w, text, where);
		if (file === "limits" && text !== "")
			assert.match(text, /^Max core file size +0 +0 /m, where);
	}
}

// All files of the directory, and of those in it.
async function filesOf(directory) {
	const entries = await readdir(directory,
		{ recursive: true, withFileTypes: true });
	return entries.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

async function assertFilesClean(w) {
	const inputs = ["tetherd.conf", "token", "secret", "github", "env"]
		.map(w.path);
	const state = `${w.path("state")}/`;
	const places = [w.path("."), w.tetherd.home];

	for (const path of (await Promise.all(places.map(filesOf))).flat()) {
		if (inputs.includes(path))
			continue;
		const allowed = [];
		if (path.startsWith(state))
			assert.equal((await stat(path)).mode & 0o7777, 0o600, path);
		if (path.startsWith(w.tetherDb) && w.way.granted)
			allowed.push("orchestrator's token");
		if (path.startsWith(w.database) && w.way.granted)
			allowed.push("JWT secret");
		assertOnly(w, await readFile(path, "latin1"), path, allowed);
	}
	assert.deepEqual(await readdir(w.path("tmp")), []);
}

// A program of the same user as that process; of root's without capabilities.
function besides(pid) {
	const id = (name) => new RegExp(`^${name}:\\s*(\\d+)`, "m")
		.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1];

	if (process.getuid() !== 0)
		return [];
	return id("Uid") === "0" ? ["setpriv", "--bounding-set=-all"]
		: ["setpriv", `--reuid=${id("Uid")}`, `--regid=${id("Gid")}`,
			"--clear-groups"];
}

async function mayLookInto(pid) {
	const [file, ...args] = [...besides(pid), "cat", `/proc/${pid}/environ`];
	const { code, stderr } = await run(file, args, { env: process.env });

	if (code !== 0)
		assert.match(stderr, /Permission denied/);
	return code === 0;
}

describe("secrets", { concurrency: 2 }, () => {
	for (const [name, way] of Object.entries(WAYS))
		scenario(name, async (stage, t) => {
			const w = new World(stage, way);
			await w.build();
			await w.start();
			for (const act of ACTS)
				await act(w).catch((error) => {
					error.message = `${act.name}: ${error.message}`;
					throw error;
				});
			assertUsed(w);
			if (way.granted) {
				assert.ok(w.secrets.in(await readFile(w.tetherDb,
					"latin1")).includes("orchestrator's token"));
				await w.controls(0, "tokens", "forget",
					`localhost:${w.orchestrator.port}`);
				await until(() => !readFileSync(w.tetherDb, "latin1")
					.includes(w.token), "forgotten, but still there");
			}
			await w.tetherd.stop();
			const seen = await w.watched();

			const lines = w.tetherd.lines;
			await eachRow(lines, (line) => assertOnly(w, line, "log"));
			await eachRow(w.seen, ([what, text]) =>
				assertOnly(w, text, what));
			assertProcessesClean(w, seen);
			await assertFilesClean(w);
			t.diagnostic(`${lines.length} lines, ${seen.length} states of ` +
				`processes, ${w.jwts.size} JWTs`);
		});
});

scenario("no debugger of the same user may look", async (stage) => {
	const [file, ...args] = [...besides(process.pid), "sleep", "100"];
	const other = stage.start("sleep", file, args, { env: process.env });
	await until(() => readFileSync(`/proc/${other.pid}/comm`, "utf8") ===
		"sleep\n", "does not sleep");
	assert.ok(await mayLookInto(other.pid), "another one can be looked into");

	const proxy = await startHttpProxy(stage, { delay: 100000 });
	const tetherd = await startTetherd(stage, { env: {
		ORCHESTRATOR_URL: "wss://localhost:1/", PORT: "1",
		HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` } });
	await proxy.tunnels.next();
	const pids = readFileSync(
		`/proc/${tetherd.pid}/task/${tetherd.pid}/children`, "utf8")
		.trim().split(" ").map(Number);
	const names = pids.map((pid) =>
		readFileSync(`/proc/${pid}/comm`, "utf8").trim());
	assert.deepEqual(names.sort(),
		[...CHILDREN, "dialer", "launcher"].sort());
	for (const pid of [tetherd.pid, ...pids])
		assert.ok(!await mayLookInto(pid), `process ${pid}`);
});
