// What other users of the machine can see.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe } from "node:test";

import { request } from "./lib/http.mjs";
import { programPath, SECRET, startAll, TOKEN } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";

// What others see of a process: nothing, where the kernel says so.
function visible(pid, file) {
	try {
		return readFileSync(`/proc/${pid}/${file}`, "latin1");
	} catch (error) {
		if (error.code !== "EACCES")
			throw error;
		return "";
	}
}

const CHILDREN = ["connector", "proxyd", "authd"];

describe("hygiene", { concurrency: 2 }, () => {
	scenario("no secret in command lines, environments, logs",
		async (stage) => {
			const { hub, tetherd } = await startAll(stage, {
				args: ["-d", "-v"],
				env: { GITHUB_TOKEN: "ghp_secret-of-github" },
			});
			const whoami = `${hub.url}${hub.base}/api/whoami?q=hidden`;
			assert.equal((await request(whoami)).status, 200);
			tetherd.signal("SIGUSR1");
			tetherd.signal("SIGUSR2");
			await tetherd.registered(tetherd.lines.length);
			assert.equal((await request(whoami, {
				method: "POST", body: "hidden" })).status, 200);

			const secret = new RegExp([TOKEN, SECRET, "ghp_secret",
				"eyJ[\\w-]+\\.", "hidden"].join("|"));
			const pids = [tetherd.pid, ...CHILDREN.map(tetherd.childPid)];
			for (const pid of pids)
				for (const file of ["cmdline", "environ"])
					assert.doesNotMatch(visible(pid, file), secret,
						`/proc/${pid}/${file}`);
			assert.doesNotMatch(tetherd.lines.join("\n"), secret);
		});

	scenario("titles", async (stage) => {
		const { tetherd } = await startAll(stage);
		const title = (pid) => execFileSync("ps",
			["-o", "args=", "-p", String(pid)], { encoding: "utf8" }).trim();
		for (const name of CHILDREN)
			assert.match(title(tetherd.childPid(name)),
				new RegExp(`^${name}: |^tetherd: ${name}`));
		assert.match(title(tetherd.pid), /tetherd/);
	});

	scenario("children have the descriptors they need, no more",
		{ skip: process.getuid() !== 0 && "only root may look" },
		async (stage) => {
			const { tetherd } = await startAll(stage);
			for (const name of CHILDREN) {
				const pid = tetherd.childPid(name);
				const fds = readdirSync(`/proc/${pid}/fd`).length;
				assert.ok(fds <= 16, `${name} has ${fds}`);
			}
		});
});

/*
 * Which shared libraries each program names itself.  What these libraries
 * need in their turn is theirs.
 */
const LIBRARIES = {
	"tetherd": ["libc", "libbsd", "libevent_core"],
	"tetherctl": ["libc", "libbsd"],
	"dialer": ["libc", "libbsd", "libevent_core"],
	"connector": ["libc", "libbsd", "libmd", "libevent_core",
		"libevent_openssl", "libssl", "libcrypto", "libwslay",
		"libjson-c"],
	"proxyd": ["libc", "libbsd", "libmd", "libevent_core", "libcurl",
		"libcurl-gnutls", "libjson-c", "libwslay"],
	"authd": ["libc", "libbsd", "libevent_core", "libsqlite3", "libcurl",
		"libssl", "libcrypto", "libjson-c"],
	"tether-hub": ["libc", "libbsd", "libmd", "libevent_core",
		"libevent_extra", "libwslay", "libjson-c"],
};
// Those of the compiler and of sanitizers.
const ANYWHERE = ["ld-linux", "libseccomp", "libasan", "libubsan", "libgcc_s",
	"libm"];

scenario("each program links what it may, no more", () => eachRow(
	Object.entries(LIBRARIES), ([name, allowed]) => {
		const text = execFileSync("readelf", ["-d", programPath(name)],
			{ encoding: "utf8" });
		const needed = [...text.matchAll(
			/\(NEEDED\).*\[([^\]]+?)(?:-[\d.]+)?\.so[^\]]*\]/g)]
			.map(([, library]) => library);
		assert.ok(needed.length > 0);
		const known = (library) => allowed.includes(library) ||
			ANYWHERE.some((any) => library.startsWith(any));
		assert.deepEqual(needed.filter((l) => !known(l)), []);
	}));
