// What other programs can see of a process and all that it starts, looked at
// again and again while they live.

import { readFileSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from
	"node:worker_threads";

const EVERY_MS = 1;
const FILES = ["comm", "cmdline", "environ", "limits"];

/*
 * Watch the process of that id: a function that ends it and returns a list of
 * { pid, file, text }, each once, in the order in which they were seen.  A file
 * that the kernel hides has the text "".
 */
export function watchProcesses(stage, pid) {
	const stop = new Int32Array(new SharedArrayBuffer(4));
	const worker = new Worker(new URL(import.meta.url),
		{ workerData: { pid, stop } });
	const done = new Promise((resolve, reject) => {
		worker.once("message", resolve);
		worker.once("error", reject);
	});
	const end = () => {
		Atomics.store(stop, 0, 1);
		Atomics.notify(stop, 0);
		return done;
	};

	stage.atEnd(end);
	return end;
}

// Null of a process that is gone.
function read(pid, file) {
	try {
		return readFileSync(`/proc/${pid}/${file}`, "latin1");
	} catch ({ code }) {
		return code === "EACCES" || code === "EPERM" ? "" : null;
	}
}

function look(pid, seen, all) {
	for (const file of FILES) {
		const text = read(pid, file);
		const key = `${pid} ${file} ${text}`;
		if (text === null || seen.has(key))
			continue;
		seen.add(key);
		all.push({ pid, file, text });
	}
	const children = read(pid, `task/${pid}/children`) ?? "";
	for (const child of children.split(" ").filter((text) => text !== ""))
		look(Number(child), seen, all);
}

function watch({ pid, stop }) {
	const seen = new Set();
	const all = [];

	do
		look(pid, seen, all);
	while (Atomics.wait(stop, 0, 0, EVERY_MS) === "timed-out");
	parentPort.postMessage(all);
}

if (!isMainThread)
	watch(workerData);
