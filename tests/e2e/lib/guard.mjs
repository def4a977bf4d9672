// Stands between the browser and the server and writes down all that goes
// through, from pages, workers and service workers alike; and what of it must
// not be.

import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";

import { until } from "../../integration/lib/time.mjs";

const BROWSER_SOCKET = "/ws/connect?type=browser";
const IDLE = 400; // ms without a request

// What a browser never takes a page for.
const PARTS = new Set(["audioworklet", "font", "image", "manifest", "script",
	"serviceworker", "sharedworker", "style", "worker"]);

const agent = new http.Agent({ keepAlive: true });

export class Guard {
	/*
	 * Between browsers and the server on that port.
	 *	bases	what the requests are to stay under, [""] if there is
	 *		nothing outside
	 *	refused	expressions for lines of the trace with a status of
	 *		400 and more that the web app itself is the cause of
	 *	policy	a Content-Security-Policy for all pages, if any
	 */
	static async start(stage, port, { bases, refused, policy }) {
		const guard = new Guard();
		guard.upstream = { host: "127.0.0.1", port, agent };
		guard.bases = bases;
		guard.refused = refused;
		guard.policy = policy;
		guard.trace = []; // lines
		guard.wrong = []; // those of them that must not be
		guard.pending = new Set(); // { what }
		guard.last = Date.now();
		guard.sockets = new Set();

		const server = http.createServer((req, res) =>
			guard.request(req, res));
		server.on("upgrade", (req, socket, head) =>
			guard.upgrade(req, socket, head));
		server.on("connection", (socket) => guard.hold(socket));
		await new Promise((resolve) =>
			server.listen(0, "127.0.0.1", resolve));
		stage.atEnd(() => new Promise((resolve) => {
			server.close(resolve);
			for (const socket of guard.sockets)
				socket.destroy();
		}));
		guard.origin = `http://127.0.0.1:${server.address().port}`;
		return guard;
	}

	hold(socket) {
		this.sockets.add(socket);
		socket.on("error", () => {});
		socket.on("close", () => this.sockets.delete(socket));
	}

	note(what, faults) {
		const line = [what.replaceAll(/token=[^&\s]+/g, "token=*"),
			...faults].join(", ");
		this.trace.push(line);
		if (faults.length > 0)
			this.wrong.push(line);
	}

	// What is wrong with a request, whatever the answer.
	faultsOf(req) {
		if (this.bases.includes(""))
			return [];
		const [path, query = ""] = req.url.split("?");
		const faults = [];

		if (!this.bases.some((base) => path.startsWith(`${base}/`)))
			faults.push("outside");
		if (this.bases.some((base) => path.lastIndexOf(base) > 0))
			faults.push("prefix twice");
		if (req.headers.authorization !== undefined ||
		    /(^|&)token=/.test(query))
			faults.push("carries a token");
		return faults;
	}

	request(req, res) {
		const what = `${req.method} ${req.url}`;
		const faults = this.faultsOf(req);
		const part = PARTS.has(req.headers["sec-fetch-dest"]);

		const open = { what };
		this.pending.add(open);
		res.on("close", () => {
			this.pending.delete(open);
			this.last = Date.now();
		});
		const request = http.request({ ...this.upstream, method: req.method,
			path: req.url, headers: req.headers }, (answer) => {
			const isPage =
				/^text\/html/.test(answer.headers["content-type"]);
			const done = `${answer.statusCode} ${what}`;
			if (answer.statusCode >= 400 &&
			    !this.refused.some((e) => e.test(done)))
				faults.push("refused");
			if (part && answer.statusCode === 200 && isPage)
				faults.push("a page in place of a part");
			this.note(done, faults);
			if (isPage && this.policy)
				answer.rawHeaders.push("Content-Security-Policy",
					this.policy);
			res.writeHead(answer.statusCode, answer.statusMessage,
				answer.rawHeaders);
			answer.pipe(res);
			answer.on("error", () => res.destroy());
		});
		request.on("error", (error) => {
			if (!res.destroyed)
				this.note(what, [...faults, error.code]);
			res.destroy();
		});
		res.on("close", () => request.destroy());
		req.pipe(request);
	}

	upgrade(req, socket, head) {
		this.note(`WebSocket ${req.url}`,
			req.url === BROWSER_SOCKET ? [] : this.faultsOf(req));
		const lines = [`${req.method} ${req.url} HTTP/1.1`];
		for (let i = 0; i < req.rawHeaders.length; i += 2)
			lines.push(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}`);
		const server = net.connect(this.upstream.port, this.upstream.host);
		this.hold(server);
		server.write(`${lines.join("\r\n")}\r\n\r\n`);
		server.write(head);
		server.pipe(socket).pipe(server);
		server.on("close", () => socket.destroy());
		socket.on("close", () => server.destroy());
	}

	// Until no answer is outstanding, so that leaving a page breaks none off.
	async idle() {
		await until(() => this.pending.size === 0 &&
			Date.now() - this.last > IDLE, "requests do not end", 30000)
			.catch((error) => {
				error.message += [...this.pending]
					.map(({ what }) => `\n${what}`).join("");
				throw error;
			});
	}

	check() {
		assert.deepEqual(this.wrong, [], "requests that must not be");
	}
}
