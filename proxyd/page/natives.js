// The app may replace any of these later: what is used here is the first one.

const {
	ArrayBuffer, Array, Blob, DOMException, Event, EventTarget, Function,
	JSON, Map, Math, MessageEvent, Number, Object, Promise, Proxy, Reflect,
	Request, Response, Set, String, Symbol, TextDecoder, TextEncoder,
	TypeError, URL, Uint8Array, WeakMap, WeakSet,
} = globalThis;
const { apply, construct } = Reflect;
const { defineProperty, getOwnPropertyDescriptor } = Object;
const { parse, stringify } = JSON;
