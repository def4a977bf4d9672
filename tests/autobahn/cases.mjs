/*
 * What a client that echoes messages is put through, as tables.  A case is
 *
 *	id, what	its number in the report, and what it is about
 *	steps		what the server does: bytes that it sends, { ms } to wait,
 *			{ bytes, size } sent in pieces of that size, { mark }
 *			after which it is late to end the connection
 *	closes		the server ends it with 1000 once all has come
 *	ok		what may come of it: lists of texts, see told()
 *	also		lists that the RFC leaves room for, though it advises
 *			something else
 *
 * The last text of a list is the end: "close 1002", "close" without a code,
 * "lost" where there was no close frame, "open" where there was no end.
 */

import { createHash } from "node:crypto";

import { BINARY, closeFrame, CONTINUATION, frame, PING, PONG, TEXT } from
	"./frames.mjs";

// A message or control frame in a list.
export function told(kind, payload) {
	const bytes = Buffer.from(payload);
	if (bytes.length <= 32)
		return `${kind} ${bytes.length} ${bytes.toString("hex")}`;
	return `${kind} ${bytes.length} ` +
		createHash("sha1").update(bytes).digest("hex").slice(0, 12);
}

const NORMAL = "close 1000";
const HELLO = "Hello, wörld";
const KIB = 1024;
const MIB = 1024 * KIB;

const text = (payload, options) => frame(TEXT, payload, options);
const binary = (payload, options) => frame(BINARY, payload, options);
const more = (payload, options) => frame(CONTINUATION, payload, options);
const ping = (payload, options) => frame(PING, payload, options);
const pong = (payload, options) => frame(PONG, payload, options);
const open = { fin: false }; // more of the message is to come
const all = (...pieces) => Buffer.concat(pieces);
const octets = (...pieces) => ({ bytes: all(...pieces), size: 1 });
const mark = { mark: true };

const cases = [];
let group, number;

function begin(id) {
	group = id;
	number = 0;
}

function add(what, members) {
	cases.push({ id: `${group}.${++number}`, what, also: [], ...members });
}

// The server ends it, when these have come.
function echoes(what, steps, events, also = []) {
	add(what, { steps, closes: true, ok: [[...events, NORMAL]],
		also: also.map((list) => [...list, NORMAL]) });
}

// The client has to fail the connection with that code, after these events.
// A close frame is no more than advised (section 7.1.7).
function fails(code, what, steps, events = [], also = []) {
	add(what, { steps, ok: [[...events, `close ${code}`]],
		also: [[...events, "lost"], ...also] });
}

// A close frame is among the steps, and is answered like this.
function answers(what, steps, events, also = []) {
	add(what, { steps, ok: [events], also });
}

/* 1. Messages of all kinds of lengths */
for (const [kind, make, octet, n] of
	[["text", text, "*", 1], ["binary", binary, "\u00fe", 2]]) {
	begin(`1.${n}`);
	for (const size of [0, 125, 126, 127, 128, 65535, 65536]) {
		const payload = Buffer.alloc(size, octet, "latin1");
		const whole = make(payload);
		echoes(`${kind} of ${size}`, [whole], [told(kind, payload)]);
		echoes(`${kind} of ${size}, in pieces`,
			[{ bytes: whole, size: size < 1000 ? 1 : 997 }],
			[told(kind, payload)]);
	}
}

/* 2. Pings and pongs */
begin("2");
for (const payload of ["", "ping", Buffer.from("00fffefdfcfb00ff", "hex"),
	"p".repeat(125)]) {
	echoes(`ping of ${payload.length}`, [ping(payload)],
		[told("pong", payload)]);
	echoes(`ping of ${payload.length}, octet by octet`,
		[octets(ping(payload))], [told("pong", payload)]);
}
fails(1002, "ping of 126", [ping("p".repeat(126))]);
fails(1002, "ping of 126, octet by octet", [octets(ping("p".repeat(126)))]);
fails(1002, "ping of 65536", [ping("p".repeat(65536))]);
fails(1002, "pong of 126", [pong("p".repeat(126))]);
echoes("pong that nobody asked for", [pong()], []);
echoes("pong with payload that nobody asked for", [pong("well")], []);
echoes("such a pong, then a ping", [pong("well"), ping("you?")],
	[told("pong", "you?")]);
