// Pages that go to the web app by themselves get a JWT, and nobody else does.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startInstance } from "./lib/instance.mjs";
import { identity } from "./lib/orchestrator.mjs";
import { SECRET } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";

const URL = "https://ui.test:3001/";
const OCTOCAT = identity(583231, "octocat");
const MONA = identity(7, "mona");
const POLICY = "policy {\n\tusers { octocat }\n\tread-only users { mona }\n}\n";
const ISLAND =
	/<script type="application\/json" id="tetherd-page">(.*?)<\/script>/;

function handle(req, res) {
	if (req.url === "/go")
		res.writeHead(302, { Location: "/" });
	else
		res.setHeader("Content-Type", "text/html");
	res.end("<html><head></head></html>");
}

describe("callback url", { concurrency: 2 }, () => {
	scenario("who gets what", async (stage) => {
		const conf = await startConf(stage, POLICY);
		const { connection, tetherd } = await startInstance(stage, {
			env: { ORCHESTRATOR_CALLBACK_URL: URL }, args: conf.args,
			handle });
		const island = async (headers, path = "/") => {
			const answer = await connection.request({ path,
				headers,
				proxy_base: "/clients/box/proxy" });
			assert.equal(answer.header("cache-control"), "no-store");
			return JSON.parse(ISLAND.exec(answer.body)[1]);
		};

		for (const path of ["/", "/go"]) {
			const { callback, token, handle } =
				await island(OCTOCAT, path);
			assert.equal(callback, URL);
			assert.match(handle, /^tether_/);
			const [head, claims, signature] = token.split(".");
			assert.equal(createHmac("sha256", SECRET)
				.update(`${head}.${claims}`).digest("base64url"),
			signature);
			const { username, exp } =
				JSON.parse(Buffer.from(claims, "base64url"));
			assert.equal(username, "octocat");
			assert.ok(exp > Date.now() / 1000 + 60);
			assert.ok(exp <= Date.now() / 1000 + 3600);
		}
		for (const headers of [MONA, []]) {
			const config = await island(headers);
			assert.equal("callback" in config, false);
			assert.equal("token" in config, false);
		}
		assert.equal(connection.register.metadata.callback_url, URL);
		assert.deepEqual(tetherd.all("eyJ"), []);
	});

	scenario("without one nobody does", async (stage) => {
		const conf = await startConf(stage, POLICY);
		const { connection } = await startInstance(stage, {
			args: conf.args, handle });
		const answer = await connection.request({ path: "/",
			headers: OCTOCAT, proxy_base: "/clients/box/proxy" });
		assert.match(ISLAND.exec(answer.body)[1], /"handle":"tether_/);
		assert.doesNotMatch(ISLAND.exec(answer.body)[1], /token/);
		assert.doesNotMatch(answer.body, /eyJ/);
	});
});
