// A small web app to put behind tetherd: a page, an API, a WebSocket echo.
// It needs Node 18 and nothing else, and accepts the same tokens as the
// real app does (HS256, {userId, username}), without a look at the users.
//
//	PORT		where to listen on 127.0.0.1; 0, the default: any
//	JWT_SECRET	of the tokens

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const SECRET = process.env.JWT_SECRET ?? "";
const BODY_MAX = 64 * 1024 * 1024;
const FRAME_MAX = 16 * 1024 * 1024;
const CHUNK = 64 * 1024;

const file = (name, type) => ({
	type,
	body: readFileSync(new URL(`page/${name}`, import.meta.url)),
});
const INDEX = file("index.html", "text/html; charset=utf-8");
const FILES = {
	"/": INDEX,
	"/favicon.svg": file("favicon.svg", "image/svg+xml"),
	"/assets/page.css": file("page.css", "text/css; charset=utf-8"),
	"/assets/page.js":
		file("page.js", "application/javascript; charset=utf-8"),
};

// What a token says, or null when it is not one of ours.
function verify(token) {
	const [head, payload, signature, rest] = (token ?? "").split(".");

	if (signature === undefined || rest !== undefined || SECRET === "")
		return null;
	const expected = createHmac("sha256", SECRET)
		.update(`${head}.${payload}`).digest();
	const given = Buffer.from(signature, "base64url");
	if (given.length !== expected.length ||
	    !timingSafeEqual(given, expected))
		return null;
	try {
		const decode = (s) =>
			JSON.parse(Buffer.from(s, "base64url").toString());
		const claims = decode(payload);
		if (decode(head).alg !== "HS256" ||
		    claims.exp < Date.now() / 1000)
			return null;
		return claims;
	} catch {
		return null;
	}
}

function sendJson(res, status, value) {
	const body = Buffer.from(JSON.stringify(value));

	res.writeHead(status, {
		"Content-Type": "application/json; charset=utf-8",
		"Content-Length": body.length,
		"Cache-Control": "no-store",
	});
	res.end(body);
}

function whoami(req, res) {
	const [scheme, token] = (req.headers.authorization ?? "").split(" ");

	if (scheme !== "Bearer")
		return sendJson(res, 401, { error: "No token provided." });
	const claims = verify(token);
	if (claims === null)
		return sendJson(res, 401, { error: "Invalid token." });
	sendJson(res, 200, {
		userId: claims.userId,
		username: claims.username,
	});
}

async function echo(req, res) {
	const pieces = [];
	let size = 0;

	for await (const piece of req) {
		size += piece.length;
		if (size > BODY_MAX)
			return sendJson(res, 413, { error: "Too large." });
		pieces.push(piece);
	}
	const headers = { ...req.headers };
	delete headers.authorization; // an answer never shows a token
	sendJson(res, 200, {
		method: req.method,
		url: req.url,
		headers,
		body: Buffer.concat(pieces).toString(),
	});
}

function slow(req, res, query) {
	const ms = Math.min(Number(query.get("ms")) || 0, 120000);
	const timer = setTimeout(() => sendJson(res, 200, { ms }), ms);

	res.on("close", () => clearTimeout(timer));
}

// The text has everything that JSON must escape; the bytes are no text.
const TEXT = Buffer.from(
	"line \"quoted\" \\ slash / tab\t<b>&amp;</b> 0123456789 abcdef\r\n");
const BYTES = Buffer.from({ length: 256 }, (_, i) => (i * 167 + 13) & 255);

// A body of the wanted size and type, written as fast as it is read.
function big(req, res, query) {
	const type = query.get("type") ?? "text/plain";
	const size = Math.min(Math.max(Number(query.get("bytes")) || 0, 0), 2e9);
	const pattern = /^text\/|json|javascript|xml/.test(type) ? TEXT : BYTES;
	const chunk = Buffer.alloc(
		Math.ceil(CHUNK / pattern.length) * pattern.length, pattern);
	let left = size;

	const write = () => {
		while (left > 0) {
			const piece = chunk.subarray(0, Math.min(left, chunk.length));
			left -= piece.length;
			if (!res.write(piece))
				return;
		}
		res.end();
		res.off("drain", write);
	};
	res.on("drain", write);
	res.writeHead(200, { "Content-Type": type, "Content-Length": size });
	write();
}

const API = {
	"/api/auth/status": (req, res) => sendJson(res, 200, {
		needsSetup: false,
		isAuthenticated: false,
	}),
	"/api/whoami": whoami,
	"/api/echo": echo,
	"/api/slow": slow,
	"/api/big": big,
};

