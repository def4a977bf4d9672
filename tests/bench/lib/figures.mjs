// What processes hold: descriptors by kind, memory, threads, children.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const KIB = 1024;

const read = (pid, file) => readFileSync(`/proc/${pid}/${file}`, "utf8");

// { "socket": 3, "anon_inode:[eventpoll]": 1, ... }
function descriptors(pid) {
	const kinds = {};
	for (const fd of readdirSync(`/proc/${pid}/fd`)) {
		let kind;
		try {
			kind = readlinkSync(`/proc/${pid}/fd/${fd}`);
		} catch {
			continue; // closed meanwhile
		}
		kind = kind.replace(/^(socket|pipe):.*/, "$1");
		kinds[kind] = (kinds[kind] ?? 0) + 1;
	}
	return kinds;
}

function children(pid) {
	const names = { running: {}, zombies: 0 };
	for (const child of read(pid, `task/${pid}/children`).split(" ")) {
		if (child === "")
			continue;
		try {
			const [, comm, state] =
				/\((.*)\) (\S)/s.exec(read(child, "stat"));
			if (state === "Z")
				names.zombies++;
			else
				names.running[comm] = (names.running[comm] ?? 0) + 1;
		} catch {
			// It is gone.
		}
	}
	return names;
}

const kib = (text, name) =>
	Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)[1]);

// Of one process; memory in bytes.
export function figuresOf(pid) {
	const rollup = read(pid, "smaps_rollup");
	const status = read(pid, "status");
	return {
		descriptors: descriptors(pid),
		children: children(pid),
		threads: Number(/^Threads:\s+(\d+)/m.exec(status)[1]),
		rss: kib(rollup, "Rss") * KIB,
		dirty: kib(rollup, "Private_Dirty") * KIB,
	};
}

export const count = (kinds) =>
	Object.values(kinds).reduce((sum, n) => sum + n, 0);

// What is not as it was, but for memory: texts.
export function differences(name, was, is) {
	const texts = [];
	const compare = (what, before, after) => {
		for (const key of new Set([...Object.keys(before),
			...Object.keys(after)]))
			if ((before[key] ?? 0) !== (after[key] ?? 0))
				texts.push(`${name}: ${what} ${key}: ` +
					`${before[key] ?? 0}, now ${after[key] ?? 0}`);
	};
	compare("descriptors", was.descriptors, is.descriptors);
	compare("children", was.children.running, is.children.running);
	compare("", { zombies: was.children.zombies, threads: was.threads },
		{ zombies: is.children.zombies, threads: is.threads });
	return texts;
}
