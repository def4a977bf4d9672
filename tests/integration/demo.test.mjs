// make demo, without the make.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";

import { request } from "./lib/http.mjs";
import { BUILD, ROOT, SECRET, startSampleApp } from "./lib/programs.mjs";
import { createUserDatabase } from "./lib/database.mjs";
import { scenario } from "./lib/scenario.mjs";

async function startDemo(stage, env = {}) {
	const home = await stage.directory();
	const demo = stage.start("demo", join(ROOT, "demo/run.sh"), [], {
		cwd: home,
		detached: true, // a process group, as in a shell
		env: { HOME: home, PATH: process.env.PATH,
			TETHERD_BUILD: BUILD, ...env },
	});
	return demo;
}

async function opened(demo) {
	const line = await demo.line("demo: open http://", { timeout: 30000 });
	return /http:\S+/.exec(line)[0];
}

describe("demo", { concurrency: 2 }, () => {
	for (const signal of ["SIGINT", "SIGTERM"])
		scenario(`a page that works, until ${signal}`, async (stage) => {
			const app = await startSampleApp(stage);
			const home = await stage.directory();
			const database = join(home, "auth.db");
			await createUserDatabase(database);
			const demo = await startDemo(stage, {
				UPSTREAM: app.url,
				DATABASE_PATH: database,
				JWT_SECRET: SECRET,
			});
			const url = await opened(demo);
			const page = await request(url);
			assert.equal(page.status, 200);
			const links = [...page.text.matchAll(
				/(?:href|src)="([^"]+)"/g)].map(([, link]) => link);
			assert.ok(links.length >= 3);
			for (const link of [...links, "api/whoami"])
				assert.equal((await request(new URL(link, url))).status,
					200, link);

			process.kill(-demo.pid, signal); // as Ctrl-C does
			assert.equal((await demo.ended()).code, 0);
			await assert.rejects(request(url));
			const logs = /logs: (\S+)\/\*/.exec(demo.all("logs: ")[0])[1];
			assert.ok(!existsSync(logs), "temporary directory");
		});

	scenario("the sample app, without any setting", async (stage) => {
		const demo = await startDemo(stage);
		const whoami = new URL("api/whoami", await opened(demo));
		const answer = await request(whoami);
		if (demo.all("the sample app").length > 0)
			assert.equal(answer.json.username, "local");
	});

	scenario("UPSTREAM that is none", async (stage) => {
		const demo = await startDemo(stage,
			{ UPSTREAM: "https://elsewhere.example" });
		assert.equal((await demo.ended()).code, 1);
		await demo.line("UPSTREAM: not of the form");
	});
});