const PINGS = Array.from({ length: 10 }, (_, i) => `ping ${i}`);
const PONGS = PINGS.map((payload) => told("pong", payload));
echoes("ten pings", [all(...PINGS.map((p) => ping(p)))], PONGS,
	[PONGS.slice(-1)]);
echoes("ten pings, octet by octet", [octets(...PINGS.map((p) => ping(p)))],
	PONGS, [PONGS.slice(-1)]);
echoes("a ping between messages", [text("one"), ping("two"), text("three")],
	[told("text", "one"), told("pong", "two"), told("text", "three")]);

/* 3. Reserved bits, where no extension is */
for (let rsv = 1; rsv <= 7; rsv++) {
	begin(`3.${rsv}`);
	const bad = text(HELLO, { rsv });
	const first = told("text", "one");
	fails(1002, `text with ${rsv}`, [bad]);
	fails(1002, `text with ${rsv} behind a message`,
		[all(text("one"), bad, ping())], [first], [["close 1002"]]);
	fails(1002, `the same, octet by octet`,
		[octets(text("one"), bad, ping())], [first], [["close 1002"]]);
	fails(1002, `binary with ${rsv}`, [binary(HELLO, { rsv })]);
	fails(1002, `fragment with ${rsv}`,
		[text("one", open), more("two", { rsv })]);
	fails(1002, `ping with ${rsv}`, [ping(HELLO, { rsv })]);
	fails(1002, `pong with ${rsv}`, [pong(HELLO, { rsv })]);
	fails(1002, `close with ${rsv}`, [closeFrame(1000, "", { rsv })]);
}

/* 4. Opcodes that mean nothing */
for (const [n, opcodes] of [[1, [3, 4, 5, 6, 7]], [2, [11, 12, 13, 14, 15]]]) {
	begin(`4.${n}`);
	for (const opcode of opcodes) {
		const first = told("text", "one");
		const bad = frame(opcode, HELLO);
		fails(1002, `opcode ${opcode}, empty`, [frame(opcode)]);
		fails(1002, `opcode ${opcode}`, [bad]);
		fails(1002, `opcode ${opcode} between a message and a ping`,
			[all(text("one"), bad, ping())], [first],
			[["close 1002"]]);
		fails(1002, `the same, octet by octet`,
			[octets(text("one"), bad, ping())], [first],
			[["close 1002"]]);
		fails(1002, `opcode ${opcode} within a message`,
			[text("one", open), bad, more("two")]);
	}
}

/* 5. Fragments */
begin("5");
const TWO = [text("frag", open), more("ment")];
const WHOLE = told("text", "fragment");
const five = Array.from({ length: 5 }, (_, i) =>
	frame(i === 0 ? TEXT : CONTINUATION, `piece ${i}`, { fin: i === 4 }));
const FIVE = told("text", "piece 0piece 1piece 2piece 3piece 4");
const between = five.flatMap((f, i) => i === 0 ? [f] : [ping(`${i}`), f]);
const FOUR = [1, 2, 3, 4].map((i) => told("pong", `${i}`));
fails(1002, "ping in fragments", [ping("frag", open), more("ment")]);
fails(1002, "pong in fragments", [pong("frag", open), more("ment")]);
fails(1002, "close in fragments", [closeFrame(1000, "frag", open)]);
echoes("text in two fragments", TWO, [WHOLE]);
echoes("the same at once", [all(...TWO)], [WHOLE]);
echoes("the same, octet by octet", [octets(...TWO)], [WHOLE]);
echoes("binary in two fragments",
	[binary("frag", open), more("ment")], [told("binary", "fragment")]);
echoes("a ping between two fragments", [TWO[0], ping("now"), TWO[1]],
	[told("pong", "now"), WHOLE]);
echoes("the same at once", [all(TWO[0], ping("now"), TWO[1])],
	[told("pong", "now"), WHOLE]);
