// A web app that does what a path says: what pages see of it is compared.

import { createServer } from "node:http";

import { WebSocketServer } from "ws";

import { endpoints } from "./streams.mjs";
import { behaviours } from "./sockets.mjs";

const PAGE = "<!doctype html><html><head><title>page</title>" +
	"<link rel=icon href=data:,></head><body></body></html>";

const send = (res, status, headers, body) => {
	res.writeHead(status, headers);
	res.end(body);
};

const readBody = async (req) => {
	const pieces = [];
	for await (const piece of req)
		pieces.push(piece);
	return Buffer.concat(pieces);
};

// What a request was, without what an orchestrator adds.
async function mirror(req, res, query) {
	const body = await readBody(req);
	const names = ["accept", "content-type", "x-own", "authorization"];
	const headers = Object.fromEntries(names.map((name) =>
		[name, /^multipart/.test(req.headers[name] ?? "") ?
		"multipart" :
			/^Bearer/.test(req.headers[name] ?? "") ? "signed" :
			req.headers[name] ?? null]));
	if (!query.has("signed"))
		delete headers.authorization;
	send(res, 200, { "Content-Type": "application/json" }, JSON.stringify({
		method: req.method, url: req.url, headers,
		body: headers["content-type"] === "multipart" ? "multipart" :
			body.toString("latin1") }));
}

const PLAIN = {
	"/": (req, res) => send(res, 200,
		{ "Content-Type": "text/html; charset=utf-8" }, PAGE),
	"/mirror": mirror,
	"/text": (req, res) => send(res, 200,
		{ "Content-Type": "text/plain; charset=utf-8",
		"X-Own": "a, b" },
		"häl\0lo €\n"),
	"/bytes": (req, res) => send(res, 200,
		{ "Content-Type": "application/octet-stream" },
		Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255))),
	"/empty": (req, res) => send(res, 204, {}),
	"/missing": (req, res) => send(res, 404,
		{ "Content-Type": "text/plain" }, "not here"),
	"/redirect": (req, res) => send(res, 302, { Location: "/text?there" }),
	"/never": () => {},
	"/worker.js": (req, res) => send(res, 200,
		{ "Content-Type": "text/javascript" },
		"onmessage = ({ data }) => postMessage([data, location.search]);"),
	"/script.js": (req, res) => send(res, 200,
		{ "Content-Type": "text/javascript" }, "globalThis.ran = 1;"),
	"/style.css": (req, res) => send(res, 200,
		{ "Content-Type": "text/css" }, "body { color: rgb(1, 2, 3) }"),
	"/image.svg": (req, res) => send(res, 200,
		{ "Content-Type": "image/svg+xml" },
		'<svg xmlns="http://www.w3.org/2000/svg" width="3" height="4"/>'),
};

/*
 * seen: what happened at this side of a connection, by the query's "key";
 * a page asks for it at /seen.
 */
export async function startCompared(stage) {
	const upstream = { seen: new Map() };
	const connections = new Set();
	const paths = { ...PLAIN, ...endpoints(upstream),
		"/seen": (req, res, query) => send(res, 200,
			{ "Content-Type": "application/json" }, JSON.stringify(
				upstream.seen.get(query.get("key")) ?? null)) };
	const server = createServer((req, res) => {
		const url = new URL(req.url, "http://upstream");
		const serve = paths[url.pathname] ?? paths["/missing"];
		res.on("error", () => {});
		serve(req, res, url.searchParams);
	});
	const { upgrade } = behaviours(upstream, new WebSocketServer({
		noServer: true, perMessageDeflate: false,
		maxPayload: 64 << 20,
		handleProtocols: (offered, { url }) => {
			const wanted = new URL(url, "http://upstream")
				.searchParams.get("protocol");
			return wanted ?? false;
		} }));

	server.on("connection", (socket) => {
		connections.add(socket);
		socket.on("error", () => {});
		socket.on("close", () => connections.delete(socket));
	});
	server.on("upgrade", upgrade);
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	upstream.port = server.address().port;
	upstream.url = `http://127.0.0.1:${upstream.port}`;
	stage.atEnd(() => new Promise((resolve) => {
		server.close(resolve);
		for (const socket of connections)
			socket.destroy();
	}));
	return upstream;
}
