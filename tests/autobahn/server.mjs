#!/usr/bin/env node
// A server that puts a WebSocket client through all kinds of frames and
// judges what it makes of them, at the three addresses of the Autobahn suite.
//
//	node server.mjs [port [report.json [cases ...]]]
//
// Port 9001 if absent; a case is meant by its number or the beginning of it,
// as in 6 or 6.2.  The report is written when the client asks for that.

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { isUtf8 } from "node:buffer";
import { pathToFileURL } from "node:url";

import allCases, { told } from "./cases.mjs";
import { BINARY, CLOSE, closeFrame, CONTINUATION, frame, FrameReader, PING,
	PONG, TEXT } from "./frames.mjs";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const HEAD_MAX = 16384;
const NAMES = { [TEXT]: "text", [BINARY]: "binary", [PING]: "ping",
	[PONG]: "pong" };
// Of masks that are all the same, this many are no accident.
const SAME_MASKS = 4;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const breath = () => new Promise((resolve) => setImmediate(resolve));

// What is wrong with the opening handshake, as a list.
function checkHandshake(line, headers) {
	const faults = [];
	const demand = (good, text) => good || faults.push(text);
	const has = (name, word) => (headers.get(name) ?? "").toLowerCase()
		.split(",").some((part) => part.trim() === word);
	const key = headers.get("sec-websocket-key") ?? "";

	demand(/^GET \S+ HTTP\/1\.1$/.test(line), `request line: ${line}`);
	demand(headers.has("host"), "no Host");
	demand(has("upgrade", "websocket"), "no Upgrade");
	demand(has("connection", "upgrade"), "no Connection: Upgrade");
	demand(headers.get("sec-websocket-version") === "13", "version");
	demand(/^[A-Za-z0-9+/]{22}==$/.test(key), `key: ${key}`);
	demand(!headers.has("sec-websocket-extensions"), "extensions");
	return faults;
}

