// Like the real app, this one believes to live at the root of its origin, and
// signs in to its WebSocket by a token that it finds in localStorage.
const show = (id, text) => {
	document.getElementById(id).textContent = text;
};

async function whoami() {
	const start = performance.now();
	const response = await fetch("/api/whoami");
	const trip = performance.now() - start;
	const answer = await response.json();

	show("user", response.ok
		? `${answer.username} (user ${answer.userId} of this app)`
		: `nobody: ${answer.error}`);
	show("trip", `${trip.toFixed(1)} ms`);
}

function connect() {
	const token = localStorage.getItem("auth-token") ?? "";
	const url = new URL(`/ws?token=${token}`, location.origin);

	url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
	return new WebSocket(url);
}

let socket;

function echo(event) {
	const text = document.getElementById("text").value;

	event.preventDefault();
	if (socket?.readyState === WebSocket.OPEN)
		return socket.send(text);
	socket = connect();
	socket.onopen = () => socket.send(text);
	socket.onmessage = ({ data }) => show("answer", data);
	socket.onclose = ({ code }) => show("answer", `closed: ${code}`);
}

document.getElementById("echo").addEventListener("submit", echo);
whoami().catch((error) => show("user", String(error)));
