// What other users of the machine can see.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe } from "node:test";

import { programPath, startAll } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { eachRow } from "./lib/table.mjs";

const CHILDREN = ["connector", "proxyd", "authd"];

describe("hygiene", { concurrency: 2 }, () => {
	scenario("titles", async (stage) => {
		const { tetherd } = await startAll(stage);
		const title = (pid) => execFileSync("ps",
			["-o", "args=", "-p", String(pid)], { encoding: "utf8" }).trim();
		for (const name of CHILDREN)
			assert.match(title(tetherd.childPid(name)),
				new RegExp(`^${name}: |^tetherd: ${name}`));
		assert.equal(title(tetherd.launcherPid()), "tetherd: launcher");
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
			const fds = readdirSync(`/proc/${tetherd.launcherPid()}/fd`);
			assert.ok(fds.length <= 8, `launcher has ${fds}`);
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
	"launcher": ["libc", "libbsd", "libevent_core"],
	"connector": ["libc", "libbsd", "libmd", "libevent_core",
		"libevent_openssl", "libssl", "libcrypto", "libwslay",
		"libjson-c"],
	"proxyd": ["libc", "libbsd", "libmd", "libevent_core", "libcurl",
		"libcurl-gnutls", "libjson-c", "libwslay", "libz"],
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
