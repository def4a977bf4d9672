// What the page says when something is refused.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { BASE, openPage } from "./lib/page.mjs";
import { accepted, connect } from "./lib/tunnel.mjs";

const REASON = "your access is read-only";
const ADVICE = "Ask the operator.";
const TEXT = `Refused: ${REASON}. ${ADVICE}`;
const FIELD = "x-tether-denied";

const denied = (advice = ADVICE, status = 403) => new Response(
	JSON.stringify({ error: REASON, advice }),
	{ status, headers: { [FIELD]: REASON } });

// Hosts of notices; there is never more than one.
function find(page) {
	const hosts = page.root.children.filter((child) => child.shadow);

	assert.ok(hosts.length <= 1);
	return hosts[0];
}

function partsOf(host) {
	const [box] = host.shadow.children;
	const [words, button] = box.children;

	return { box, words, button };
}

const textOf = (page) => {
	const host = find(page);
	return host === undefined ? null : partsOf(host).words.textContent;
};

async function fetchDenied(page) {
	const response = await page.window.fetch("/api/x",
		{ method: "POST" });
	await page.settle();
	return response;
}

describe("the notice", () => {
	test("stands out of the app's reach, and speaks", async () => {
		const page = openPage({ respond: () => denied() });
		assert.equal(textOf(page), null);
		await fetchDenied(page);
		const host = find(page);
		const { words, button } = partsOf(host);
		assert.equal(host.parent, page.root);
		assert.equal(host.shadow.mode, "closed");
		assert.match(host.style.cssText, /position: fixed !important/);
		for (const one of host.style.cssText.split(";").slice(0, -1))
			assert.match(one, / !important$/);
		assert.match(host.style.cssText, /color-scheme: light dark/);
		assert.equal(words.getAttribute("role"), "alert");
		assert.equal(words.textContent, TEXT);
		assert.equal(button.localName, "button");
		assert.equal(button.textContent, "Close");
		// The watcher of shadow trees has no business in it.
		assert.equal(page.observer.observed.length, 1);
	});

	test("text is text", async () => {
		const page = openPage({ respond: () => denied("<img src=x>") });
		await fetchDenied(page);
		assert.equal(textOf(page), `Refused: ${REASON}. <img src=x>`);
		assert.equal(partsOf(find(page)).words.children.length, 0);
	});

	test("it goes by itself, or when told to", async () => {
		const page = openPage({ respond: () => denied() });
		await fetchDenied(page);
		await page.clock.advance(9999);
		assert.equal(textOf(page), TEXT);
		await page.clock.advance(1);
		assert.equal(textOf(page), null);
		await fetchDenied(page);
		partsOf(find(page)).button.dispatchEvent(new Event("click"));
		assert.equal(textOf(page), null);
		await fetchDenied(page);
		assert.equal(textOf(page), TEXT);
	});

	test("who reads it has time", async () => {
		const page = openPage({ respond: () => denied() });
		await fetchDenied(page);
		for (const [hold, release] of [["pointerenter", "pointerleave"],
			["focusin", "focusout"]]) {
			find(page).dispatchEvent(new Event(hold));
			await page.clock.advance(60000);
			assert.equal(textOf(page), TEXT);
			find(page).dispatchEvent(new Event(release));
			await page.clock.advance(9999);
			assert.equal(textOf(page), TEXT);
		}
		await page.clock.advance(1);
		assert.equal(textOf(page), null);
	});

	test("the same once, another in its place", async () => {
		let advice = ADVICE;
		const page = openPage({ respond: () => denied(advice) });
		await fetchDenied(page);
		const host = find(page);
		await page.clock.advance(6000);
		await fetchDenied(page);
		assert.equal(find(page), host);
		await page.clock.advance(4000);
		assert.equal(textOf(page), null);
		await fetchDenied(page);
		await page.clock.advance(6000);
		advice = "Another.";
		await fetchDenied(page);
		assert.equal(textOf(page), `Refused: ${REASON}. Another.`);
		await page.clock.advance(9999);
		assert.equal(textOf(page), `Refused: ${REASON}. Another.`);
		await page.clock.advance(1);
		assert.equal(textOf(page), null);
	});

	test("an app that throws it away sees it again", async () => {
		const page = openPage({ respond: () => denied() });
		await fetchDenied(page);
		find(page).remove();
		await fetchDenied(page);
		assert.equal(textOf(page), TEXT);
	});

	test("it does not come back with its page", async () => {
		const page = openPage({ respond: () => denied() });
		await fetchDenied(page);
		page.window.dispatchEvent(new Event("pagehide"));
		assert.equal(textOf(page), null);
		await page.clock.advance(60000);
		page.window.dispatchEvent(new Event("pageshow"));
		assert.equal(textOf(page), null);
		await fetchDenied(page);
		assert.equal(textOf(page), TEXT);
	});

	test("where there are no shadow trees", async () => {
		const page = openPage({ respond: () => denied(), run: false });
		delete page.dom.Element.prototype.attachShadow;
		page.run();
		const response = await fetchDenied(page);
		const [box] = page.root.children.at(-1).children;
		assert.equal(box.children[0].textContent, TEXT);
		assert.equal(response.status, 403);
	});

	test("where there is no document any more", async () => {
		const page = openPage({ respond: () => denied() });
		page.window.document.documentElement = null;
		const response = await fetchDenied(page);
		assert.equal((await response.json()).error, REASON);
	});

	test("other origins do not speak here", async () => {
		const page = openPage({ respond: () => Object.defineProperty(
			denied(), "type", { value: "cors" }) });
		await fetchDenied(page);
		assert.equal(textOf(page), null);
	});

	test("the app may have made its own of everything", async () => {
		const page = openPage({ respond: () => denied() });
		// All pages of a test share that one.
		const { clone, json } = Response.prototype;
		page.inside(`document.createElement = () => { throw 1; };
			Element.prototype.attachShadow = null;
			Element.prototype.setAttribute = null;
			Node.prototype.appendChild = null;
			Response.prototype.clone = Response.prototype.json =
				() => { throw 1; };`);
		await fetchDenied(page);
		Object.assign(Response.prototype, { clone, json });
		assert.equal(textOf(page), TEXT);
	});
});

