// A page that goes says so: its tunnels would stay open on the other side.
// One that comes back from the browser's cache finds its sockets closed, as
// with native ones.

let left = [];

globalThis.addEventListener("pagehide", () => {
	for (const one of living)
		one.leave();
	left = [...left, ...dropSocket()];
});

globalThis.addEventListener("pageshow", () => {
	const answers = left;

	left = [];
	for (const answer of answers)
		answer(LOST, true);
});
