// A network of a test's own: nothing of it is seen outside, and it is gone
// with the processes in it.

import { spawn, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { run } from "./programs.mjs";

const INSIDE = "TETHERD_TEST_NETWORK";

// The more bits of an address are as theirs, the sooner it is tried.
export const THEIRS = "10.99.0.2";
export const NOBODY = "10.99.0.3";
export const OURS = "10.99.0.1";
export const OTHER = "10.99.0.200"; // ours, too

// Whether this process is in such a network.
export const isInside = process.env[INSIDE] !== undefined;

// Why there can be none, or false.
export function noNetwork() {
	if (process.getuid() !== 0)
		return "only root can make a network";
	const { status, error } = spawnSync("unshare", ["-mn", "true"]);
	return status !== 0 && `no namespaces here: ${error ?? status}`;
}

// The tests of a file once more, inside: { code, stdout }.
export function runInside(file) {
	const env = { ...process.env, [INSIDE]: "1" };

	delete env.NODE_TEST_CONTEXT;
	return run("unshare", ["-mn", "--propagation", "private", "--kill-child",
		"sh", "-c", "ip link set lo up && exec \"$@\"", "sh",
		process.execPath, "--test", file], { env, timeout: 110000 });
}

async function command(file, ...args) {
	const { code, stderr } = await run(file, args,
		{ env: { PATH: process.env.PATH } });
	if (code !== 0)
		throw new Error(`${file} ${args.join(" ")}: ${stderr}`);
}
const ip = (...args) => command("ip", ...args);

/*
 * Another host, at the other end of a wire; this end has OURS and OTHER.
 *	within		what runs a command on it, for startTetherd()
 *	cut(), mend()	the wire
 *	hosts(text)	what names mean there
 */
export async function startHost(stage) {
	const holder = spawn("unshare", ["-n", "sleep", "infinity"],
		{ stdio: "ignore" });
	const pid = String(holder.pid);
	const there = (...args) => command("nsenter", "-t", pid, "-n", "ip",
		...args);
	const names = join(await stage.directory(), "hosts");

	stage.atEnd(() => new Promise((resolve) => {
		holder.once("exit", resolve);
		holder.kill("SIGKILL");
	}));
	// Its namespace is there once it is another than ours.
	while ((await run("sh", ["-c", `test "$(readlink /proc/${pid}/ns/net)" ` +
		"!= \"$(readlink /proc/self/ns/net)\""])).code !== 0);
	await ip("link", "add", "wire0", "type", "veth",
		"peer", "name", "wire1", "netns", pid);
	for (const address of [OURS, OTHER])
		await ip("address", "add", `${address}/24`, "dev", "wire0");
	await ip("link", "set", "wire0", "up");
	await there("address", "add", `${THEIRS}/24`, "dev", "wire1");
	await there("link", "set", "wire1", "up");
	await there("link", "set", "lo", "up");
	// What goes there is lost, and nothing says so.
	await there("neighbour", "add", NOBODY, "lladdr", "02:00:00:00:00:99",
		"nud", "permanent", "dev", "wire1");
	await writeFile(names, "");
	await command("mount", "--bind", names, "/etc/hosts");
	stage.atEnd(() => command("umount", "/etc/hosts"));
	stage.atEnd(() => ip("link", "delete", "wire0"));
	return {
		within: ["nsenter", "-t", pid, "-n"],
		cut: () => ip("link", "set", "wire0", "down"),
		mend: () => ip("link", "set", "wire0", "up"),
		hosts: (text) => writeFile(names, text),
	};
}
