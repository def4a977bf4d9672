// The programs under test, each started in a directory of its own.

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { createUserDatabase } from "./database.mjs";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
export const BUILD = resolve(ROOT, process.env.TETHERD_BUILD ?? "build");

export const TOKEN = "ao_1_secret-of-the-orchestrator";
export const SECRET = "secret-of-the-upstream";
export const CLIENT = "box";

const FOLDERS = {
	"tetherd": "sbin",
	"tetherctl": "sbin",
	"tether-hub": "bin",
	"connector": "libexec/tetherd",
	"proxyd": "libexec/tetherd",
	"authd": "libexec/tetherd",
	"dialer": "libexec/tetherd",
	"launcher": "libexec/tetherd",
	"seqpacket": "tests",
	"manager": "tests",
	"client": "tests/autobahn",
};

export function programPath(name) {
	const path = join(BUILD, FOLDERS[name], name);
	if (!existsSync(path))
		throw new Error(`${path} is missing: run make first`);
	return path;
}

const environment = (home, more) => {
	const env = { HOME: home, PATH: process.env.PATH, ...more };
	for (const name of Object.keys(env))
		if (env[name] === undefined)
			delete env[name];
	// What a sanitizer needs to report where tests see it, and what whoever
	// runs the tests wants malloc to be like.
	for (const name of ["ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
		"GLIBC_TUNABLES"])
		if (process.env[name] !== undefined)
			env[name] ??= process.env[name];
	return env;
};

const portOf = (line) => Number(/:(\d+)\/?$/.exec(line)[1]);

export async function startSampleApp(stage, env = {}) {
	const app = stage.start("sample-app", process.execPath,
		[join(ROOT, "demo/sample-app.mjs")],
		{ env: environment("/", { JWT_SECRET: SECRET, PORT: "0", ...env }) });
	app.port = portOf(await app.line("sample-app: listening on"));
	app.url = `http://127.0.0.1:${app.port}`;
	return app;
}

export async function startHub(stage, args = []) {
	const home = await stage.directory();
	const hub = stage.start("tether-hub", programPath("tether-hub"),
		["--listen", "127.0.0.1:0", "--token", TOKEN, ...args],
		{ cwd: home, env: environment(home) });
	hub.port = portOf(await hub.line("tether-hub: listening on"));
	hub.url = `http://127.0.0.1:${hub.port}`;
	hub.connectUrl = `ws://127.0.0.1:${hub.port}/ws/connect`;
	hub.base = `/clients/${CLIENT}/proxy`;
	return hub;
}

/*
 * tetherd, waiting for nothing.  options:
 *	env		added to the settings (undefined removes one)
 *	args		flags, ["-d"] if absent
 *	database	false: none is made
 *	program		to run, that of the build if absent
 *	within		a command and its arguments that runs it, by exec
 */
export async function startTetherd(stage, options = {}) {
	const home = await stage.directory();
	const database = join(home, "auth.db");

	if (options.database !== false)
		await createUserDatabase(database);
	const env = environment(home, {
		ORCHESTRATOR_MODE: "client",
		ORCHESTRATOR_TOKEN: TOKEN,
		ORCHESTRATOR_CLIENT_ID: CLIENT,
		ORCHESTRATOR_RECONNECT_INTERVAL: "100",
		DATABASE_PATH: database,
		JWT_SECRET: SECRET,
		STATE_DIRECTORY: join(home, "state"),
		// Each has a control socket of its own.
		RUNTIME_DIRECTORY: home,
		...options.env,
	});
	const [file, ...args] = [...options.within ?? [],
		options.program ?? programPath("tetherd"),
		...options.args ?? ["-d"]];
	const tetherd = stage.start("tetherd", file, args, { cwd: home, env });
	tetherd.home = home;
	tetherd.database = database;
	tetherd.socket = join(home, "tetherd.sock");
	tetherd.childPid = (name) => childPid(tetherd, name);
	tetherd.runningPid = (name) => runningPid(tetherd, name);
	tetherd.launcherPid = () => runningPid(tetherd, "launcher");
	tetherd.registered = (from) =>
		tetherd.line(/connector\[\d+\]: registered with /, { from });
	return tetherd;
}

// Run a program that ends by itself: { code, stdout, stderr }.
export function run(file, args, options = {}) {
	return new Promise((resolve, reject) => {
		execFile(file, args, { env: {}, timeout: 60000, ...options },
			(error, stdout, stderr) => {
				if (error !== null && typeof error.code !== "number")
					reject(error);
				else
					resolve({ code: error?.code ?? 0, stdout, stderr });
			});
	});
}

// Ask a tetherd of startTetherd().
export function tetherctl(tetherd, ...args) {
	return run(programPath("tetherctl"), args,
		{ env: environment(tetherd.home,
			{ RUNTIME_DIRECTORY: tetherd.home }) });
}

// The pid of the child of that name that was started last.
function childPid(tetherd, name) {
	const line = tetherd
		.all(new RegExp(`tetherd: ${name}: started, pid \\d+`)).pop();
	if (line === undefined)
		throw new Error(`${name} was not started`);
	return Number(/\d+$/.exec(line)[0]);
}

// The pid of a child by its name, also of one that no line tells about.
function runningPid(tetherd, name) {
	const pids = readFileSync(
		`/proc/${tetherd.pid}/task/${tetherd.pid}/children`, "utf8");
	const found = pids.trim().split(" ").find((pid) =>
		readFileSync(`/proc/${pid}/comm`, "utf8").trim() === name);
	if (found === undefined)
		throw new Error(`there is no ${name}`);
	return Number(found);
}

// Hub, upstream and tetherd, registered.
export async function startAll(stage, options = {}) {
	const hub = await startHub(stage, options.hubArgs);
	const upstream = options.upstream ?? await startSampleApp(stage);
	const tetherd = await startTetherd(stage, {
		...options,
		env: {
			ORCHESTRATOR_URL: hub.connectUrl,
			PORT: String(upstream.port),
			...options.env,
		},
	});
	await tetherd.registered();
	return { hub, upstream, tetherd };
}
