// Requests that show an answer as it came, byte for byte.

import http from "node:http";

const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });

/*
 * { status, headers, rawHeaders, body (Buffer), text, json } of a request.
 * options: method, headers, body, timeout
 */
export function request(url, options = {}) {
	const { method = "GET", headers = {}, body, timeout = 60000 } = options;

	return new Promise((resolve, reject) => {
		const req = http.request(url, { method, headers, agent }, (res) => {
			const pieces = [];
			res.on("data", (piece) => pieces.push(piece));
			res.on("error", reject);
			res.on("end", () => resolve(answer(res, pieces)));
		});
		req.setTimeout(timeout, () =>
			req.destroy(new Error(`no answer: ${method} ${url}`)));
		req.on("error", reject);
		req.end(body);
	});
}

function answer(res, pieces) {
	const body = Buffer.concat(pieces);
	return {
		status: res.statusCode,
		headers: res.headers,
		rawHeaders: res.rawHeaders,
		body,
		get text() {
			return body.toString();
		},
		get json() {
			return JSON.parse(body.toString());
		},
	};
}
