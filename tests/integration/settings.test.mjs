// What the settings mean, through the binary: -n, -nn, layers, files.

import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync,
	truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";

import { createAuthority } from "./lib/certificates.mjs";
import { identity, Orchestrator } from "./lib/orchestrator.mjs";
import { programPath, SECRET, startSampleApp, startTetherd, TOKEN }
	from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { until } from "./lib/time.mjs";

const OK = "configuration OK";
const MASK = '"********"';
const isRoot = process.getuid() === 0;
const onlyRoot = { skip: !isRoot && "only root can give a file away" };

// A directory with files in it, and tetherd in it.
class Place {
	constructor(stage, home) {
		this.stage = stage;
		this.home = home;
	}

	path(name) {
		return join(this.home, name);
	}

	write(name, text, mode = 0o600) {
		const path = this.path(name);
		writeFileSync(path, text);
		chmodSync(path, mode);
		return path;
	}

	// Its lines, those of standard error without the name of the program.
	async run(args, env = {}) {
		const tetherd = this.stage.start("tetherd", programPath("tetherd"),
			args, { cwd: this.home, env: { HOME: this.home, ...env } });
		const { code } = await tetherd.ended();
		return { code, lines: tetherd.lines.map((line) =>
			line.replace(/^tetherd: /, "")) };
	}

	async refuses(args, expected, env) {
		const { code, lines } = await this.run(args, env);
		assert.deepEqual(lines, expected);
		assert.equal(code, 1);
	}

	// The effective settings: words, or "block words", to value and comment.
	async print(args, env) {
		const { code, lines } = await this.run(["-nn", ...args], env);
		assert.equal(code, 0, lines.join("\n"));
		assert.ok(lines.includes(OK));
		return { lines: lines.filter((line) => line !== OK),
			get: (words, block = "") => find(lines, words, block) };
	}
}

