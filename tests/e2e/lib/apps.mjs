// The real web apps, each started as its users start it.

import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { request } from "../../integration/lib/http.mjs";
import { BUILD } from "../../integration/lib/programs.mjs";
import { until } from "../../integration/lib/time.mjs";
import { freePort } from "../../integration/lib/upstream.mjs";

const INSTALL = fileURLToPath(new URL("../install.sh", import.meta.url));
const START_TIMEOUT = 60000;

const APPS = {
	new: {
		folder: "node_modules/@cloudcli-ai/cloudcli",
		main: "dist-server/server/index.js",
	},
	old: {
		folder: "node_modules/@siteboon/claude-code-ui",
		main: "server/index.js",
	},
};

// The new app takes no projects below these.
const UNWANTED = /^\/(tmp|root|opt|usr|var)(\/|$)/;

// Where homes of the apps can be made: by whom ever runs the tests.
function homeParent() {
	const candidates = [process.env.TETHERD_E2E_HOME, homedir(), "/srv",
		"/home", BUILD];
	for (const path of candidates) {
		if (!path || UNWANTED.test(path))
			continue;
		try {
			accessSync(path, constants.W_OK | constants.X_OK);
			return path;
		} catch {
			// the next one, then
		}
	}
	throw new Error("TETHERD_E2E_HOME: set it to a folder outside of " +
		"/tmp, /root, /opt, /usr and /var that you may write to");
}

async function installed(name) {
	const { stdout } = await promisify(execFile)(INSTALL, [name],
		{ maxBuffer: 1 << 26 });
	return join(stdout.trim(), APPS[name].folder);
}

// What the app leaves running ends after it, before its home is removed.
function startGroup(stage, name, script, options) {
	let app = null;

	stage.atEnd(() => {
		try {
			process.kill(-app.pid, "SIGKILL");
		} catch (error) {
			if (error.code !== "ESRCH")
				throw error;
		}
	});
	app = stage.start(name, process.execPath, [script],
		{ ...options, detached: true });
	return app;
}

/*
 * The app with that name, with a fresh home, answering.
 *	secret	its JWT_SECRET; without one it goes by what it does then
 *	furnish	what fills the home before the app starts
 */
export async function startApp(stage, name, { secret, furnish } = {}) {
	const folder = await installed(name);
	const home = await stage.directory(homeParent());
	const temporary = await stage.directory();
	await furnish?.(home);
	const port = await freePort();
	const database = join(home, "auth.db");
	const env = {
		HOME: home,
		TMPDIR: temporary, // uploads of the last user may be there
		PATH: `${join(home, "bin")}:${process.env.PATH}`,
		CLAUDE_CLI_PATH: join(home, "bin/claude"),
		HOST: "127.0.0.1",
		PORT: String(port),
		SERVER_PORT: String(port),
		DATABASE_PATH: database,
		NODE_ENV: "production",
		// Nothing that the app starts leaves the machine.
		CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
		HTTPS_PROXY: "http://127.0.0.1:9",
		HTTP_PROXY: "http://127.0.0.1:9",
		NO_PROXY: "127.0.0.1,localhost",
	};
	if (secret !== undefined)
		env.JWT_SECRET = secret;
	const app = startGroup(stage, `${name} app`,
		join(folder, APPS[name].main), { cwd: home, env });
	Object.assign(app, { port, database, home, dist: join(folder, "dist"),
		url: `http://127.0.0.1:${port}` });
	await until(async () => {
		if (app.exited)
			throw new Error(`the ${name} app ended`);
		const answer = await request(`${app.url}/api/auth/status`)
			.catch(() => null);
		return answer?.status === 200;
	}, `the ${name} app does not answer`, START_TIMEOUT);
	return app;
}

// The URL path of the largest file that the page may ask for.
export async function largestAsset(app) {
	const sizes = await Promise.all(
		(await readdir(join(app.dist, "assets"))).map(async (name) => ({
			name,
			size: (await stat(join(app.dist, "assets", name))).size,
		})));
	const [largest] = sizes.sort((a, b) => b.size - a.size);
	return `/assets/${largest.name}`;
}

// The URL paths of all icons.
export async function icons(app) {
	const names = await readdir(join(app.dist, "icons"));
	return ["/favicon.png", "/favicon.svg",
		...names.filter((name) => /\.(png|svg)$/.test(name))
			.map((name) => `/icons/${name}`)];
}

// What an asset's bytes are on disk.
export function onDisk(app, path) {
	return readFile(join(app.dist, path));
}
