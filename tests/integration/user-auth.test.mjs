// Actions of sessions: whose GitHub token comes along, and what they may.

import assert from "node:assert/strict";
import { open, readFile } from "node:fs/promises";
import { describe } from "node:test";

import { startConf } from "./lib/conf-file.mjs";
import { startGithub } from "./lib/github.mjs";
import { startInstance } from "./lib/instance.mjs";
import { BUILD } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";

const TOKENS = { mona: "gho_mona_secret", hubot: "gho_hubot_secret",
	lisa: "gho_lisa_secret" };
const RULES = "users { mona }\n\tread-only org { acme }";
const READ_ONLY = "your access is read-only";
const UPSTREAM_REFUSES = "the web app refuses this WebSocket";

// Who may gets as far as here, where there are no WebSockets.
const handle = (req, res) => res.end("ok");

async function start(stage, rules = RULES) {
	const github = await startGithub(stage, {
		people: {
			mona: { id: 1, token: TOKENS.mona },
			hubot: { id: 2, token: TOKENS.hubot },
			lisa: { id: 3, token: TOKENS.lisa },
		},
		orgs: { acme: { id: 10, members: { hubot: "active" } } },
	});
	const conf = await startConf(stage, `policy {\n\t${rules}\n}\n`);
	const all = await startInstance(stage, { handle,
		args: ["-v", ...conf.args], env: github.env });
	let count = 0;
	// The message "error" and the last reply.
	const ask = async (action, payload) => {
		const id = `r${++count}`;
		all.connection.send({ type: "user_request", request_id: id,
			action, payload });
		const next = (type) => all.connection.messages.next((m) =>
			m.type === type && m.request_id === id);
		const error = await next("error");
		return { error, data: (await next("response_complete")).data };
	};
	return { ...all, github, conf, ask };
}

// All that is and was on a process's heap: only root may look.
async function readHeap(pid) {
	const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) .*\[heap\]$/m
		.exec(await readFile(`/proc/${pid}/maps`, "latin1"))
		.map((address) => parseInt(address, 16));
	const memory = await open(`/proc/${pid}/mem`);
	const { buffer } = await memory.read(Buffer.alloc(to - from), 0,
		to - from, from);
	await memory.close();
	return buffer;
}

function assertAllowed({ error, data }) {
	assert.equal(error.message, UPSTREAM_REFUSES);
	assert.deepEqual(data, { error: true, message: UPSTREAM_REFUSES });
}

function assertRefused({ error, data }, message) {
	assert.equal(error.auth_error, true);
	assert.equal(data.auth_error, true);
	assert.equal(data.error, true);
	assert.equal(data.message, error.message);
	if (message !== undefined)
		assert.equal(error.message, message);
}

describe("actions of sessions", { concurrency: 2 }, () => {
	scenario("who may", async (stage) => {
		const { ask, tetherd } = await start(stage);
		const by = (login) => ({ auth_token: TOKENS[login],
			content: "hi" });

		assertAllowed(await ask("chat.send", by("mona")));
		assertRefused(await ask("chat.send", by("hubot")), READ_ONLY);
		assertRefused(await ask("claude-command", by("hubot")),
			READ_ONLY);
		for (const action of ["chat.subscribe", "check-session-status",
			"get-active-sessions"])
			assertAllowed(await ask(action, by("hubot")));
		assertRefused(await ask("get-active-sessions", by("lisa")));
		assertRefused(await ask("chat.send",
			{ auth_token: "gho_nobody_secret" }),
		"the GitHub token is not valid");
		await eachRow([[undefined], [null], [{}],
			[{ auth_token: "" }], [{ auth_token: "a\r\nb" }],
			[{ auth_token: 7 }], [{ auth_token: "x".repeat(5000) }],
		], async ([payload]) => {
			const answer = await ask("chat.send", payload);
			assertRefused(answer);
			assert.match(answer.error.message, /auth_token/);
		});

		const lines = tetherd.lines.join("\n");
		assert.match(lines, /audit: action allowed id=1 login=mona role=full chat\.send/);
		assert.match(lines, /audit: action refused id=2 login=hubot role=read-only claude-command .*why="your access is read-only"/);
		assert.doesNotMatch(lines, /gho_/);
	});

	scenario("many at once are asked about once", async (stage) => {
		const { ask, github } = await start(stage);

		const answers = await Promise.all(Array.from({ length: 40 },
			() => ask("chat.send", { auth_token: TOKENS.mona })));
		for (const answer of answers)
			assertAllowed(answer);
		assert.equal(github.requests.filter(({ path }) =>
			path === "/user").length, 1);
	});

	scenario("authd dies while it asks", async (stage) => {
		const { ask, github, tetherd } = await start(stage);

		github.fault("/user", { times: 1, hang: true });
		const answer = ask("chat.send", { auth_token: TOKENS.mona });
		await github.arrivals.next();
		const [, pid] = /authd: started, pid (\d+)/
			.exec(tetherd.lines.join("\n"));
		process.kill(Number(pid), "SIGKILL");
		assertAllowed(await answer);
	});

	scenario("without rules nobody is asked", async (stage) => {
		const { ask, github } = await start(stage, "adopt yes");

		assertAllowed(await ask("chat.send", { auth_token: "x" }));
		assertAllowed(await ask("chat.send", undefined));
		assert.equal(github.requests.length, 0);
	});

	scenario("nothing is left of a token where it is used", {
		skip: process.getuid() !== 0 || BUILD.includes("address"),
	}, async (stage) => {
		const { ask, github, tetherd } = await start(stage);
		const token = `gho_${"secretSECRET".repeat(4)}`;

		github.people.mona.token = token;
		assertAllowed(await ask("chat.send", { auth_token: token, n: 1 }));
		assertAllowed(await ask("chat.send", { n: 2, auth_token: token }));
		// free() writes to the first bytes.
		for (const name of ["proxyd", "authd"])
			assert.equal((await readHeap(tetherd.childPid(name)))
				.indexOf("SECRETsecretSECRET"), -1, name);
	});
});
