// One line in the log for each request and each tunnel.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { deadline } from "./lib/time.mjs";
import { echo, startPage } from "./lib/tunnel.mjs";

const AUDIT = "audit { requests yes }\n";
const WHO = "GitHub id 583231 login octocat";

// What stands behind "audit: ", of the lines so far.
const audited = (tetherd) => tetherd.all(/: audit: /).map((line) =>
	/proxyd\[\d+\]: audit: (.*)$/.exec(line)[1]);

describe("audit", { concurrency: 2 }, () => {
	scenario("requests", async (stage) => {
		const { args } = await startConf(stage,
			`${AUDIT}policy {\n\tusers { octocat hubot }\n` +
			"\tdeny path \"/closed\"\n}\n");
		const { connection, tetherd } = await startInstance(stage, {
			args,
			handle: (req, res) => {
				const [, status] = /^\/(\d{3})\b/.exec(req.url) ?? [];
				res.statusCode = Number(status ?? 200);
				res.end();
			},
		});
		const octocat = identity(583231, "octocat");
		const ask = (members) => connection.request(members);

		await ask({ path: "/api/x?token=secret-q#y", headers: octocat });
		await ask({ path: "/404", method: "POST", body: "secret-b",
			query: "key=secret-q", headers: octocat });
		await ask({ path: "/500", headers: [...octocat,
			["Authorization", "Bearer secret-h"]] });
		await ask({ path: "/closed/x", headers: octocat });
		await ask({ path: "/x y", headers: identity(7, "mallory") });
		await ask({ path: "/nobody" });
		await ask({ path: "no slash secret-p", headers: octocat });
		await ask({ path: `/${"l".repeat(3000)}`, headers: octocat });
		await tetherd.line(/audit: .* \/l+ 200$/);
		assert.deepEqual(audited(tetherd), [
			`${WHO} GET /api/x 200`,
			`${WHO} POST /404 404`,
			`${WHO} GET /500 500`,
			`${WHO} GET /closed/x 403`,
			"GitHub id 7 login mallory GET /x%20y 403",
			"nobody GET /nobody 200",
			"nobody malformed request 400",
			`${WHO} GET /${"l".repeat(510)} 200`,
		]);
		assert.deepEqual(tetherd.all("secret-"), []);
	});

	scenario("tunnels", async (stage) => {
		const { args } = await startConf(stage,
			`${AUDIT}policy { deny path \"/closed\" }\n`);
		const { page, tetherd } = await startPage(stage, { args,
			connected: echo,
			admit: (req) => req.url.startsWith("/no") ? 404 : 101 });
		const refused = (path, options) => deadline(
			page.open(path, options).closed, 5000, "not refused");

		const tunnel = page.open("/ws?token=secret-q&a=b");
		assert.equal((await tunnel.opened).t, "open");
		await tunnel.send("secret-b");
		await refused("/closed");
		await refused("/no");
		await refused("/ws", { handle: "tether_secret-h" });
		const stream = page.stream("/events");
		assert.equal((await stream.opened).t, "head");
		await tetherd.line(/audit: .*\/events opened$/);
		assert.deepEqual(audited(tetherd).slice(1), [
			`${WHO} tunnel /ws opened`,
			`${WHO} tunnel /closed refused 403`,
			`${WHO} tunnel /no refused 502`,
			"nobody tunnel /ws refused 403",
			`${WHO} tunnel /events opened`,
		]);
		assert.equal(audited(tetherd)[0],
			`${WHO} POST /__tether/handle 200`);
		assert.deepEqual(tetherd.all("secret-"), []);
	});

	scenario("only when it is wanted", async (stage) => {
		const conf = await startConf(stage, "");
		const { connection, tetherd } = await startInstance(stage, {
			args: conf.args });

		await connection.request({ path: "/one" });
		await conf.change(AUDIT, tetherd);
		await connection.request({ path: "/two" });
		await conf.change("", tetherd);
		await connection.request({ path: "/three" });
		await conf.change(AUDIT, tetherd);
		await connection.request({ path: "/four" });
		await tetherd.line("/four");
		assert.deepEqual(audited(tetherd),
			["nobody GET /two 200", "nobody GET /four 200"]);
	});
});
