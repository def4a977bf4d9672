// URLs in elements: properties, attributes, markup.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { eachRow } from "../integration/lib/table.mjs";
import { BASE, openPage } from "./lib/page.mjs";

const XLINK = "http://www.w3.org/1999/xlink";

// Interface, and its properties with URLs; "" where there is only an attribute.
const carriers = [
	["HTMLAnchorElement", "href"], ["HTMLAnchorElement", "ping"],
	["HTMLAreaElement", "href"], ["HTMLAreaElement", "ping"],
	["HTMLAudioElement", "src"], ["HTMLBaseElement", "href"],
	["HTMLBodyElement", "background"], ["HTMLButtonElement", "formAction"],
	["HTMLEmbedElement", "src"], ["HTMLFormElement", "action"],
	["HTMLIFrameElement", "src"], ["HTMLIFrameElement", "longDesc"],
	["HTMLImageElement", "src"], ["HTMLImageElement", "srcset"],
	["HTMLImageElement", "longDesc"], ["HTMLInputElement", "src"],
	["HTMLInputElement", "formAction"], ["HTMLLinkElement", "href"],
	["HTMLLinkElement", "imageSrcset"], ["HTMLObjectElement", "data"],
	["HTMLScriptElement", "src"], ["HTMLSourceElement", "src"],
	["HTMLSourceElement", "srcset"], ["HTMLTrackElement", "src"],
	["HTMLVideoElement", "src"], ["HTMLVideoElement", "poster"],
];
const svg = ["SVGAElement", "SVGFEImageElement", "SVGImageElement",
	"SVGScriptElement", "SVGUseElement"];

describe("elements", () => {
	test("properties", () => {
		const page = openPage();
		return eachRow(carriers, ([name, property]) => {
			const element = new page.window[name]();
			const attribute = property.toLowerCase();
			element[property] = "/x";
			assert.equal(element.getAttribute(attribute),
				`${BASE}/x`);
			element[property] = "http://o.test/x";
			assert.equal(element[property], "http://o.test/x");
		});
	});

	test("attributes", () => {
		const page = openPage();
		return eachRow(carriers, ([name, property]) => {
			const element = new page.window[name]();
			const attribute = property.toLowerCase();
			element.setAttribute(property.toUpperCase(), "/x");
			assert.equal(element.getAttribute(attribute),
				`${BASE}/x`);
			element.setAttributeNS(null, attribute, "/y");
			assert.equal(element.getAttribute(attribute),
				`${BASE}/y`);
			element.setAttributeNS("", attribute, "/z");
			assert.equal(element.getAttribute(attribute),
				`${BASE}/z`);
		});
	});

	test("SVG", () => {
		const page = openPage();
		return eachRow(svg, (name) => {
			const element = new page.window[name]();
			element.setAttribute("href", "/x#y");
			assert.equal(element.getAttribute("href"),
				`${BASE}/x#y`);
			for (const attribute of ["xlink:href", "href",
				"x:href"]) {
				element.setAttributeNS(XLINK, attribute, "/x");
				assert.equal(element.getAttribute(attribute),
					`${BASE}/x`);
			}
			element.href.baseVal = "/x#y";
			assert.equal(element.href.baseVal, `${BASE}/x#y`);
			element.className.baseVal = "/x";
			assert.equal(element.className.baseVal, "/x");
		});
	});

	test("other attributes and other elements", () => {
		const page = openPage();
		return eachRow([["HTMLAnchorElement", "target"],
			["HTMLDivElement", "href"], ["HTMLDivElement", "src"],
			["HTMLImageElement", "href"],
			["HTMLImageElement", "alt"],
			["HTMLFormElement", "constructor"],
			["HTMLScriptElement", "toString"],
		], ([name, attribute]) => {
			const element = new page.window[name]();
			element.setAttribute(attribute, "/x");
			assert.equal(element.getAttribute(
				attribute.toLowerCase()), "/x");
			element.setAttributeNS("urn:x", attribute, "/x");
			assert.equal(element.getAttribute(attribute), "/x");
		});
	});

	test("a foreign namespace", () => {
		const page = openPage();
		const element = new page.window.HTMLAnchorElement();
		element.setAttributeNS("urn:x", "x:href", "/x");
		assert.equal(element.getAttribute("x:href"), "/x");
	});

	test("image candidates", () => {
		const page = openPage();
		const B = BASE;
		return eachRow([
			["/a", `${B}/a`], ["/a 1x", `${B}/a 1x`],
			["/a 1x, /b 2x", `${B}/a 1x, ${B}/b 2x`],
			["/a, /b", `${B}/a, ${B}/b`],
			["/a,b 1x,/c 2x", `${B}/a,b 1x,${B}/c 2x`],
			[" ,\n/a  100w ,\t/b ", ` ,\n${B}/a  100w ,\t${B}/b `],
			["/a (1,2) 2x, /b", `${B}/a (1,2) 2x, ${B}/b`],
			["data:x/y,/z 1x, /a", `data:x/y,/z 1x, ${B}/a`],
			["a.png 1x, //o.test/b 2x", "a.png 1x, //o.test/b 2x"],
			["", ""], [",", ","], ["/a,,", `${B}/a,,`],
		], ([value, fixed]) => {
			const image = new page.window.HTMLImageElement();
			image.srcset = value;
			assert.equal(image.srcset, fixed);
		});
	});

	test("pings are a list", () => {
		const page = openPage();
		const link = new page.window.HTMLAnchorElement();
		link.ping = "/a  x\t/b";
		assert.equal(link.ping, `${BASE}/a  x\t${BASE}/b`);
	});

	test("errors are the native ones", () => {
		const page = openPage();
		const { setAttribute, setAttributeNS } =
			page.window.Element.prototype;
		const link = new page.window.HTMLAnchorElement();
		assert.throws(() => link.setAttribute("href"),
			{ message: "2 arguments required" });
		assert.throws(() => setAttribute.call({}, "href", "/x"),
			{ name: "TypeError" });
		assert.throws(() => setAttributeNS.call({}, null, "href", "/x"),
			{ name: "TypeError" });
		assert.throws(() => {
			link.href = Symbol("x");
		}, { name: "TypeError" });
	});

	test("fields of a form do not get in the way", () => {
		const page = openPage();
		const form = new page.window.HTMLFormElement();
		for (const name of ["localName", "getAttribute"])
			Object.defineProperty(form, name,
				{ value: "field", configurable: true });
		form.setAttribute("action", "/x");
		assert.equal(form.attributes.get("action"), `${BASE}/x`);
		form.attributes.set("action", "/y");
		page.observer.deliver({ type: "childList",
			addedNodes: [form] });
		assert.equal(form.attributes.get("action"), `${BASE}/y`);
	});
});