echoes("the same, octet by octet", [octets(TWO[0], ping("now"), TWO[1])],
	[told("pong", "now"), WHOLE]);
echoes("the same, with pauses",
	[TWO[0], { ms: 50 }, ping("now"), { ms: 50 }, TWO[1]],
	[told("pong", "now"), WHOLE]);
echoes("a pong between two fragments", [TWO[0], pong("now"), TWO[1]], [WHOLE]);
echoes("pings between five fragments", between, [...FOUR, FIVE]);
echoes("the same, octet by octet", [octets(...between)], [...FOUR, FIVE]);
echoes("the same, with pauses", between.flatMap((f) => [f, { ms: 10 }]),
	[...FOUR, FIVE]);
fails(1002, "a continuation of nothing", [more("ment")]);
fails(1002, "the same with more to come", [more("ment", open), text("one")]);
fails(1002, "the same, octet by octet",
	[octets(more("ment", open), text("one"))]);
fails(1002, "a continuation behind a whole message",
	[text("one"), more("ment")], [told("text", "one")]);
fails(1002, "a continuation behind the last fragment",
	[...TWO, more("more")], [WHOLE]);
fails(1002, "an empty continuation of nothing", [more("")]);
fails(1002, "a message within a message", [TWO[0], text("one"), TWO[1]]);
fails(1002, "a binary message within a text", [TWO[0], binary("one")]);
fails(1002, "a message begun twice", [TWO[0], TWO[0]]);
echoes("three empty fragments", [text("", open), more("", open), more("")],
	[told("text", "")]);
echoes("an empty first fragment", [text("", open), more("ment")],
	[told("text", "ment")]);
echoes("an empty fragment in the middle",
	[TWO[0], more("", open), TWO[1]], [WHOLE]);
echoes("an empty last fragment", [TWO[0], more("")], [told("text", "frag")]);
echoes("two messages in fragments", [...TWO, binary("a", open), more("b")],
	[WHOLE, told("binary", "ab")]);
echoes("a hundred fragments of an octet", [text("x", open),
	...Array.from({ length: 98 }, () => more("x", open)), more("x")],
	[told("text", "x".repeat(100))]);
answers("a close between two fragments",
	[all(TWO[0], closeFrame(1000))], [NORMAL]);

/* 6. UTF-8: what is valid */
const hex = (digits) => Buffer.from(digits.replaceAll(/[ |]/g, ""), "hex");
const VALID = ["00", "7f", "c280", "dfbf", "e0a080", "e18080", "ed9fbf",
	"ee8080", "efbbbf", "efbfbd", "efbfbe", "efbfbf", "f0908080",
	"f09fbfbe", "f09fbfbf", "f18080 80", "f3bfbfbf", "f48fbfbe", "f48fbfbf",
	"ceba e1bdb9 cf83 cebc ceb5", "24 c2a2 e282ac f0a4ada2",
	"65cc81 f09f91a9e2808df09f92bb"].map(hex);
// One frame for each octet.
const frames = (bytes) => [...bytes].map((octet, i) =>
	frame(i === 0 ? TEXT : CONTINUATION, [octet],
		{ fin: i === bytes.length - 1 }));
const name = (bytes) => bytes.toString("hex");
begin("6.1");
for (const bytes of VALID) {
	const told1 = [told("text", bytes)];
	echoes(`${name(bytes)}`, [text(bytes)], told1);
	echoes(`${name(bytes)}, a frame for each octet`,
		[all(...frames(bytes))], told1);
	echoes(`${name(bytes)}, octet by octet`, [octets(text(bytes))], told1);
}
echoes("as binary it may be anything", [binary(hex("c080 ff fe ed a0 80"))],
	[told("binary", hex("c080fffeeda080"))]);

