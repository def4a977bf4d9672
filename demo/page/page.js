// All URLs are relative: the page does not care under which path it lives.
const show = (id, text) => {
	document.getElementById(id).textContent = text;
};

async function whoami() {
	const start = performance.now();
	const response = await fetch("api/whoami");
	const trip = performance.now() - start;
	const answer = await response.json();

	show("user", response.ok
		? `${answer.username} (user ${answer.userId} of this app)`
		: `nobody: ${answer.error}`);
	show("trip", `${trip.toFixed(1)} ms`);
}

async function echo(event) {
	event.preventDefault();
	const response = await fetch("api/echo", {
		method: "POST",
		headers: { "Content-Type": "text/plain" },
		body: document.getElementById("text").value,
	});
	show("answer", JSON.stringify(await response.json(), null, 2));
}

document.getElementById("echo").addEventListener("submit", (event) => {
	echo(event).catch((error) => show("answer", String(error)));
});
whoami().catch((error) => show("user", String(error)));