function find(lines, words, block) {
	let inside = "";
	for (const line of lines) {
		const opened = /^(\w+) \{$/.exec(line);
		if (opened)
			inside = opened[1];
		else if (line === "}")
			inside = "";
		const text = line.trimStart();
		if (inside !== block || !text.startsWith(`${words} `))
			continue;
		const [, value, comment] =
			/^(.*?) +# (.*)$/.exec(text.slice(words.length + 1));
		return `${value} # ${comment}`;
	}
	return undefined;
}

const place = (name, options, body) => {
	if (typeof options === "function")
		[options, body] = [{}, options];
	return scenario(name, options, async (stage) =>
		body(new Place(stage, await stage.directory())));
};

const CLIENT = `orchestrator {
	mode client
	url "ws://127.0.0.1:1/ws/connect"
	token "${TOKEN}"
}
`;

describe("settings: layers", { concurrency: 4 }, () => {
	place("each is on top of those before", async (p) => {
		const conf = p.write("conf", "upstream { port 1 }\n");
		const env = p.write("env", "A=1\nPORT=2\n");
		const port = async (args, more) =>
			(await p.print(args, more)).get("port", "upstream");

		assert.equal(await port([]), "3001 # default");
		assert.equal(await port(["-f", conf]), `1 # ${conf}:1`);
		assert.equal(await port(["-f", conf, "-e", env]),
			`2 # ${env}:2, PORT`);
		assert.equal(await port(["-f", conf, "-e", env], { PORT: "3" }),
			"3 # environment, PORT");
		assert.equal(await port(["-f", conf, "-e", env], { PORT: "" }),
			`2 # ${env}:2, PORT`);
	});

	place("flags are on top of all", async (p) => {
		const conf = p.write("conf",
			"log { level brief\n to syslog }\n");
		const plain = await p.print(["-f", conf]);
		assert.equal(plain.get("level", "log"), `brief # ${conf}:1`);
		assert.equal(plain.get("to", "log"), `syslog # ${conf}:2`);
		const flags = await p.print(["-d", "-v", "-f", conf]);
		assert.equal(flags.get("level", "log"), "verbose # flag -v");
		assert.equal(flags.get("to", "log"), "stderr # flag -d");
		const more = await p.print(["-vvv", "-f", conf]);
		assert.equal(more.get("level", "log"), "trace # flag -v");
	});

	place("a macro of -D wins over one of the file", async (p) => {
		const conf = p.write("conf",
			"p = 1\nq = 2\nupstream { port $p }\nlimits { tunnels $q }\n");
		const printed = await p.print(["-D", "p=7", "-f", conf]);
		assert.equal(printed.get("port", "upstream"), `7 # ${conf}:3`);
		assert.equal(printed.get("tunnels", "limits"), `2 # ${conf}:4`);
	});

	place("what -D does not understand", async (p) => {
		const { code, lines } = await p.run(["-n", "-D", "1a b=secret"]);
		assert.equal(code, 1);
		assert.match(lines[0], /^-D 1a b: /);
		assert.match(lines[1], /^usage: tetherd /);
		assert.doesNotMatch(lines.join("\n"), /secret/);
	});

	place("an include is told by its own name", async (p) => {
		mkdirSync(p.path("more"));
		const more = p.write("more/a.conf", "\n\nupstream { port 5 }\n");
		const conf = p.write("conf", 'include "more/a.conf"\n');
		const printed = await p.print(["-f", conf]);
		assert.equal(printed.get("port", "upstream"), `5 # ${more}:3`);
	});

	place("a token of a higher layer stands for a token file", async (p) => {
		const secret = p.write("secret", "s\n");
		const conf = p.write("conf",
			`orchestrator { token file "${secret}" }\n`);
		const low = await p.print(["-f", conf]);
		assert.equal(low.get("token file", "orchestrator"),
			`"${secret}" # ${conf}:1`);
		const high = await p.print(["-f", conf],
			{ ORCHESTRATOR_TOKEN: "t" });
		assert.equal(high.get("token", "orchestrator"),
			`${MASK} # environment, ORCHESTRATOR_TOKEN`);
		assert.equal(high.get("token file", "orchestrator"), undefined);
	});

	place("a .env as editors and other systems write it", async (p) => {
		const env = p.write("env", "# the app's\r\nexport PORT='4001'\r\n" +
			"ORCHESTRATOR_CLIENT_ID=\"box\"\r\n\r\n" +
			"  ORCHESTRATOR_GITHUB_USERS = ada, bob # two\r\n" +
			"DATABASE_PATH=`/a b`\r\nORCHESTRATOR_RECONNECT_INTERVAL=1500");
		const printed = await p.print(["-e", env]);
		for (const [words, block, expected] of [
			["port", "upstream", `4001 # ${env}:2, PORT`],
			["client id", "orchestrator",
				`"box" # ${env}:3, ORCHESTRATOR_CLIENT_ID`],
			["users", "policy", `{ "ada", "bob" } # ${env}:5, ` +
				"ORCHESTRATOR_GITHUB_USERS"],
			["database", "upstream", `"/a b" # ${env}:6, DATABASE_PATH`],
			["reconnect interval", "orchestrator", `1500ms # ${env}:7, ` +
				"ORCHESTRATOR_RECONNECT_INTERVAL"],
		])
			assert.equal(printed.get(words, block), expected);
	});
});

describe("settings: what is wrong", { concurrency: 4 }, () => {
	place("all of it comes in one run, nothing else does", async (p) => {
		const conf = p.write("conf", `sandbx none
orchestrater {
	mode client
}
orchestrator {
	mode clent
	ur1 "ws://h"
	url "https://h"
	heartbeat interval abc
	client id
	token "a" "b"
}
upstream {
	port 70000
	port 3001
}
limits { body 1T }
log { level loud }
policy {
	users { ada, "b b" }
	adopt maybe
	deny path $nowhere
}
`);
		const env = p.write("env", "PORT=none\nNO EQUALS\n");
		const at = (line, text) => `${conf}:${line}: ${text}`;
		await p.refuses(["-nn", "-f", conf, "-e", env], [
			at(1, 'unknown word "sandbx"; did you mean "sandbox"?'),
			at(2, 'unknown block "orchestrater"; ' +
				'did you mean "orchestrator"?'),
			at(6, 'mode: "clent" is neither client nor standalone'),
			at(7, 'unknown word "ur1" in orchestrator; ' +
				'did you mean "url"?'),
			at(8, "url: not a ws:// or wss:// URL"),
			at(9, 'heartbeat interval: "abc" is not a duration from ' +
				"1ms to 1d, like 30s or 5m"),
			at(10, "client id: a value is missing"),
			at(11, "token: more than one value"),
			at(14, 'port: "70000" is not a number from 1 to 65535'),
			at(15, `port: given twice, first in ${conf}:14`),
			at(17, 'body: "1T" is not a size from 64K to 1G, like 32M'),
			at(18, 'level: "loud" is none of brief, verbose, trace'),
			at(20, 'users: "b b" is not the name of a GitHub account'),
			at(21, 'adopt: "maybe" is neither yes nor no'),
			at(22, 'macro "nowhere" is not defined'),
			`${env}:1: PORT: not a number from 1 to 65535`,
			`${env}:2: not of the form NAME=VALUE`,
			"ORCHESTRATOR_RECONNECT_INTERVAL: " +
				"not a number from 1 to 86400000",
		], { ORCHESTRATOR_RECONNECT_INTERVAL: "soon" });
	});

	place("an empty file, and one with comments only", async (p) => {
		for (const text of ["", "\n", "# nothing", "#\n\n  \t\n#"]) {
			const conf = p.write("conf", text);
			const { code, lines } = await p.run(["-n", "-f", conf]);
			assert.deepEqual(lines, [OK]);
			assert.equal(code, 0);
		}
	});

	place("a file that is not there", async (p) => {
		const none = p.path("none");
		await p.refuses(["-n", "-f", none],
			[`${none}: No such file or directory`]);
	});

	place("a client without what it needs", async (p) => {
		const conf = p.write("conf", "orchestrator {\n\tmode client\n}\n");
		await p.refuses(["-n", "-f", conf], [
			`${conf}:2: url: not set, but mode is client`,
		]);
	});

	place("it does not start, either", async (p) => {
		const conf = p.write("conf", "upstream { port 0 }\n");
		await p.refuses(["-d", "-f", conf],
			[`${conf}:1: port: "0" is not a number from 1 to 65535`]);
	});

	place("what is odd is told, and taken", async (p) => {
		const conf = p.write("conf", `orchestrator {
	mode client
	url "ws://h"
}
policy {
	users { ada bob }
	read-only users { carol ADA }
	read-only team acme/staff
}
`);
		const { code, lines } = await p.run(["-n", "-f", conf]);
		assert.deepEqual(lines, [
			`${conf}:7: ADA is in users and read-only users: full counts`,
			`${conf}:8: team and org rules need a github token (github ` +
				"token, GITHUB_TOKEN): people that only the " +
				"orchestrator names will be refused",
			OK,
		]);
		assert.equal(code, 0);
	});

	place("a GitHub that others could listen to", async (p) => {
		for (const [url, why] of [
			["http://github.example", "\"http://github.example\" is not " +
				"an https:// URL, and not of this host"],
			["https://user:pw@github.example",
				"user names and passwords have no place in it"],
			["https://github.example/?a",
				"queries and fragments have no place in it"],
		]) {
			const conf = p.write("conf", `github { api url "${url}" }\n`);
			await p.refuses(["-n", "-f", conf],
				[`${conf}:1: api url: ${why}`]);
		}
		const conf = p.write("conf",
			"github { api url \"http://127.0.0.1:8080/v3\" }\n");
		const { code, lines } = await p.run(["-n", "-f", conf]);
		assert.deepEqual(lines, [OK]);
		assert.equal(code, 0);
	});

	place("too many rules", async (p) => {
		const names = (first) => Array.from({ length: 180 },
			(_, i) => first + String(i).padStart(60, "0")).join(" ");
		const conf = p.write("conf", `policy {
	users { ${names("a")} }
	read-only users { ${names("b")} }
	org { ${names("c")} }
}
`);
		await p.refuses(["-n", "-f", conf], ["policy: users, " +
			"teams and orgs: longer than 32768 bytes in all"]);
	});
});

describe("settings: files and who may touch them", { concurrency: 4 }, () => {
	const SECRETS = [
		["orchestrator", "token file"],
		["upstream", "jwt secret file"],
		["github", "token file"],
	];
	for (const [block, words] of SECRETS) {
		const withFile = (p, path) =>
			p.write("conf", `${block} {\n${words} "${path}"\n}\n`);
		const refuses = async (p, path, why) => {
			const conf = withFile(p, path);
			await p.refuses(["-n", "-f", conf],
				[`${conf}:2: ${words}: ${path}: ${why}`]);
		};

		for (const [mode, why] of [
			[0o644, "readable by others (mode 0644)"],
			[0o660, "writable by group or others (mode 0660)"],
			[0o602, "writable by group or others (mode 0602)"],
		])
			place(`${block}: ${words} of mode ${mode.toString(8)}`,
				async (p) => refuses(p, p.write("s", "x", mode), why));

		place(`${block}: ${words} that is empty, missing, long, no file`,
			async (p) => {
				await refuses(p, p.write("s", ""), "empty");
				await refuses(p, p.path("none"),
					"No such file or directory");
				await refuses(p, p.write("s", "x".repeat(4099)),
					"longer than 4096 bytes");
				await refuses(p, p.home, "Is a directory");
				await refuses(p, "/dev/null", "not a regular file");
			});

		place(`${block}: ${words} of somebody else`, onlyRoot, async (p) => {
			const path = p.write("s", "x");
			chownSync(path, 1234, 0);
			await refuses(p, path, "owned by uid 1234, neither root nor us");
		});

		place(`${block}: ${words} behind a link, readable by the group`,
			async (p) => {
				p.write("s", "x", 0o640);
				symlinkSync("s", p.path("link"));
				const conf = withFile(p, p.path("link"));
				assert.equal((await p.run(["-n", "-f", conf])).code, 0);
			});
	}

	place("a tetherd.conf that others can read holds no secret",
		async (p) => {
			const line = (path) => `${path}: readable by others ` +
				"(mode 0644), but holds a secret";
			const conf = p.write("conf", CLIENT, 0o644);
			await p.refuses(["-n", "-f", conf], [line(conf)]);
			// It is the file with the secret that counts.
			const inner = p.write("inner", CLIENT, 0o600);
			const outer = p.write("outer", `include "${inner}"\n`, 0o644);
			assert.equal((await p.run(["-n", "-f", outer])).code, 0);
			chmodSync(inner, 0o644);
			await p.refuses(["-n", "-f", outer], [line(inner)]);
			const macro = p.write("macro",
				`t = "x"\ninclude "${p.path("user")}"\n`, 0o644);
			p.write("user", "orchestrator { token $t }\n");
			await p.refuses(["-n", "-f", macro], [line(macro)]);
		});

	place("a tetherd.conf that others can write", async (p) => {
		const conf = p.write("conf", "sandbox full\n", 0o666);
		await p.refuses(["-n", "-f", conf],
			[`${conf}: writable by group or others (mode 0666)`]);
	});

	place("a tetherd.conf of somebody else", onlyRoot, async (p) => {
		const conf = p.write("conf", "sandbox full\n");
		chownSync(conf, 1234, 0);
		await p.refuses(["-n", "-f", conf],
			[`${conf}: owned by uid 1234, neither root nor us`]);
	});

	place("a .env that others can write, or read", async (p) => {
		const env = p.write("env", "PORT=1\n", 0o666);
		await p.refuses(["-n", "-e", env],
			[`${env}: writable by others (mode 0666)`]);
		p.write("env", "PORT=1\n", 0o644);
		assert.deepEqual((await p.run(["-n", "-e", env])).lines, [OK]);
		p.write("env", "JWT_SECRET=x\n", 0o644);
		assert.deepEqual((await p.run(["-n", "-e", env])).lines, [
			`${env}: readable by others (mode 0644), but holds secrets`,
			OK,
		]);
	});

	place("files that are no settings", async (p) => {
		const big = p.write("big", "");
		truncateSync(big, 10 * 1024 * 1024);
		await p.refuses(["-n", "-f", big], [`${big}: larger than 1 MiB`]);
		await p.refuses(["-n", "-e", big], [`${big}: larger than 1 MiB`]);
		const binary = p.write("binary", "a\n\0\n");
		await p.refuses(["-n", "-f", binary],
			[`${binary}:2: byte 0x00 has no place in a text`]);
		await p.refuses(["-n", "-e", p.write("nul", "A=1\n\0PORT=1\n")],
			[`${p.path("nul")}: contains a NUL`]);
		await p.refuses(["-n", "-f", p.home],
			[`${p.home}: not a regular file`]);
		await p.refuses(["-n", "-e", p.home],
			[`${p.home}: not a regular file`]);
	});
});

const ALL = (home) => `
state directory "${home}/state"
sandbox none
orchestrator {
	mode client
	url "wss://h.example/ws?key=s3cret-0"
	token "s3cret-1"
	client id box
	heartbeat interval 90
	proxy "http://user:s3cret-2@proxy:3128"
	no proxy { localhost, .example.org }
}
upstream {
	address "unix:/run/web app.sock"
	watch runs no
	database "${home}/a \\"b\\" \\\\c"
	jwt secret "s3cret-3"
}
github {
	api url "https://github.example/api/v3"
	token "s3cret-4"
	cache allowed 90s
	cache refused 0
}
policy {
	users { ada, bob }
	users carol
	read-only users { dora }
	team acme/staff
	read-only team { acme/guests }
	read-only org { acme }
	deny path { /api/admin, "/with blank", "/#$x" }
	full deny path /a
	read-only deny path { /b, "/c d" }
}
limits { body 1536K
	request time 90s
	chat sessions 3
	chat idle time 90m
	headers 1000
	header size 64K
	json depth 100
	requests per second 100
	tunnels per minute 0
	failures per minute 10 }
audit {
	requests yes
	file "${home}/audit"
}
`;

// What -nn prints of a file, without comments and complaints.
async function printedBy(p, conf) {
	const { lines } = await p.print(["-f", conf]);
	return lines.filter((line) => !line.startsWith(`${conf}:`))
		.map((line) => line.replace(/ +# [^"]*$/, ""));
}

// What others see of it: nothing, where the kernel says so.
function visibleEnvironment(pid) {
	try {
		return readFileSync(`/proc/${pid}/environ`, "latin1");
	} catch (error) {
		if (error.code !== "EACCES")
			throw error;
		return "";
	}
}

describe("settings: -nn", { concurrency: 4 }, () => {
	place("prints what reads as the same", async (p) => {
		const conf = p.write("conf", ALL(p.home));
		const body = await printedBy(p, conf);

		assert.ok(body.includes("\tusers { \"ada\", \"bob\", \"carol\" }"));
		assert.deepEqual(await printedBy(p,
			p.write("copy", `${body.join("\n")}\n`)), body);
	});

	place("so are the defaults", async (p) => {
		const body = await printedBy(p, p.write("empty", ""));

		assert.deepEqual(await printedBy(p,
			p.write("copy", `${body.join("\n")}\n`)), body);
	});

	place("never prints a secret", async (p) => {
		const secret = /s3cret/;
		const conf = p.write("conf", ALL(p.home));
		const file = p.write("secret", "s3cret-file\n");
		const files = p.write("files", `orchestrator { token file "${file}" }
			upstream { jwt secret file "${file}" }\n`);
		const env = {
			ORCHESTRATOR_MODE: "client",
			ORCHESTRATOR_URL: "ws://h/?token=s3cret-6&other=s3cret-7",
			ORCHESTRATOR_TOKEN: "s3cret-8",
			JWT_SECRET: "s3cret-9",
			GITHUB_TOKEN: "s3cret-a",
			HTTPS_PROXY: "http://u:s3cret-b@proxy",
		};
		const dotenv = p.write("env", Object.entries(env)
			.map(([name, value]) => `${name}='${value}'\n`).join(""));
		for (const [args, more] of [[["-f", conf], {}],
			[["-f", files], {}], [["-e", dotenv], {}], [[], env]]) {
			const { code, lines } = await p.run(["-nn", ...args], more);
			assert.equal(code, 0, lines.join("\n"));
			assert.doesNotMatch(lines.join("\n")
				.replaceAll(file, "FILE"), secret);
		}
	});

	scenario("says when it cannot be written", async (stage) => {
		const shell = stage.start("sh", "/bin/sh", ["-c",
			'exec "$0" -nn >/dev/full', programPath("tetherd")]);
		assert.equal((await shell.ended()).code, 1);
		assert.deepEqual(shell.lines,
			["tetherd: standard output: No space left on device"]);
	});

	// What is written over at the start is what others can read for long.
	scenario("no secret of the environment is left in /proc", async (stage) => {
		const tetherd = await startTetherd(stage, {
			env: {
				ORCHESTRATOR_MODE: "standalone",
				GITHUB_TOKEN: "ghp_s3cret",
				JWT_SECRET: "jwt_s3cret",
				HTTPS_PROXY: "http://u:proxy_s3cret@h",
				GITHUB_API_URL: "https://api.public",
			},
		});
		await tetherd.line("startup complete");
		const environ = visibleEnvironment(tetherd.pid);
		assert.doesNotMatch(environ, /s3cret/);
		assert.doesNotMatch(environ, new RegExp(TOKEN));
	});
});

describe("settings: files that a child gets", { concurrency: 4 }, () => {
	scenario("all that a client needs, from tetherd.conf alone",
		async (stage) => {
			const p = new Place(stage, await stage.directory());
			const authority = await createAuthority(p.home);
			const orchestrator = await Orchestrator.start(stage,
				{ tls: await authority.issue("good") });
			const upstream = await startSampleApp(stage);
			const token = p.write("token", `${TOKEN}\n`);
			const secret = p.write("jwt", SECRET, 0o640);
			const conf = p.write("conf", `ca = "${authority.caFile}"
orchestrator {
	mode client
	url "${orchestrator.url}"
	token file "${token}"
	ca file $ca
	client id from-a-file
}
upstream {
	port ${upstream.port}
	jwt secret file "${secret}"
}
`, 0o644);
			const none = Object.fromEntries(["ORCHESTRATOR_MODE",
				"ORCHESTRATOR_TOKEN", "ORCHESTRATOR_CLIENT_ID", "JWT_SECRET"]
				.map((name) => [name, undefined]));
			const tetherd = await startTetherd(stage,
				{ args: ["-d", "-f", conf], env: none });
			const connection = await orchestrator.registered();
			const whoami = () => connection.request({
				path: "/api/whoami", headers: identity(7, "ada") });

			assert.equal(connection.register.client_id, "from-a-file");
			assert.match(orchestrator.upgrades[0].url, new RegExp(TOKEN));
			assert.equal((await whoami()).json.username, "ada");

			// What comes to a file later counts with the next reload only.
			p.write("token", "other");
			p.write("jwt", "other");
			const authd = tetherd.childPid("authd");
			process.kill(authd, "SIGKILL");
			await until(() => tetherd.childPid("authd") !== authd,
				"a new authd");
			await until(async () => (await whoami()).status === 200,
				"the old secret");
			tetherd.signal("SIGUSR2");
			await orchestrator.registered();
			assert.match(orchestrator.upgrades.at(-1).url,
				new RegExp(TOKEN));
		});
});