/* ... what is not; the octet in front of the bar is where that is certain */
const INVALID = ["80|", "bf|", "c0|80", "c1|bf", "e080|80", "e09f|bf",
	"f080|8080", "f08f|bfbf", "f8|88808080", "fc|8480808080", "fe|", "ff|",
	"eda0|80", "edad|bf", "edae|80", "edaf|bf", "edb0|80", "edbf|bf",
	"eda0|80edb080", "edaf|bfedbfbf", "f490|8080", "f5|808080", "f7|bfbfbf",
	"c320|", "c3c3|a4", "e220|", "e28220|", "e282c3|a4", "f020|", "f09f20|",
	"f09f9820|", "f09f98f0|9f9880", "c3a480|", "e282ac80|", "f09f988080|"];
begin("6.2");
for (const digits of INVALID) {
	const [until] = digits.split("|");
	const bytes = all(Buffer.from("κ-"), hex(digits), Buffer.from("-ε"));
	const at = 3 + hex(until).length;
	const whole = text(bytes);
	const head = whole.length - bytes.length;
	const late = ["close 1007 late"];
	fails(1007, `${digits}`, [whole]);
	fails(1007, `${digits}, a frame for each octet`, [all(...frames(bytes))]);
	fails(1007, `${digits}, octet by octet`, [octets(whole)]);
	fails(1007, `${digits} at the end of a fragment, failed at once`,
		[text(bytes.subarray(0, at), open), mark, more(bytes.subarray(at))],
		[], [late]);
	fails(1007, `${digits} in the middle of a frame, failed at once`,
		[whole.subarray(0, head + at), mark, whole.subarray(head + at)],
		[], [late]);
}

/* ... and what is cut */
begin("6.3");
for (const digits of ["c3", "e2", "e282", "f0", "f09f", "f09f98", "ed9f"]) {
	const bytes = all(Buffer.from("κ"), hex(digits));
	fails(1007, `${digits} at the end`, [text(bytes)]);
	fails(1007, `${digits} at the end, octet by octet`, [octets(text(bytes))]);
	fails(1007, `${digits} in front of an empty last fragment`,
		[text(bytes, open), more("")]);
	fails(1007, `${digits} at the end, whatever the next message is`,
		[text("one"), text(bytes), text("two")], [told("text", "one")]);
}

/* 7. Closing */
begin("7.1");
echoes("at once", [], []);
echoes("after a message", [text(HELLO)], [told("text", HELLO)]);
answers("two close frames", [all(closeFrame(1000), closeFrame(1000))], [NORMAL]);
answers("a ping behind it", [all(closeFrame(1000), ping("late"))], [NORMAL]);
answers("a message behind it", [all(closeFrame(1000), text(HELLO))], [NORMAL]);
answers("a fragment behind it",
	[all(text("frag", open), closeFrame(1000), more("ment"))], [NORMAL]);
answers("what is no frame behind it",
	[all(closeFrame(1000), Buffer.alloc(100, 0xff))], [NORMAL]);
answers("256 KiB in front of it",
	[all(text("x".repeat(256 * KIB)), closeFrame(1000))],
	[told("text", "x".repeat(256 * KIB)), NORMAL], [[NORMAL]]);
answers("octet by octet", [octets(closeFrame(1000, "bye"))], [NORMAL]);
begin("7.2");
answers("without a code", [closeFrame()], ["close"], [[NORMAL]]);
fails(1002, "of one octet", [frame(8, [3])]);
answers("with a reason", [closeFrame(1000, "wörks")], [NORMAL]);
answers("with the longest reason", [closeFrame(1000, "r".repeat(123))],
	[NORMAL]);
fails(1002, "with a longer reason", [closeFrame(1000, "r".repeat(124))]);
for (const digits of ["80|", "c3|", "eda080|", "f4908080|", "c080|"])
	fails(1007, `with the reason ${digits}`, [closeFrame(1000, hex(digits))],
		[], [["close 1002"]]);
begin("7.3");
for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000,
	3999, 4000, 4999])
	answers(`code ${code}`, [closeFrame(code)], [`close ${code}`],
		[[NORMAL]]);
// Registered since.
for (const code of [1012, 1013, 1014])
	answers(`code ${code}`, [closeFrame(code)], [`close ${code}`],
		[[NORMAL], ["close 1002"]]);
begin("7.4");
for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999])
	fails(1002, `code ${code}`, [closeFrame(code)]);
