// An HTTP proxy for CONNECT, as HTTPS_PROXY names one.

import { createServer } from "node:http";
import { connect } from "node:net";

import { Queue } from "./time.mjs";

/*
 * refuse: bytes to answer with in place of a tunnel; delay: ms before the
 * answer.  tunnels: what came, { target, headers }.
 */
export async function startHttpProxy(stage, { refuse, delay = 0 } = {}) {
	const proxy = { tunnels: new Queue("tunnels"), refuse };
	const sockets = new Set();
	const server = createServer((req, res) => res.writeHead(405).end());

	server.on("connection", (socket) => {
		sockets.add(socket);
		socket.on("error", () => {});
		socket.on("close", () => sockets.delete(socket));
	});
	server.on("connect", (req, socket, head) => {
		proxy.tunnels.push({ target: req.url, headers: req.headers });
		if (proxy.refuse !== undefined)
			return socket.end(Buffer.from(proxy.refuse, "latin1"));
		const timer = setTimeout(() =>
			pass(sockets, req.url, socket, head), delay);
		socket.on("close", () => clearTimeout(timer));
	});
	await new Promise((resolve) =>
		server.listen(0, "127.0.0.1", resolve));
	proxy.port = server.address().port;
	stage.atEnd(async () => {
		const closed = new Promise((resolve) => server.close(resolve));
		for (const socket of sockets)
			socket.destroy();
		await closed;
	});
	return proxy;
}

function pass(sockets, target, socket, head) {
	const port = Number(target.slice(target.lastIndexOf(":") + 1));
	const far = connect(port, "127.0.0.1", () => {
		socket.write("HTTP/1.1 200 Connection established\r\n" +
			"Via: 1.1 test\r\n\r\n");
		far.write(head);
		socket.pipe(far).pipe(socket);
	});

	sockets.add(far);
	far.on("error", () => socket.destroy());
	far.on("close", () => sockets.delete(far));
	socket.on("close", () => far.destroy());
}