function handle(req, res) {
	const at = req.url.indexOf("?");
	const path = at < 0 ? req.url : req.url.slice(0, at);
	const query = new URLSearchParams(at < 0 ? "" : req.url.slice(at + 1));

	if (Object.hasOwn(API, path))
		return API[path](req, res, query);
	if (req.method !== "GET" && req.method !== "HEAD")
		return sendJson(res, 404, { error: "Not found." });
	// Like the real app: a path that nobody knows shows the page.
	const { type, body } = FILES[path] ?? INDEX;
	res.writeHead(200, {
		"Content-Type": type,
		"Content-Length": body.length,
		"Cache-Control": "no-cache",
	});
	res.end(body);
}

// A frame of the server: never masked, never fragmented.
function frame(opcode, payload) {
	let head;

	if (payload.length < 126) {
		head = Buffer.from([0x80 | opcode, payload.length]);
	} else if (payload.length < 65536) {
		head = Buffer.from([0x80 | opcode, 126, 0, 0]);
		head.writeUInt16BE(payload.length, 2);
	} else {
		head = Buffer.alloc(10);
		head[0] = 0x80 | opcode;
		head[1] = 127;
		head.writeBigUInt64BE(BigInt(payload.length), 2);
	}
	return Buffer.concat([head, payload]);
}

// One frame off the front of the input: null when it is not complete yet,
// undefined when it is not one that a client may send.
function parseFrame(input) {
	if (input.length < 2)
		return null;
	const fin = (input[0] & 0x80) !== 0;
	const opcode = input[0] & 0x0f;
	let length = input[1] & 0x7f;
	let at = 2;

	if ((input[0] & 0x70) !== 0 || (input[1] & 0x80) === 0 ||
	    (opcode >= 8 && (length > 125 || !fin)))
		return undefined;
	if (length === 126 && input.length >= 4)
		length = input.readUInt16BE(2), at = 4;
	else if (length === 127 && input.length >= 10)
		length = Number(input.readBigUInt64BE(2)), at = 10;
	else if (length >= 126)
		return null;
	if (length > FRAME_MAX)
		return undefined;
	if (input.length < at + 4 + length)
		return null;
	const mask = input.subarray(at, at + 4);
	const payload = Buffer.from(input.subarray(at + 4, at + 4 + length));
	for (let i = 0; i < length; i++)
		payload[i] ^= mask[i & 3];
	return { fin, opcode, payload, size: at + 4 + length };
}

const CLOSE = 8, PING = 9, PONG = 10;

// Send back every message as it came.
function echoFrames(socket, head) {
	let input = head;
	let opcode = 0; // of the message whose fragments are coming in
	let pieces = [];
	let size = 0;

	const fail = (code) => {
		const payload = Buffer.alloc(2);
		payload.writeUInt16BE(code);
		socket.end(frame(CLOSE, payload));
	};
	const take = (f) => {
		if (f.opcode === PING)
			return socket.write(frame(PONG, f.payload));
		if (f.opcode === PONG)
			return true;
		if (f.opcode === CLOSE)
			return socket.end(frame(CLOSE, f.payload));
		if (f.opcode > 2 || (f.opcode === 0) !== (opcode !== 0))
			return fail(1002);
		opcode ||= f.opcode;
		pieces.push(f.payload);
		size += f.payload.length;
		if (size > FRAME_MAX)
			return fail(1009);
		if (f.fin) {
			socket.write(frame(opcode, Buffer.concat(pieces)));
			opcode = 0, pieces = [], size = 0;
		}
		return true;
	};
	const feed = (data) => {
		input = input.length > 0 ? Buffer.concat([input, data]) : data;
		for (;;) {
			const f = parseFrame(input);
			if (f === null || socket.writableEnded)
				return;
			if (f === undefined)
				return fail(1002);
			input = input.subarray(f.size);
			take(f);
		}
	};
	socket.on("data", feed);
	feed(Buffer.alloc(0));
}

function upgrade(req, socket, head) {
	const url = new URL(req.url, "http://sample");
	const key = req.headers["sec-websocket-key"];

	socket.on("error", () => socket.destroy());
	if (url.pathname !== "/ws" || key === undefined)
		return socket.end("HTTP/1.1 404 Not Found\r\n" +
			"Connection: close\r\n\r\n");
	if (verify(url.searchParams.get("token")) === null)
		return socket.end("HTTP/1.1 401 Unauthorized\r\n" +
			"Connection: close\r\n\r\n");
	const accept = createHash("sha1")
		.update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
		.digest("base64");
	socket.write("HTTP/1.1 101 Switching Protocols\r\n" +
		"Upgrade: websocket\r\nConnection: Upgrade\r\n" +
		`Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
	echoFrames(socket, head);
}

const server = createServer((req, res) => {
	Promise.resolve(handle(req, res)).catch(() => res.destroy());
});
server.on("upgrade", upgrade);
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
	const { port } = server.address();
	console.log(`sample-app: listening on http://127.0.0.1:${port}`);
});

for (const signal of ["SIGTERM", "SIGINT"])
	process.on(signal, () => process.exit(0));