describe("answers", () => {
	test("fetch, which the app gets whole", async () => {
		const page = openPage({ respond: () => denied() });
		const response = await fetchDenied(page);
		assert.equal(response.status, 403);
		assert.equal(response.headers.get(FIELD), REASON);
		assert.deepEqual(await response.json(),
			{ error: REASON, advice: ADVICE });
	});

	test("what is ours, and what is not", async () => {
		const headers = { [FIELD]: REASON };
		await eachRow([
			[() => new Response("{}", { status: 403 }), null],
			[() => new Response("{}", { status: 429 }), null],
			[() => new Response("no JSON", { status: 403, headers }),
				`Refused: ${REASON}`],
			[() => new Response("null", { status: 403, headers }),
				`Refused: ${REASON}`],
			[() => new Response('{"advice":7}', { status: 403, headers }),
				`Refused: ${REASON}`],
			[() => denied("", 429), `Refused: ${REASON}`],
			[() => denied("x".repeat(5000)),
				`Refused: ${REASON}. ${"x".repeat(5000)}`
					.slice(0, 600)],
		], async ([respond, text]) => {
			const page = openPage({ respond });
			await fetchDenied(page);
			assert.equal(textOf(page), text);
		});
	});

	test("XMLHttpRequest", async () => {
		const own = `http://hub.test${BASE}/api/x`;
		const fields = { [FIELD]: REASON };
		const object = { error: REASON, advice: ADVICE };
		const json = JSON.stringify(object);
		await eachRow([
			[403, fields, json, own, "", TEXT],
			[403, fields, json, own, "text", TEXT],
			[429, fields, object, own, "json", TEXT],
			[403, fields, null, own, "json", `Refused: ${REASON}`],
			[403, fields, "x", own, "", `Refused: ${REASON}`],
			[403, fields, new ArrayBuffer(3), own, "arraybuffer",
				`Refused: ${REASON}`],
			[403, {}, json, own, "", null],
			[200, fields, json, own, "", null],
			[403, fields, json, "http://other.test/", "", null],
		], async ([status, given, response, url, responseType, text]) => {
			const page = openPage();
			const request = new page.window.XMLHttpRequest();
			request.open("PUT", "/api/x");
			request.responseType = responseType;
			request.send("body");
			assert.deepEqual(page.called("send"), [["body"]]);
			request.answer(status, given, response, url);
			assert.equal(textOf(page), text);
			if (url !== own)
				assert.deepEqual(
					page.called("getResponseHeader"), []);
		});
	});
});

