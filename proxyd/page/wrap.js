// Patches that do not show.  A Proxy keeps name, length, prototype and static
// members of what it stands for, and every realm prints it as native code.

const originals = new WeakMap();

function wrap(native, traps) {
	const wrapped = new Proxy(native, traps);
	originals.set(wrapped, native);
	return wrapped;
}

// body(self, args, native): native(...) calls the original with that self.
function wrapFunction(native, body) {
	return wrap(native, {
		apply: (target, self, args) =>
			body(self, args, (...a) => apply(target, self, a)),
	});
}

// What this browser does not have is left alone.
function patchMethod(owner, name, body) {
	const found = owner && getOwnPropertyDescriptor(owner, name);

	if (typeof found?.value === "function")
		defineProperty(owner, name,
			{ ...found, value: wrapFunction(found.value, body) });
}

// Members of the global object stand on itself or on one of its prototypes.
function globalOwner(name) {
	let owner = globalThis;

	while (owner && !getOwnPropertyDescriptor(owner, name))
		owner = Object.getPrototypeOf(owner);
	return owner;
}

// get(self, native) and set(self, value, native).
function patchAccessor(owner, name, { get, set }) {
	const found = owner && getOwnPropertyDescriptor(owner, name);

	if (!found)
		return;
	if (get && found.get)
		found.get = wrapFunction(found.get,
			(self, args, native) => get(self, native));
	if (set && found.set)
		found.set = wrapFunction(found.set,
			(self, [value], native) => set(self, value, native));
	defineProperty(owner, name, found);
}

// make(args, newTarget, native): native(...) constructs with that newTarget.
function patchConstructor(name, make) {
	const found = getOwnPropertyDescriptor(globalThis, name);

	if (typeof found?.value !== "function")
		return;
	const value = wrap(found.value, {
		construct: (target, args, newTarget) => make(args, newTarget,
			(...a) => construct(target, a, newTarget)),
	});
	defineProperty(globalThis, name, { ...found, value });
	const { prototype } = found.value;
	const back = getOwnPropertyDescriptor(prototype, "constructor");
	if (back?.value === found.value)
		defineProperty(prototype, "constructor", { ...back, value });
}

// The original is named as the wrapped one, and prints as native code.
patchMethod(Function.prototype, "toString", (self, args, native) => {
	const original = typeof self === "function" && originals.get(self);
	return original ? apply(functionText, original, []) : native();
});
const functionText = originals.get(Function.prototype.toString);
