// Says what was refused, at the foot of the page and out of the app's reach:
// many an app would say nothing, or wait for ever.

const attachShadow = originals.get(Element.prototype.attachShadow);
const { appendChild } = globalThis.Node.prototype;
const { createElement } = document;
const { clone, json } = Response.prototype;

const NOTICE_TIME = 10_000;
const NOTICE_LENGTH = 600;

// The app's style may speak of any element, but not louder than this.
const HOST_STYLE = `all: initial; position: fixed; z-index: 2147483647;
	inset: auto 0 1rem 0; margin: 0 auto; width: fit-content;
	max-width: min(40rem, calc(100% - 2rem)); color-scheme: light dark;
	display: block; visibility: visible; opacity: 1;`
	.replaceAll(";", " !important;");
const BOX_STYLE = `display: flex; gap: 1rem; align-items: start;
	padding: .75rem 1rem; border: 2px solid; border-radius: .5rem;
	background: Canvas; color: CanvasText;
	font: 1rem/1.4 system-ui, sans-serif; overflow-wrap: anywhere;`;
const BUTTON_STYLE = `font: inherit; color: inherit; background: none;
	border: 1px solid; border-radius: .25rem; padding: 0 .5rem;
	cursor: pointer; flex: none;`;

let notice = null; // what is shown

function makeElement(name, style, properties = {}) {
	const element = apply(createElement, document, [name]);

	element.style.cssText = style;
	return Object.assign(element, properties);
}

function hideNotice() {
	clearTimeout(notice?.timer);
	notice?.host.remove();
	notice = null;
}

// Whoever reads it, or is about to close it, needs no haste.
function hurryNotice() {
	clearTimeout(notice?.timer);
	if (notice !== null)
		notice.timer = setTimeout(hideNotice, NOTICE_TIME);
}

function makeNotice(text) {
	const host = makeElement("div", HOST_STYLE);
	const root = attachShadow === undefined ? host :
		apply(attachShadow, host, [{ mode: "closed" }]);
	const box = makeElement("div", BOX_STYLE);
	const words = makeElement("div", "");
	const button = makeElement("button", BUTTON_STYLE, { type: "button",
		textContent: "Close" });

	apply(setAttribute, words, ["role", "alert"]);
	const on = (type, listener) =>
		apply(addEventListener, host, [type, listener]);
	apply(addEventListener, button, ["click", hideNotice]);
	for (const type of ["pointerenter", "focusin"])
		on(type, () => clearTimeout(notice?.timer));
	for (const type of ["pointerleave", "focusout"])
		on(type, hurryNotice);
	for (const [parent, child] of [[box, words], [box, button],
		[root, box], [document.documentElement, host]])
		apply(appendChild, parent, [child]);
	// What is put into an alert that is there is read out.
	words.textContent = text;
	return { host, text, timer: undefined };
}

function showNotice(reason, advice) {
	const text = [`Refused: ${reason}`, advice].filter((part) =>
		typeof part === "string" && part !== "").join(". ")
		.slice(0, NOTICE_LENGTH);

	if (notice?.text === text && notice.host.isConnected)
		return;
	hideNotice();
	try {
		notice = makeNotice(text);
		hurryNotice();
	} catch {
		// A document that is going away: what else there is goes on.
	}
}

// Nothing of it is in the page that comes back from the browser's cache.
globalThis.addEventListener("pagehide", hideNotice);

// A tunnel's end: a decision comes with what to do about it, unless that is
// to wait.  Apps open theirs again and again.
const END_PAUSE = 60_000;
const ends = new Map(); // when they were told, by their reasons

function noticeEnd(error, advice) {
	const [, status, reason] = /^(?:(403|429) )?(.*)$/s.exec(`${error}`);

	if (!advice && status !== "429" ||
		now() - (ends.get(reason) ?? -Infinity) < END_PAUSE)
		return;
	if (ends.size > 100)
		ends.clear();
	ends.set(reason, now());
	showNotice(reason, advice);
}

// Answers of proxyd itself carry the reason in a field.
const DENIED = "x-tether-denied";

watchAnswer = async (response) => {
	// Other origins say nothing here.
	const reason = response.type === "cors" ? null :
		response.headers.get(DENIED);
	let advice;

	if (reason === null)
		return;
	try {
		const copy = apply(clone, response, []);
		({ advice } = await apply(json, copy, []));
	} catch {
		// The reason is enough.
	}
	showNotice(reason, advice);
};

function adviceOf({ responseType, response }) {
	try {
		return (responseType === "json" ? response :
			parse(response))?.advice;
	} catch {
		return undefined;
	}
}

patchMethod(globalThis.XMLHttpRequest?.prototype, "send",
	(self, args, native) => {
		const look = () => {
			// Of other origins it must not even be asked.
			const reason = [403, 429].includes(self.status) &&
				isOwn(new URL(self.responseURL)) ?
				self.getResponseHeader(DENIED) : null;
			if (reason !== null)
				showNotice(reason, adviceOf(self));
		};

		apply(addEventListener, self, ["load", look, { once: true }]);
		return native(...args);
	});