describe("markup", () => {
	test("what is put in is mended, with all below it", () => {
		const { window, observer, document } = openPage();
		const outer = new window.HTMLDivElement();
		const link = new window.HTMLAnchorElement();
		const use = new window.SVGUseElement();
		const image = new window.HTMLImageElement();
		outer.append(link);
		link.append(use);
		link.attributes.set("href", "/x").set("title", "/t");
		use.attributes.set("xlink:href", "/s#y");
		image.attributes.set("srcset", "/a 2x").set("src", "o.png");
		observer.deliver({ type: "childList",
			addedNodes: [outer, { nodeType: 3 }, image] });
		assert.equal(link.getAttribute("href"), `${BASE}/x`);
		assert.equal(link.getAttribute("title"), "/t");
		assert.equal(use.getAttribute("xlink:href"), `${BASE}/s#y`);
		assert.equal(image.getAttribute("srcset"), `${BASE}/a 2x`);
		assert.equal(image.getAttribute("src"), "o.png");
		const [{ root, options }] = observer.observed;
		assert.equal(root, document);
		assert.ok(options.subtree && options.childList);
	});

	test("attributes that change on ways of their own", () => {
		const { window, observer } = openPage();
		const link = new window.HTMLAnchorElement();
		link.attributes.set("href", "/x");
		observer.deliver({ type: "attributes", target: link });
		assert.equal(link.getAttribute("href"), `${BASE}/x`);
		const { attributeFilter } = observer.observed[0].options;
		for (const [, property] of carriers)
			assert.ok(attributeFilter.includes(
				property.toLowerCase()));
	});

	test("shadow trees are watched, too", () => {
		const { window, observer } = openPage();
		const root = new window.HTMLDivElement()
			.attachShadow({ mode: "open" });
		assert.ok(root.isShadowRoot);
		assert.equal(observer.observed[1].root, root);
	});
});
