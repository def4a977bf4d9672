// Sockets of other people, when tetherd is started as root: proxyd is their
// owner then, and sees nothing but the folder that they are in.

import assert from "node:assert/strict";
import { chmod, chown, mkdir, readFile, readlink, rm, symlink } from
	"node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startHostile } from "./lib/hostile-upstream.mjs";
import { startInstance } from "./lib/instance.mjs";
import { startTetherd } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";

const ROOT = process.getuid() === 0 ? {} : { skip: "only root has a choice" };
const ADA = 1234, BOB = 65534;
const at = (path) => `upstream { address "unix:${path}" }\n`;

// A folder in which everybody may look for the socket "app".
async function makeFolder(stage, uid, mode) {
	const above = await stage.directory();
	const folder = join(above, "app");
	await chmod(above, 0o755);
	await mkdir(folder);
	await chown(folder, uid, uid);
	await chmod(folder, mode);
	return folder;
}

async function listen(stage, path, uid, mode = 0o700) {
	const app = await startHostile(stage, {}, { listen: path });
	await chown(path, uid, uid);
	await chmod(path, mode);
	return app;
}

async function start(stage, path) {
	const conf = await startConf(stage, at(path));
	const instance = await startInstance(stage, { args: conf.args,
		upstream: () => ({}), env: { PORT: undefined } });
	const { connection, tetherd } = instance;
	return { ...instance, conf,
		ask: async () => (await connection.request({ path: "/x" })).status,
		seen: async () => {
			const pid = /pid (\d+)/.exec(
				tetherd.all("proxyd: started").at(-1))[1];
			const text = await readFile(`/proc/${pid}/status`, "utf8");
			return { root: await readlink(`/proc/${pid}/root`),
				uid: Number(/^Uid:\t(\d+)/m.exec(text)[1]) };
		} };
}

describe("the socket of", { concurrency: 2 }, () => {
	for (const [name, folderOf, mode, uid] of [
		["ada, in a folder of ada's alone", ADA, 0o700, ADA],
		["ada, in a folder of root's", 0, 0o755, ADA],
		["bob, in a folder of ada's", ADA, 0o755, BOB],
		["root", 0, 0o700, 0],
	])
		scenario(name, ROOT, async (stage) => {
			const folder = await makeFolder(stage, folderOf, mode);
			const path = join(folder, "app");
			const app = await listen(stage, path, uid);
			const { ask, seen, tetherd } = await start(stage, path);
			assert.equal(await ask(), 200);
			assert.deepEqual(await seen(), { root: folder, uid });
			// The app starts anew.
			await app.close();
			assert.equal(await ask(), 502);
			await listen(stage, path, uid);
			assert.equal(await ask(), 200);
			assert.equal(tetherd.all("proxyd: started").length, 1);
		});

	scenario("ada, who hands it over to bob", ROOT, async (stage) => {
		const folder = await makeFolder(stage, ADA, 0o755);
		const path = join(folder, "app");
		const app = await listen(stage, path, ADA);
		const { ask, conf, seen, tetherd } = await start(stage, path);
		assert.equal(await ask(), 200);
		await chown(path, BOB, BOB);
		// A connection that is kept would do.
		for (const connection of app.connections)
			connection.destroy();
		await until(async () => await ask() === 502, "still let in");
		await tetherd.line(`upstream unix:${path}: Permission denied`);
		await conf.change(at(path), tetherd);
		assert.equal(await ask(), 200);
		assert.deepEqual(await seen(), { root: folder, uid: BOB });
	});

	scenario("ada, at the end of a symbolic link", ROOT, async (stage) => {
		const folder = await makeFolder(stage, ADA, 0o700);
		const link = join(folder, "..", "link");
		await symlink(join(folder, "app"), link);
		const app = await listen(stage, join(folder, "app"), ADA);
		const { ask, seen } = await start(stage, link);
		assert.equal(await ask(), 200);
		assert.deepEqual(await seen(), { root: folder, uid: ADA });
		await app.close();
		await listen(stage, join(folder, "app"), ADA);
		assert.equal(await ask(), 200);
	});

	scenario("ada, who starts late", ROOT, async (stage) => {
		const folder = await makeFolder(stage, ADA, 0o700);
		const path = join(folder, "app");
		const { ask, seen } = await start(stage, path);
		assert.equal(await ask(), 502);
		await listen(stage, path, ADA);
		assert.equal(await ask(), 200);
		assert.deepEqual(await seen(), { root: folder, uid: ADA });
	});

	scenario("one, then another one's", ROOT, async (stage) => {
		const one = await makeFolder(stage, ADA, 0o700);
		const two = await makeFolder(stage, BOB, 0o700);
		await listen(stage, join(one, "app"), ADA);
		await listen(stage, join(two, "app"), BOB);
		const { ask, conf, seen, tetherd } =
			await start(stage, join(one, "app"));
		assert.equal(await ask(), 200);
		await conf.change(at(join(two, "app")), tetherd);
		assert.equal(await ask(), 200);
		assert.deepEqual(await seen(), { root: two, uid: BOB });
		await conf.change(at(join(one, "app")), tetherd);
		assert.equal(await ask(), 200);
		assert.deepEqual(await seen(), { root: one, uid: ADA });
	});

	scenario("nobody: there is no such folder", ROOT, async (stage) => {
		const folder = await makeFolder(stage, ADA, 0o700);
		await rm(folder, { recursive: true });
		const conf = await startConf(stage, at(join(folder, "app")));
		const tetherd = await startTetherd(stage, { args: conf.args,
			env: { ORCHESTRATOR_URL: "ws://127.0.0.1:9", PORT: undefined } });
		await tetherd.line("proxyd refuses its configuration: " +
			`the folder of the web app's socket ${join(folder, "app")}: ` +
			"No such file or directory");
		await until(() => tetherd.exited, "goes on");
	});
});