describe("tunnels", () => {
	test("one that is refused, and why", async () => {
		await eachRow([
			["403 no", ADVICE, `Refused: no. ${ADVICE}`],
			["403 no valid handle", undefined, null],
			["429 too many", undefined, "Refused: too many"],
			["429 too many", ADVICE, `Refused: too many. ${ADVICE}`],
			["502 broken", undefined, null],
			["", undefined, null],
		], async ([reason, advice, text]) => {
			const page = openPage();
			const one = connect(page, "/shell");
			await one.asked();
			one.say({ t: "close", code: 1006, clean: false, reason,
				advice }, true);
			assert.equal(textOf(page), text);
		});
	});

	test("apps that try again are not told again", async () => {
		const page = openPage();
		const refuse = async () => {
			const one = connect(page, "/shell");
			await one.asked();
			one.say({ t: "close", code: 1006, clean: false,
				reason: "403 no", advice: ADVICE }, true);
		};
		await refuse();
		await page.clock.advance(10000);
		await refuse();
		assert.equal(textOf(page), null);
		await page.clock.advance(49999);
		await refuse();
		assert.equal(textOf(page), null);
		await page.clock.advance(1);
		await refuse();
		assert.equal(textOf(page), `Refused: no. ${ADVICE}`);
	});

	test("one that was open", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.say({ t: "close", code: 1008, clean: true, reason: REASON,
			advice: ADVICE }, true);
		assert.equal(textOf(page), TEXT);
		assert.deepEqual(one.events.at(-1), ["close", 1008, REASON, true]);
	});

	test("streams", async () => {
		const page = openPage();
		new page.window.EventSource("/events");
		await page.hub.pump();
		const opening = page.hub.last("stream.open");
		page.hub.reply(opening, { t: "end", error: "403 no",
			advice: ADVICE }, true);
		await page.settle();
		await page.hub.pump();
		assert.equal(textOf(page), `Refused: no. ${ADVICE}`);
	});

	test("a message that is held back", async () => {
		const page = openPage();
		const one = await accepted(page);
		one.socket.send("x");
		await page.hub.pump();
		one.say({ t: "denied", message: REASON, advice: ADVICE });
		assert.equal(textOf(page), TEXT);
		assert.deepEqual(one.events, [["open"]]);
		one.say({ t: "denied", message: REASON, advice: ADVICE,
			answer: '{"type":"end"}' });
		assert.deepEqual(one.events.at(-1),
			["message", '{"type":"end"}']);
		// Between the pieces of another message.
		one.text(0, "a", true);
		one.say({ t: "denied", message: REASON, advice: ADVICE,
			answer: "b" });
		one.text(1, "c");
		assert.deepEqual(one.events.slice(-2),
			[["message", "b"], ["message", "ac"]]);
		one.socket.close();
		one.say({ t: "denied", message: REASON, advice: ADVICE,
			answer: "late" });
		assert.equal(one.events.length, 4);
	});
});
