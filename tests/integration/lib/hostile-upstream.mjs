// An upstream that speaks HTTP as a test wants, byte by byte.

import { createServer } from "node:net";

import { Queue } from "./time.mjs";

const HEAD_END = "\r\n\r\n";

// An answer as it should be, of bytes or text.
export function good(body, ...fields) {
	const bytes = Buffer.from(body);
	return Buffer.concat([Buffer.from(["HTTP/1.1 200 OK",
		...(fields.some((f) => /^content-type:/i.test(f))
			? [] : ["Content-Type: text/plain"]),
		`Content-Length: ${bytes.length}`, ...fields, "", ""]
		.join("\r\n"), "latin1"), bytes]);
}

// Lines of a head, and what follows it, as latin1.
export const lines = (...texts) => texts.join("\r\n");

/*
 * options:
 *	play(request, socket)	what to do with each request; what
 *		scripts[path] is, a function like that, or bytes to be sent, goes
 *		before, and says /ok and the query if neither is there
 *	listen		instead of a free port of 127.0.0.1
 *	bodies		false: play() is called when the head is there
 *
 * requests: all that came, each { method, target, path, head, body,
 * connection }; asked(path): how many of those; connections: all sockets,
 * each with asked, how many requests came by it, and gone, a promise; open: how many
 * are.
 */
export async function startHostile(stage, scripts = {}, options = {}) {
	const upstream = { requests: [], connections: [], open: 0,
		came: new Queue("requests") };
	const play = (request, socket) => {
		const script = upstream.scripts[request.path] ?? options.play;
		if (typeof script === "function")
			script(request, socket);
		else
			socket.write(script ?? good(`ok ${request.target}`));
	};
	const server = createServer({ allowHalfOpen: true }, (socket) => {
		const connection = upstream.connections.length;
		upstream.connections.push(socket);
		upstream.open++;
		socket.asked = 0;
		socket.gone = new Promise((resolve) =>
			socket.on("close", () => {
				upstream.open--;
				resolve();
			}));
		socket.setNoDelay?.(true);
		socket.on("error", () => {});
		// A script that answers may leave the other half to us.
		socket.on("end", () => socket.halfOpen || socket.end());
		read(socket, options, (request) => {
			request.connection = connection;
			socket.asked++;
			upstream.requests.push(request);
			upstream.came.push(request);
			play(request, socket);
		});
	});
	upstream.scripts = scripts;
	upstream.asked = (path) => upstream.requests.filter(
		(request) => request.path === path).length;
	await new Promise((resolve, reject) => {
		server.on("error", reject);
		server.listen(options.listen ?? { port: 0, host: "127.0.0.1" },
			resolve);
	});
	upstream.port = server.address().port;
	upstream.close = async () => {
		const closed = new Promise((resolve) => server.close(resolve));
		for (const socket of upstream.connections)
			socket.destroy();
		await closed;
	};
	stage.atEnd(() => server.listening && upstream.close());
	return upstream;
}

// Take requests apart, one after the other.
function read(socket, { bodies = true }, take) {
	let input = Buffer.alloc(0);
	let request = null;
	socket.on("data", (data) => {
		input = Buffer.concat([input, data]);
		for (;;) {
			if (request === null) {
				const end = input.indexOf(HEAD_END);
				if (end < 0)
					return;
				request = parse(input.subarray(0, end).toString("latin1"));
				input = input.subarray(end + HEAD_END.length);
				if (!bodies)
					take(request);
			}
			if (input.length < request.length)
				return;
			request.body = input.subarray(0, request.length);
			input = input.subarray(request.length);
			if (bodies)
				take(request);
			request = null;
		}
	});
}

function parse(head) {
	const [method, target] = head.split(" ");
	const [, length = "0"] = /^content-length: *(\d+)/im.exec(head) ?? [];
	return { method, target, head, path: target.split("?")[0],
		length: Number(length) };
}
