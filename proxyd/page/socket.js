// The browser socket to the orchestrator, which carries the tunnels and the
// streams of this page as questions and answers.

const { WebSocket, clearTimeout, crypto, setTimeout } = globalThis;
const nativeSend = WebSocket.prototype.send;
const nativeClose = WebSocket.prototype.close;
const { addEventListener, dispatchEvent, removeEventListener } =
	EventTarget.prototype;
const now = globalThis.Date.now;

const IDLE = 60_000;
const HANDLE_PAUSE = 60_000;

// The answer to all that is open when the socket is gone.
const LOST = { lost: true };

const questions = new Map(); // by request id: answer(data, complete)
let socket = null;
let backlog = null; // until it is open
let idleTimer;

// The tunnels and streams that need the socket.
const living = new Set();

// 128 random bits in base64url.
function newId() {
	return toBase64(crypto.getRandomValues(new Uint8Array(16)))
		.replace(/\+/g, "-").replace(/\//g, "_").slice(0, 22);
}

// Closes it; what was asked is for the caller to answer.
function dropSocket() {
	const closing = socket;
	const answers = [...questions.values()];

	clearTimeout(idleTimer);
	socket = backlog = null;
	questions.clear();
	if (closing !== null)
		apply(nativeClose, closing, []);
	return answers;
}

function disconnect() {
	for (const answer of dropSocket())
		answer(LOST, true);
}

function receive(text) {
	let message;

	try {
		message = parse(text);
	} catch {
		return;
	}
	const id = message?.request_id;
	const answer = questions.get(id);
	// The orchestrator tells the page of other things, too.
	if (message?.type !== "forwarded_response" ||
		message.client_id !== config.client || answer === undefined)
		return;
	if (message.complete)
		questions.delete(id);
	answer(message.data ?? {}, Boolean(message.complete));
}

function connect() {
	const url = new URL("/ws/connect?type=browser", location.href);
	url.protocol = url.protocol.replace("http", "ws");

	const opening = new WebSocket(url.href);
	const on = (type, listener) =>
		apply(addEventListener, opening, [type, (event) => {
			if (socket === opening)
				listener(event);
		}]);
	on("open", () => {
		for (const message of backlog)
			apply(nativeSend, socket, [message]);
		backlog = null;
	});
	on("message", ({ data }) => {
		if (typeof data === "string")
			receive(data);
	});
	on("close", disconnect);
	socket = opening;
	backlog = [];
}

// Returns the id of the question.
function ask(action, payload, answer) {
	const id = newId();
	const message = stringify({
		type: "forward_to_client", client_id: config.client,
		request_id: id, action, payload,
	});

	if (answer !== undefined)
		questions.set(id, answer);
	if (socket === null)
		try {
			connect();
		} catch {
			setTimeout(disconnect, 0);
			return id;
		}
	if (backlog !== null)
		backlog.push(message);
	else
		apply(nativeSend, socket, [message]);
	return id;
}

// Nobody waits for the answer.
const tell = (action, payload) => ask(action, payload, undefined);

function holdSocket(user) {
	living.add(user);
	clearTimeout(idleTimer);
}

function releaseSocket(user) {
	living.delete(user);
	clearTimeout(idleTimer);
	if (living.size === 0)
		idleTimer = setTimeout(disconnect, IDLE);
}

// An attempt that the socket never came up for must not keep the next ones
// waiting.
function giveUpConnecting() {
	if (backlog !== null)
		disconnect();
}

// Apps may try again at once, for ever: failures are told later and later.
const failures = new Map();

function failureDelay(path) {
	const [key] = path.split("?");
	const count = failures.get(key) ?? 0;

	if (failures.size > 100)
		failures.clear();
	failures.set(key, count + 1);
	return Math.min(250 * 2 ** count, 5000);
}

function noteSuccess(path) {
	failures.delete(path.split("?")[0]);
}

// A handle expires.  Tells whether there is another than the one that was
// refused.
const nativeFetch = originals.get(globalThis.fetch);
let renewal = null;
let renewedAt = -Infinity;

async function fetchHandle() {
	const answer = await apply(nativeFetch, globalThis,
		[`${prefix}/__tether/handle`, { method: "POST" }]);
	const fresh = (await answer.json()).handle;
	if (answer.ok && typeof fresh === "string" && fresh !== "") {
		handle = fresh;
		storeHandle();
	}
}

async function renewHandle(refused) {
	if (handle === refused && now() - renewedAt >= HANDLE_PAUSE) {
		renewedAt = now();
		renewal = fetchHandle().catch(() => {});
	}
	await renewal;
	renewal = null;
	return handle !== refused;
}
