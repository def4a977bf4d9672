// fix(), seen through an API that notes what it is given; the start.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { BASE, CONFIG, openPage, pageText, workerText } from
	"./lib/page.mjs";

// What Worker gets when the app says value.
function fixed(value, page) {
	new page.window.Worker(value);
	return page.called("Worker").at(-1)[0];
}

describe("fix", () => {
	const rows = [
		// what, what becomes of it; nothing if the same
		["/", `${BASE}/`],
		["/api/x?y=1#z", `${BASE}/api/x?y=1#z`],
		["/api?", `${BASE}/api?`],
		["/api#", `${BASE}/api#`],
		["/a b", `${BASE}/a%20b`],
		["  /a", `${BASE}/a`],
		["/a%2fb", `${BASE}/a%2fb`],
		["/a/../../b", `${BASE}/b`],
		["/clients", `${BASE}/clients`],
		["/clients/box", `${BASE}/clients/box`],
		["/clients/box/proxyx", `${BASE}/clients/box/proxyx`],
		["/clients/box/proxy%2Fx", `${BASE}/clients/box/proxy%2Fx`],
		["/clients/box/proxy/../x", `${BASE}/clients/box/x`],
		["../../../up", `${BASE}/up`],
		["//hub.test/x", `http://hub.test${BASE}/x`],
		["http://hub.test/x?y", `http://hub.test${BASE}/x?y`],
		["http://hub.test:80/x", `http://hub.test${BASE}/x`],
		["HTTP://HUB.test", `http://hub.test${BASE}/`],
		["http://u:p@hub.test/x", `http://u:p@hub.test${BASE}/x`],
		["ws://hub.test/ws", `ws://hub.test${BASE}/ws`],
		["\\x", `${BASE}/x`],
		[BASE, `${BASE}/`],
		[`${BASE}?x`, `${BASE}/?x`],
		[`${BASE}#x`, `${BASE}/#x`],
		[`http://hub.test${BASE}`, `http://hub.test${BASE}/`],
		[`${BASE}/`], [`${BASE}/x`], [`http://hub.test${BASE}/x`],
		["x"], ["./x"], ["x/../y"], ["?q"], ["#f"], [""], ["  "],
		["https://hub.test/x"], ["wss://hub.test/x"],
		["http://hub.test:81/x"], ["http://other.test/x"],
		["//other.test/x"], ["data:text/plain,/x"],
		["blob:http://hub.test/1"], ["javascript:a('/x')"],
		["mailto:/x"], ["about:blank"], ["http://["], ["http://"],
		["//"], [undefined], [null], [7], [{}],
		[new URL(`http://hub.test${BASE}/x`)],
		[new URL("http://other.test/x")],
		[new URL("http://hub.test/x"), `http://hub.test${BASE}/x`],
		[{ toString: () => "/x" }, `${BASE}/x`],
		[Symbol("s")],
		[{ toString() {
			throw new Error("no");
		} }],
	];

	test("each kind of URL", () => {
		const page = openPage();
		return eachRow(rows, (row) => assert.equal(fixed(row[0], page),
			row.at(-1)));
	});

	test("the document's base counts", () => {
		const page = openPage();
		page.document.baseURI = `http://hub.test${BASE}/a/b/`;
		assert.equal(fixed("../c", page), "../c");
		assert.equal(fixed("../..", page), "../..");
		// As at the root, which has nothing above it.
		for (const above of ["../../../c", " ../../../../../c"])
			assert.equal(fixed(above, page), `${BASE}/c`);
		page.document.baseURI = "http://hub.test/elsewhere/";
		assert.equal(fixed("c", page), `${BASE}/elsewhere/c`);
		assert.equal(fixed(undefined, page), undefined);
		page.document.baseURI = "http://cdn.test/";
		assert.equal(fixed("/c", page), "/c");
	});

	test("over TLS, and on another port", () => {
		const tls = openPage({ href: `https://hub.test${BASE}/` });
		assert.equal(fixed("wss://hub.test/x", tls),
			`wss://hub.test${BASE}/x`);
		assert.equal(fixed("ws://hub.test/x", tls),
			"ws://hub.test/x");
		const other = openPage({ href: `http://hub.test:81${BASE}/` });
		assert.equal(fixed("http://hub.test:81/x", other),
			`http://hub.test:81${BASE}/x`);
		assert.equal(fixed("http://hub.test/x", other),
			"http://hub.test/x");
	});

	test("a base with odd characters", () => {
		const page = openPage({ config: { ...CONFIG, base: "/c/é:b" } });
		assert.equal(fixed("/x", page), "/c/%C3%A9:b/x");
		assert.equal(page.window.__ROUTER_BASENAME__, "/c/%C3%A9:b");
	});
});

describe("the start", () => {
	const globals = ["__ORCHESTRATOR_PROXY_BASE__", "__ROUTER_BASENAME__"];

	test("two globals and nothing else, no trace in the document", () => {
		const before = openPage({ run: false });
		const names = before.inside(
			"Object.getOwnPropertyNames(globalThis)");
		before.run();
		const more = before.inside("Object.getOwnPropertyNames(globalThis)")
			.filter((name) => !names.includes(name));
		assert.deepEqual([...more], globals);
		for (const name of globals)
			assert.equal(before.window[name], BASE);
		assert.equal(before.root.children.length, 0);
	});

	test("as a file of its own", () => {
		const page = openPage({ external: true });
		assert.equal(page.root.children.length, 0);
		assert.equal(fixed("/x", page), `${BASE}/x`);
	});

	test("runs once", () => {
		const page = openPage();
		const { fetch } = page.window;
		page.run();
		page.root.append(page.islandElement);
		page.run();
		assert.equal(page.root.children.length, 0);
		assert.equal(page.window.fetch, fetch);
		assert.equal(fixed("/x", page), `${BASE}/x`);
	});

	test("a base that the orchestrator set is replaced", () => {
		const page = openPage({ globals: { [globals[0]]: "/other" } });
		assert.equal(page.window[globals[0]], BASE);
		assert.equal(fixed("/x", page), `${BASE}/x`);
	});

	test("without a configuration nothing happens", () =>
		eachRow([null, "", "{", "null", "{}", '{"base":""}',
			'{"base":"/"}', '{"base":"//x"}', '{"base":7}'],
		(island) => {
			const page = openPage({ island });
			assert.equal(fixed("/x", page), "/x");
			assert.ok(!(globals[0] in page.window));
		}));

	test("what a browser lacks is no error", () =>
		eachRow(["caches", "Cache", "CacheStorage", "SharedWorker",
			"ServiceWorkerContainer", "ServiceWorkerRegistration",
			"SVGUseElement", "SVGAnimatedString", "Audio",
			"HTMLVideoElement", "EventSource"],
		(name) => {
			const page = openPage({ globals: { [name]: undefined } });
			assert.equal(fixed("/x", page), `${BASE}/x`);
			assert.equal(page.window.__ROUTER_BASENAME__, BASE);
		}));

	test("fits into a script element", () => {
		for (const text of [pageText, workerText])
			assert.doesNotMatch(text,
				/<\/script|<!--|\beval\b|[^\t\n -~]/i);
	});
});
