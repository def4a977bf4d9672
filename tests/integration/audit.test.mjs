// One line in the log for each request that was refused, or each at all, and
// for each tunnel.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { scenario } from "./lib/scenario.mjs";
import { deadline } from "./lib/time.mjs";
import { echo, startPage } from "./lib/tunnel.mjs";

const AUDIT = "audit { requests yes }\n";
const OWNER = "id=583231 login=octocat";
const WHO = `${OWNER} role=full`;

// What stands behind "audit: ", of the lines so far, about requests and
// tunnels.
const audited = (tetherd) => tetherd.all(/: audit: (?:request|tunnel) /)
	.map((line) => /: audit: (.*)$/.exec(line)[1]);

// The same, without the rule that let somebody in.
const brief = (tetherd) => audited(tetherd).map((line) =>
	line.replace(/^(\S+ allowed .*) why=".*"$/, "$1"));

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
		await tetherd.line(/audit: .* \/l+ 200/);
		assert.deepEqual(brief(tetherd), [
			`request allowed ${WHO} GET /api/x 200`,
			`request allowed ${WHO} POST /404 404`,
			`request allowed ${WHO} GET /500 500`,
			`request refused ${WHO} GET /closed/x 403 why="this path ` +
				"is closed on this instance\"",
			"request refused id=7 login=mallory GET /x%20y 403 " +
				"why=\"you are not among the users of this " +
				"instance\"",
			"request allowed GET /nobody 200",
			"request refused 400 why=\"path does not begin with /\"",
			`request allowed ${WHO} GET /${"l".repeat(510)} 200`,
		]);
		assert.match(audited(tetherd)[0], / 200 why="[^"]+"$/);
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
		await tetherd.line(/audit: tunnel allowed .*\/events/);
		assert.deepEqual(brief(tetherd).map((line) =>
			line.replace(/ role=\S+/, "")), [
			`request allowed ${OWNER} POST /__tether/handle 200`,
			`tunnel allowed ${OWNER} /ws`,
			`tunnel refused ${OWNER} /closed 403 why="this path is ` +
				"closed on this instance\"",
			`tunnel refused ${OWNER} /no 502 why="the web app ` +
				"refuses this WebSocket\"",
			"tunnel refused /ws 403 why=\"no valid handle\"",
			`tunnel allowed ${OWNER} /events`,
		]);
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
		assert.deepEqual(audited(tetherd), [
			"request allowed GET /two 200",
			"request allowed GET /four 200",
		]);
	});

	scenario("refusals are always told", async (stage) => {
		const { args } = await startConf(stage,
			"policy {\n\tread-only users { octocat }\n" +
			"\tdeny path \"/closed\"\n}\n");
		const { connection, tetherd } = await startInstance(stage, { args,
			handle: (req, res) => {
				res.statusCode = 403; // of the web app, not ours
				res.end();
			} });
		const octocat = identity(583231, "octocat");

		await connection.request({ path: "/one", headers: octocat });
		await connection.request({ path: "no slash" });
		await connection.request({ path: "/two", method: "PUT",
			headers: octocat });
		await connection.request({ path: "/closed" });
		await tetherd.line("GET /closed");
		assert.deepEqual(audited(tetherd), [
			`request refused ${OWNER} role=read-only PUT /two 403 ` +
				"why=\"your access is read-only\"",
			"request refused GET /closed 403 why=\"this path is " +
				"closed on this instance\"",
		]);
	});
});
