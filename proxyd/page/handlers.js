// onmessage and its like for the objects that we make (HTML standard, "Event
// handlers"): a handler keeps its place among the listeners while it is set.

function patchHandlers(owner, states, types) {
	for (const type of types)
		patchAccessor(owner, `on${type}`, {
			get: (self, native) => states.has(self) ?
				states.get(self).handlers[type]?.value ?? null :
				native(),
			set: (self, value, native) => states.has(self) ?
				setHandler(self, states.get(self).handlers,
					type, value) :
				native(value),
		});
}

function setHandler(target, handlers, type, value) {
	const isCallback = typeof value === "function" ||
		typeof value === "object" && value !== null;
	let handler = handlers[type];

	if (!isCallback) {
		if (handler)
			apply(removeEventListener, target,
				[type, handler.listener]);
		delete handlers[type];
	} else if (handler) {
		handler.value = value;
	} else {
		handler = handlers[type] = { value, listener(event) {
			if (typeof handler.value === "function" &&
				apply(handler.value, target, [event]) === false)
				event.preventDefault();
		} };
		apply(addEventListener, target, [type, handler.listener]);
	}
}

const fire = (target, event) => apply(dispatchEvent, target, [event]);
