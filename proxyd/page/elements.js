// URLs in elements, however they get there.

const { Element, MutationObserver } = globalThis;
const XLINK = "http://www.w3.org/1999/xlink";

// By local name: the attributes with URLs.
const carriers = {
	__proto__: null,
	a: { href: fix, ping: fixWords, "xlink:href": fix },
	area: { href: fix, ping: fixWords },
	audio: { src: fix },
	base: { href: fix },
	body: { background: fix },
	button: { formaction: fix },
	embed: { src: fix },
	feImage: { href: fix, "xlink:href": fix },
	form: { action: fix },
	iframe: { src: fix, longdesc: fix },
	image: { href: fix, "xlink:href": fix },
	img: { src: fix, srcset: fixCandidates, longdesc: fix },
	input: { src: fix, formaction: fix },
	link: { href: fix, imagesrcset: fixCandidates },
	object: { data: fix },
	script: { src: fix, href: fix, "xlink:href": fix },
	source: { src: fix, srcset: fixCandidates },
	track: { src: fix },
	use: { href: fix, "xlink:href": fix },
	video: { src: fix, poster: fix },
};
for (const attributes of Object.values(carriers))
	Object.setPrototypeOf(attributes, null);

// By interface: the same as properties.
const properties = [
	["HTMLAnchorElement", "href", fix],
	["HTMLAnchorElement", "ping", fixWords],
	["HTMLAreaElement", "href", fix],
	["HTMLAreaElement", "ping", fixWords],
	["HTMLBaseElement", "href", fix],
	["HTMLBodyElement", "background", fix],
	["HTMLButtonElement", "formAction", fix],
	["HTMLEmbedElement", "src", fix],
	["HTMLFormElement", "action", fix],
	["HTMLIFrameElement", "src", fix],
	["HTMLIFrameElement", "longDesc", fix],
	["HTMLImageElement", "src", fix],
	["HTMLImageElement", "srcset", fixCandidates],
	["HTMLImageElement", "longDesc", fix],
	["HTMLInputElement", "src", fix],
	["HTMLInputElement", "formAction", fix],
	["HTMLLinkElement", "href", fix],
	["HTMLLinkElement", "imageSrcset", fixCandidates],
	["HTMLMediaElement", "src", fix],
	["HTMLObjectElement", "data", fix],
	["HTMLScriptElement", "src", fix],
	["HTMLSourceElement", "src", fix],
	["HTMLSourceElement", "srcset", fixCandidates],
	["HTMLTrackElement", "src", fix],
	["HTMLVideoElement", "poster", fix],
];

for (const [owner, name, convert] of properties)
	patchAccessor(globalThis[owner]?.prototype, name, {
		set: (self, value, native) => native(convert(value)),
	});

// Fields of a form hide properties of the form with the same name, so these
// are taken from where they are defined.
const { getAttribute, setAttribute, setAttributeNS } = Element.prototype;
const { querySelectorAll } = Element.prototype;
const localName = getOwnPropertyDescriptor(Element.prototype, "localName").get;

// How an attribute of an element is to be fixed, if at all.
function converter(element, name) {
	try {
		return carriers[apply(localName, element, [])]?.[name];
	} catch {
		return undefined; // no element: the native method says so
	}
}

patchMethod(Element.prototype, "setAttribute", (self, args, native) => {
	const [name, value] = args;
	const convert = typeof name === "string" && args.length > 1 &&
		converter(self, name.toLowerCase());
	return convert ? native(name, convert(value)) : native(...args);
});

patchMethod(Element.prototype, "setAttributeNS", (self, args, native) => {
	const [space, name, value] = args;
	const local = `${name}`.replace(/^.*:/, "");
	const convert = args.length > 2 && converter(self,
		space === XLINK ? `xlink:${local}` : space ? "" : local);
	return convert ? native(space, name, convert(value)) : native(...args);
});

// SVG's href is an object, of a kind that className is of, too.
const { SVGAnimatedString } = globalThis;
const references = new WeakSet();

for (const owner of ["SVGAElement", "SVGFEImageElement", "SVGImageElement",
	"SVGScriptElement", "SVGUseElement"])
	patchAccessor(globalThis[owner]?.prototype, "href", {
		get(self, native) {
			const reference = native();
			references.add(reference);
			return reference;
		},
	});
patchAccessor(SVGAnimatedString?.prototype, "baseVal", {
	set: (self, value, native) =>
		native(references.has(self) ? fix(value) : value),
});

// What came as text, or by a way that is not covered above.
function mend(element) {
	const attributes = carriers[apply(localName, element, [])];

	for (const name in attributes) {
		const value = apply(getAttribute, element, [name]);
		if (value === null)
			continue;
		const fixed = attributes[name](value);
		if (fixed === value)
			continue;
		if (name === "xlink:href")
			apply(setAttributeNS, element, [XLINK, name, fixed]);
		else
			apply(setAttribute, element, [name, fixed]);
	}
}

const selector = Object.keys(carriers).join();

const observer = new MutationObserver((records) => {
	for (const { type, target, addedNodes } of records) {
		if (type === "attributes")
			mend(target);
		for (const node of addedNodes) {
			if (!(node instanceof Element))
				continue;
			mend(node);
			apply(querySelectorAll, node, [selector])
				.forEach(mend);
		}
	}
});
const { observe } = MutationObserver.prototype;

const watch = (root) => apply(observe, observer, [root, {
	subtree: true, childList: true,
	attributeFilter: [...new Set(Object.values(carriers)
		.flatMap((attributes) => Object.keys(attributes)))],
}]);
watch(document);

// Observers do not look into shadow trees by themselves.
patchMethod(Element.prototype, "attachShadow", (self, args, native) => {
	const root = native(...args);
	watch(root);
	return root;
});
