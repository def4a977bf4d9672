// What administrators set for malloc of the C library: it asks the kernel for
// memory in other ways then, all of which the sandbox must know.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe } from "node:test";

import { request } from "./lib/http.mjs";
import { startAll } from "./lib/programs.mjs";
import { scenario } from "./lib/scenario.mjs";
import { startUpstream } from "./lib/upstream.mjs";

const CHILDREN = ["connector", "proxyd", "authd"];
const BODY = randomBytes(6000000);
const AT_ONCE = 4;

const VARIANTS = [
	"glibc.malloc.arena_max=1",
	"glibc.malloc.tcache_count=0",
	"glibc.malloc.perturb=165",
	"glibc.malloc.mmap_threshold=4096",
	"glibc.malloc.mmap_max=0",
	"glibc.malloc.trim_threshold=0:glibc.malloc.top_pad=0",
	"glibc.malloc.top_pad=16777216",
	"glibc.malloc.mxfast=0",
	"glibc.malloc.hugetlb=1",
	"glibc.malloc.hugetlb=2",
];

// What the process was started with, whose colons libc has overwritten; of
// others' processes only root is told.
const environment = (pid) => readFile(`/proc/${pid}/environ`, "utf8")
	.then((text) => text.slice(0, -1).replaceAll("\0", ":"))
	.catch((error) => {
		assert.equal(error.code, "EACCES");
		return null;
	});

async function exchange(hub) {
	const answer = await request(hub.url + hub.base + "/p",
		{ method: "POST", body: BODY });
	assert.equal(answer.status, 200);
	assert.ok(answer.body.equals(BODY));
}

describe("malloc", { concurrency: 2 }, () => {
	for (const variant of VARIANTS)
		scenario(variant, async (stage, t) => {
			const upstream = await startUpstream(stage,
				(req, res) => res.end(req.body));
			const { hub, tetherd } = await startAll(stage, {
				upstream,
				env: { GLIBC_TUNABLES: variant },
			});
			const pids = CHILDREN.map((name) => tetherd.childPid(name));
			for (const pid of pids) {
				const text = await environment(pid);
				if (text === null)
					t.diagnostic("the environment can't be read");
				else
					assert.equal(text, `GLIBC_TUNABLES=${variant}`);
			}
			await Promise.all(Array.from({ length: AT_ONCE },
				() => exchange(hub)));
			tetherd.signal("SIGHUP");
			await tetherd.line("settings reloaded");
			tetherd.signal("SIGUSR1");
			await tetherd.line("proxyd: running");
			await exchange(hub);
			assert.deepEqual(tetherd.all("lost child"), []);
			assert.deepEqual(
				CHILDREN.map((name) => tetherd.childPid(name)), pids);
			tetherd.signal("SIGTERM");
			assert.equal((await tetherd.ended()).code, 0);
		});
});
