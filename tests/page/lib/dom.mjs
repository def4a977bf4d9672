// As much of a document as the script touches: elements have attributes and
// children, properties reflect attributes.

const REFLECTED = {
	HTMLAnchorElement: ["a", "href", "ping", "target"],
	HTMLAreaElement: ["area", "href", "ping"],
	HTMLBaseElement: ["base", "href"],
	HTMLBodyElement: ["body", "background"],
	HTMLButtonElement: ["button", "formAction"],
	HTMLDivElement: ["div", "id"],
	HTMLEmbedElement: ["embed", "src"],
	HTMLFormElement: ["form", "action"],
	HTMLIFrameElement: ["iframe", "src", "longDesc"],
	HTMLImageElement: ["img", "src", "srcset", "longDesc", "alt"],
	HTMLInputElement: ["input", "src", "formAction"],
	HTMLLinkElement: ["link", "href", "imageSrcset"],
	HTMLObjectElement: ["object", "data"],
	HTMLScriptElement: ["script", "src"],
	HTMLSourceElement: ["source", "src", "srcset"],
	HTMLTrackElement: ["track", "src"],
};

const SVG = {
	SVGAElement: "a", SVGFEImageElement: "feImage",
	SVGImageElement: "image", SVGScriptElement: "script",
	SVGUseElement: "use",
};

function reflect(owner, names) {
	for (const name of names)
		Object.defineProperty(owner.prototype, name, {
			get() {
				return this.getAttribute(name.toLowerCase()) ??
					"";
			},
			set(value) {
				this.attributes.set(name.toLowerCase(),
					`${value}`);
			},
			enumerable: true, configurable: true,
		});
}

export function makeDom() {
	class Node extends EventTarget {
		children = [];
		parent = null;
		isRoot = false;

		get isConnected() {
			return this.isRoot || Boolean(this.parent?.isConnected);
		}

		appendChild(child) {
			child.parent = this;
			this.children.push(child);
			return child;
		}
	}

	class Element extends Node {
		#localName;
		attributes = new Map();
		style = { cssText: "" };
		shadow = null; // whatever its mode
		textContent = "";

		constructor(localName = "") {
			super();
			this.#localName = localName;
		}

		get localName() {
			return this.#localName;
		}

		getAttribute(name) {
			return this.attributes.get(name) ?? null;
		}

		setAttribute(name, value) {
			if (arguments.length < 2)
				throw new TypeError("2 arguments required");
			this.#localName;
			this.attributes.set(`${name}`.toLowerCase(),
				`${value}`);
		}

		setAttributeNS(space, name, value) {
			this.#localName;
			this.attributes.set(`${name}`, `${value}`);
		}

		append(...children) {
			for (const child of children)
				this.appendChild(child);
		}

		remove() {
			const all = this.parent?.children;
			all?.splice(all.indexOf(this), 1);
			this.parent = null;
		}

		querySelectorAll(selector) {
			const names = selector.split(",");
			return this.children.flatMap((child) => [
				...names.includes(child.localName) ?
					[child] : [],
				...child.querySelectorAll(selector)]);
		}

		attachShadow({ mode } = {}) {
			this.shadow = Object.assign(new Node(),
				{ isShadowRoot: true, mode, parent: this });
			return this.shadow;
		}
	}

	class SVGAnimatedString {
		#text = "";

		get baseVal() {
			return this.#text;
		}

		set baseVal(value) {
			this.#text = `${value}`;
		}
	}

	const dom = { Node, Element, SVGAnimatedString };
	for (const [name, [local, ...names]] of Object.entries(REFLECTED)) {
		dom[name] = class extends Element {
			constructor() {
				super(local);
			}
		};
		reflect(dom[name], names);
	}
	dom.HTMLMediaElement = class extends Element {};
	reflect(dom.HTMLMediaElement, ["src"]);
	dom.HTMLAudioElement = class extends dom.HTMLMediaElement {
		constructor() {
			super("audio");
		}
	};
	dom.HTMLVideoElement = class extends dom.HTMLMediaElement {
		constructor() {
			super("video");
		}
	};
	reflect(dom.HTMLVideoElement, ["poster"]);
	for (const [name, local] of Object.entries(SVG)) {
		const states = new WeakMap();
		dom[name] = class extends Element {
			constructor() {
				super(local);
				states.set(this, [new SVGAnimatedString(),
					new SVGAnimatedString()]);
			}

			get href() {
				return states.get(this)[0];
			}

			get className() {
				return states.get(this)[1];
			}
		};
	}
	return dom;
}

// deliver(...records) is what the browser would do later.
export function makeObserver() {
	const observed = [];
	let deliver;

	class MutationObserver {
		constructor(callback) {
			deliver = (...records) => callback(records.map(
				(record) => ({ addedNodes: [], ...record })));
		}

		observe(root, options) {
			observed.push({ root, options });
		}
	}
	return { MutationObserver, observed,
		deliver: (...records) => deliver(...records) };
}