// What they are for, and whether they may be sent, is not said anywhere.
for (const code of [5000, 65535])
	add(`code ${code}`, { steps: [closeFrame(code)],
		ok: [["close 1002"], [NORMAL], [`close ${code}`]],
		also: [["lost"]] });

/* 8. Headers that a server never sends */
begin("8");
const mask = [1, 2, 3, 4];
const tooLong = frame(BINARY, "", { form: 64 });
tooLong[2] = 0x80;
fails(1002, "masked text", [text(HELLO, { mask })]);
fails(1002, "masked text, masked with zeroes",
	[text(HELLO, { mask: [0, 0, 0, 0] })]);
fails(1002, "masked ping", [ping("", { mask })]);
fails(1002, "masked close", [closeFrame(1000, "", { mask })]);
fails(1002, "masked fragment", [TWO[0], more("ment", { mask })]);
for (const [size, form] of [[0, 16], [125, 16], [0, 64], [126, 64],
	[65535, 64]])
	// The shortest form "must" be used; what if it is not, is not said.
	fails(1002, `a length of ${size} in ${form} bits`,
		[text("x".repeat(size), { form })], [],
		[[told("text", "x".repeat(size)), "open"]]);
fails(1002, "a ping with its length in 16 bits", [ping("p", { form: 16 })]);
fails(1002, "a length of 2^63", [tooLong]);

/* 9. Large messages */
const large = (kind, size) => kind === "text"
	? Buffer.from("κόσμε-".repeat(Math.ceil(size / 12))).subarray(0, size - 12)
	: Buffer.alloc(size, "0123456789abcde\u00ff", "latin1");
// Whole characters only.
const sized = (kind, size) => {
	const payload = large(kind, size);
	let end = payload.length;
	while (kind === "text" && (payload[end] & 0xc0) === 0x80)
		end--;
	return payload.subarray(0, end);
};
const cut = (kind, payload, size) => {
	const pieces = [];
	for (let at = 0; at < payload.length; at += size)
		pieces.push(frame(at > 0 ? CONTINUATION
			: kind === "text" ? TEXT : BINARY,
		payload.subarray(at, at + size),
		{ fin: at + size >= payload.length }));
	return Buffer.concat(pieces);
};
const KINDS = [["text", text], ["binary", binary]];
KINDS.forEach(([kind, make], i) => {
	// Made when they are sent: all of them together are hundreds of MiB.
	const later = (what, size, steps) => {
		const payload = () => sized(kind, size);
		add(`${kind} of ${size}${what}`, { closes: true, large: true,
			get steps() { return steps(payload(), make); },
			get ok() { return [[told(kind, payload()), NORMAL]]; } });
	};
	begin(`9.${i + 1}`);
	for (const size of [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB])
		later("", size, (payload) => [make(payload)]);
	begin(`9.${i + 3}`);
	for (const size of [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB,
		MIB, 4 * MIB])
		later(` in frames of ${size}`, 4 * MIB,
			(payload) => [cut(kind, payload, size)]);
	begin(`9.${i + 5}`);
	for (const size of [64, 128, 256, 512, KIB, 2 * KIB])
		later(`, written ${size} by ${size}`, MIB,
			(payload) => [{ bytes: make(payload), size }]);
});
begin("9.7");
for (const size of [0, 16, 64, 256, KIB, 16 * KIB])
	for (const [kind, make] of KINDS) {
		const payload = Buffer.alloc(size, "x");
		echoes(`1000 × ${kind} of ${size}`,
			[Buffer.concat(Array(1000).fill(make(payload)))],
			Array(1000).fill(told(kind, payload)));
	}

/* 10. Fragments of a size that no power of two is */
begin("10");
for (const [kind] of KINDS)
	for (const size of [1, 7, 125, 126, 1300, 65535]) {
		const payload = Buffer.alloc(65536, "*");
		add(`${kind} of 65536 in frames of ${size}`, {
			steps: [cut(kind, payload, size)], closes: true,
			large: true, ok: [[told(kind, payload), NORMAL]] });
	}

export default cases;