// Codes that may stand in a close frame.
const mayStand = (code) => (code >= 1000 && code <= 1014 &&
	![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);

// A client that is connected: what it says, checked.
class Peer {
	constructor(socket, faults) {
		Object.assign(this, { socket, faults, events: [], masks: [],
			closing: false, message: null });
		this.reader = new FrameReader((f) => this.take(f));
		this.over = new Promise((resolve) => {
			this.finish = resolve;
		});
		socket.on("data", (data) => this.reader.feed(data));
		socket.on("end", () => {
			this.hungUpFirst = !socket.writableEnded;
			this.finish("lost");
		});
		socket.on("close", () => this.finish("lost"));
	}

	fault(text) {
		if (!this.faults.includes(text))
			this.faults.push(text);
	}

	take(f) {
		const { opcode, fin, payload } = f;
		this.masks.push(f.mask?.toString("hex"));
		if (f.mask === null)
			this.fault("a frame without a mask");
		if (f.rsv !== 0)
			this.fault("reserved bits");
		if (!f.shortest)
			this.fault("a length that is not the shortest");
		if (this.end !== undefined)
			return this.fault("a frame behind its close frame");
		if (opcode < CLOSE)
			return this.takeData(opcode, fin, payload);
		if (!fin || payload.length > 125)
			this.fault("a control frame that is too long, or cut");
		if (opcode === CLOSE)
			return this.takeClose(payload);
		return this.event(NAMES[opcode] ?? `opcode ${opcode}`, payload);
	}

	takeData(opcode, fin, payload) {
		if ((opcode === CONTINUATION) === (this.message === null) ||
		    opcode > BINARY)
			return this.fault("fragments out of order");
		this.message ??= { opcode, pieces: [] };
		this.message.pieces.push(payload);
		if (!fin)
			return undefined;
		const whole = Buffer.concat(this.message.pieces);
		if (this.message.opcode === TEXT && !isUtf8(whole))
			this.fault("text that is not UTF-8");
		this.event(NAMES[this.message.opcode], whole);
		this.message = null;
		return undefined;
	}

	takeClose(payload) {
		const code = payload.length >= 2 ? payload.readUInt16BE() : null;
		if (payload.length === 1 || (code !== null && !mayStand(code)))
			this.fault("a close frame with a bad code");
		if (!isUtf8(payload.subarray(2)))
			this.fault("a close reason that is not UTF-8");
		this.end = `close${code === null ? "" : ` ${code}`}`;
		this.close(code ?? undefined);
		this.socket.end();
		this.finish(this.end);
	}

	event(kind, payload) {
		this.events.push(told(kind, payload));
		this.onEvent?.();
	}

	// Once; a second close frame would be a fault of ours.
	close(code) {
		if (!this.closing)
			this.socket.write(closeFrame(code));
		this.closing = true;
	}

	// Until so many events came, it is over, or the time is.
	async hear(n, ms) {
		const heard = new Promise((resolve) => {
			this.onEvent = () => this.events.length >= n && resolve();
			this.onEvent();
		});
		await this.within(heard, ms);
	}

	// The end, or undefined where there is none yet.
	async within(promise, ms) {
		let timer;
		const late = new Promise((resolve) => {
			timer = setTimeout(resolve, ms);
		});
		const end = await Promise.race([this.over, promise, late]);
		clearTimeout(timer);
		return end;
	}

	checkMasks() {
		if (this.masks.length >= SAME_MASKS &&
		    new Set(this.masks).size === 1)
			this.fault("always the same mask");
	}
}

async function send(peer, { bytes, size }) {
	for (let at = 0; at < bytes.length; at += size) {
		if (peer.socket.destroyed)
			return;
		peer.socket.write(bytes.subarray(at, at + size));
		await breath();
	}
}

// Take the steps: whether it became late on the way.
async function play(peer, steps, patience) {
	let late = false;

	for (const step of steps) {
		if (step.mark) {
			await peer.within(new Promise(() => {}), patience);
			late = peer.end === undefined && !peer.hungUpFirst;
		} else if (step.ms !== undefined) {
			await pause(step.ms);
		} else if (Buffer.isBuffer(step)) {
			peer.socket.write(step);
			await breath();
		} else {
			await send(peer, step);
		}
	}
	return late;
}

const same = (one, two) => one.length === two.length &&
	one.every((text, i) => text === two[i]);

function judge(ok, also, got, faults) {
	if (faults.length > 0)
		return "FAILED";
	if (ok.some((list) => same(list, got)))
		return "OK";
	return also.some((list) => same(list, got)) ? "NON-STRICT" : "FAILED";
}

const shown = (list) => list.length > 20
	? [...list.slice(0, 5), `… ${list.length - 10} more`, ...list.slice(-5)]
	: list;

function hasClose(step) {
	const bytes = Buffer.isBuffer(step) ? step : step.bytes;
	let found = false;

	if (bytes !== undefined)
		new FrameReader((f) => {
			found ||= f.opcode === CLOSE;
		}).feed(bytes);
	return found;
}

async function runCase(theCase, peer, { patience, longest }) {
	const start = performance.now();
	const { ok, also, steps, closes, large } = theCase;
	const wait = large || ok[0].length > 100 ? longest : patience;
	// A close frame of ours may be one of the steps.
	peer.closing = !closes && steps.some(hasClose);
	const late = await play(peer, steps, patience);
	if (closes) {
		await peer.hear(ok[0].length - 1, wait);
		peer.close(1000);
	}
	const end = await peer.within(new Promise(() => {}), wait) ?? "open";
	const got = [...peer.events, late ? `${end} late` : end];
	peer.checkMasks();
	peer.socket.end();
	const { faults, hungUpFirst = false } = peer;
	return { id: theCase.id, what: theCase.what,
		verdict: judge(ok, also, got, faults), got: shown(got),
		ok: ok.map(shown), also: also.map(shown), faults, hungUpFirst,
		ms: Math.round(performance.now() - start) };
}

export class Fuzzer {
	/*
	 * options:
	 *	cases		their numbers, or the beginnings; absent: all
	 *	patience	how long the client may do nothing, ms
	 *	longest		the same for large messages
	 *	report		the file that gets the report
	 */
	constructor(options = {}) {
		this.options = { patience: 2000, longest: 60000, ...options };
		const wanted = options.cases ?? [""];
		this.cases = allCases.filter(({ id }) => wanted.some((w) =>
			w === "" || id === w || id.startsWith(`${w}.`)));
		this.reports = {}; // agent → results by the number of the case
		this.sockets = new Set();
		this.updated = new Promise((resolve) => {
			this.update = resolve;
		});
	}

	async listen(port = 0) {
		this.server = createServer((socket) => this.accept(socket));
		await new Promise((resolve, reject) => {
			this.server.on("error", reject);
			this.server.listen(port, "127.0.0.1", resolve);
		});
		this.url = `ws://127.0.0.1:${this.server.address().port}`;
	}

	async close() {
		const closed = new Promise((resolve) => this.server.close(resolve));
		for (const socket of this.sockets)
			socket.destroy();
		await closed;
	}

	accept(socket) {
		let head = "";
		this.sockets.add(socket);
		socket.setNoDelay(true);
		socket.on("error", () => {});
		socket.on("close", () => this.sockets.delete(socket));
		const feed = (data) => {
			head += data.toString("latin1");
			if (head.length > HEAD_MAX)
				return socket.destroy();
			if (!head.endsWith("\r\n\r\n"))
				return undefined;
			socket.off("data", feed);
			this.open(socket, head).catch((error) => {
				console.error(error);
				socket.destroy();
			});
			return undefined;
		};
		socket.on("data", feed);
	}

	async open(socket, head) {
		const [line, ...fields] = head.trimEnd().split("\r\n");
		const headers = new Map(fields.map((field) => {
			const [, name, value] = /^([^:]+):\s*(.*?)\s*$/.exec(field);
			return [name.toLowerCase(), value];
		}));
		const url = new URL(line.split(" ")[1], "ws://h");
		const serve = { "/getCaseCount": this.count, "/runCase": this.run,
			"/updateReports": this.write }[url.pathname];
		if (serve === undefined)
			return socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
		const accept = createHash("sha1")
			.update(headers.get("sec-websocket-key") + GUID)
			.digest("base64");
		const peer = new Peer(socket, checkHandshake(line, headers));
		socket.write("HTTP/1.1 101 Switching Protocols\r\n" +
			"Upgrade: websocket\r\nConnection: Upgrade\r\n" +
			`Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
		return serve.call(this, peer, url.searchParams);
	}

	count(peer) {
		peer.socket.write(frame(TEXT, String(this.cases.length)));
		peer.close(1000);
	}

	async run(peer, query) {
		const n = Number(query.get("case"));
		const theCase = this.cases[n - 1];
		if (theCase === undefined)
			return peer.close(1008);
		const agent = query.get("agent") ?? "nobody";
		this.reports[agent] ??= [];
		this.reports[agent][n - 1] =
			await runCase(theCase, peer, this.options);
		return undefined;
	}

	async write(peer) {
		const { report } = this.options;
		if (report !== undefined)
			await writeFile(report,
				`${JSON.stringify(this.reports, null, "\t")}\n`);
		peer.close(1000);
		this.update();
	}
}

// How many there are of each verdict, and those that are not OK.
export function summary(results) {
	const counts = { OK: 0, "NON-STRICT": 0, FAILED: 0 };
	for (const { verdict } of results)
		counts[verdict]++;
	return { counts, others: results.filter((r) => r.verdict !== "OK") };
}

async function main([port = "9001", report, ...cases]) {
	const fuzzer = new Fuzzer({ report,
		cases: cases.length > 0 ? cases : undefined });
	await fuzzer.listen(Number(port));
	console.log(`${fuzzer.cases.length} cases at ${fuzzer.url}`);
	await fuzzer.updated;
	for (const [agent, results] of Object.entries(fuzzer.reports)) {
		const { counts, others } = summary(results);
		console.log(agent, counts);
		for (const { id, what, verdict, got, faults } of others)
			console.log(`${verdict} ${id} ${what}: ${got} ${faults}`);
	}
	await fuzzer.close();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
	await main(process.argv.slice(2));
