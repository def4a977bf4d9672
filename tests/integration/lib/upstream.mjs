// Upstreams that do what a test says.

import { createServer as createHttp } from "node:http";
import { createServer as createTcp } from "node:net";

import { Queue } from "./time.mjs";

/*
 * Answers, and returns true for, what an instance asks on its own: nothing
 * runs.
 */
export function answersWatch(req, res) {
	if (req.url !== "/api/providers/sessions/running")
		return false;
	res.setHeader("Content-Type", "application/json");
	res.end("{\"success\":true,\"data\":{\"sessions\":[]}}");
	return true;
}

/*
 * An HTTP server: handle(req, res) with req.body (Buffer) read already.
 * It has port, requests (a Queue of what came) and connections (a count).
 */
export async function startUpstream(stage, handle) {
	const upstream = { requests: new Queue("requests"), connections: 0 };
	const sockets = new Set();
	const server = createHttp((req, res) => {
		const pieces = [];
		req.on("data", (piece) => pieces.push(piece));
		req.on("end", () => {
			if (answersWatch(req, res))
				return;
			req.body = Buffer.concat(pieces);
			upstream.requests.push(req);
			handle(req, res);
		});
	});
	server.on("connection", (socket) => {
		upstream.connections++;
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
	});
	server.on("clientError", (error, socket) => socket.destroy());
	await listen(stage, server, sockets, upstream);
	return upstream;
}

/*
 * A TCP server whose answer to everything is up to serve(socket, head),
 * called once for each connection, with the request's bytes up to the
 * empty line.
 */
export async function startRawUpstream(stage, serve) {
	const upstream = {};
	const sockets = new Set();
	const server = createTcp((socket) => {
		let input = "";
		const feed = (data) => {
			input += data.toString("latin1");
			if (!input.includes("\r\n\r\n"))
				return;
			socket.off("data", feed);
			serve(socket, input);
		};
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
		socket.on("error", () => {});
		socket.on("data", feed);
	});
	await listen(stage, server, sockets, upstream);
	return upstream;
}

async function listen(stage, server, sockets, upstream) {
	await new Promise((resolve, reject) => {
		server.on("error", reject);
		server.listen(0, "127.0.0.1", resolve);
	});
	upstream.port = server.address().port;
	upstream.url = `http://127.0.0.1:${upstream.port}`;
	upstream.close = async () => {
		const closed = new Promise((resolve) => server.close(resolve));
		for (const socket of sockets)
			socket.destroy();
		await closed;
	};
	stage.atEnd(() => server.listening && upstream.close());
}

// A port on which nobody listens.
export async function freePort() {
	const server = createTcp();
	await new Promise((resolve) =>
		server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}
