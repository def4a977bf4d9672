// The live list of instances.  All text goes through textContent: what
// instances say of themselves is not to be trusted.

"use strict";

const clients = new Map();
const byId = (id) => document.getElementById(id);

function element(name, text, className) {
	const e = document.createElement(name);
	e.textContent = text;
	if (className)
		e.className = className;
	return e;
}

function button(text, action) {
	const e = element("button", text);
	e.type = "button";
	e.addEventListener("click", async () => {
		e.disabled = true;
		await action();
		e.disabled = false;
	});
	return e;
}

async function post(path, body) {
	const answer = await fetch(path, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify(body ?? {}),
	}).catch(() => null);
	if (!answer?.ok)
		byId("link").textContent = "that did not work";
}

function details(title, lines) {
	const box = document.createElement("div");
	box.append(title, element("small", lines.filter(Boolean).join(" · ")));
	return box;
}

function clientItem(client) {
	const id = encodeURIComponent(client.id);
	const known = ["idle", "active", "busy"].includes(client.status);
	const item = document.createElement("li");
	const link = element("a", client.id);
	link.href = `/clients/${id}/proxy/`;
	item.append(
		element("span", client.status,
			`status ${known ? client.status : ""}`),
		details(link, [client.hostname, client.project,
			client.platform, client.version]),
		button("Disconnect", () => post(`/clients/${id}/disconnect`)));
	return item;
}

function pendingItem(pending) {
	const path = `/api/pending/${encodeURIComponent(pending.pending_id)}`;
	const item = document.createElement("li");
	const decide = (verb) => async () => {
		await post(`${path}/${verb}`);
		await showPending();
	};
	item.append(
		element("span", "pending", "status"),
		details(element("span", pending.hostname || "unnamed"),
			[pending.project, pending.platform,
				...pending.allowed_users,
				...pending.allowed_orgs,
				...pending.allowed_teams]),
		button("Claim", decide("claim")),
		button("Deny", decide("deny")));
	return item;
}

function showClients() {
	const sorted = [...clients.values()].sort((a, b) =>
		a.id < b.id ? -1 : 1);
	byId("instances").replaceChildren(...sorted.map(clientItem));
	byId("none").hidden = sorted.length > 0;
}

async function showPending() {
	const answer = await fetch("/api/pending").catch(() => null);
	const list = answer?.ok ? await answer.json() : [];
	byId("pending").replaceChildren(...list.map(pendingItem));
	byId("pending-section").hidden = list.length === 0;
}

const handlers = {
	client_list(message) {
		clients.clear();
		for (const client of message.clients)
			clients.set(client.id, client);
	},
	client_update(message) {
		clients.set(message.client.id, message.client);
	},
	client_disconnected(message) {
		clients.delete(message.client_id);
	},
};

function connect() {
	const scheme = location.protocol === "https:" ? "wss" : "ws";
	const socket = new WebSocket(
		`${scheme}://${location.host}/ws/connect?type=browser`);
	socket.addEventListener("open", () => {
		byId("link").textContent = "live";
		socket.send(JSON.stringify({ type: "get_clients" }));
	});
	socket.addEventListener("message", (event) => {
		const message = JSON.parse(event.data);
		handlers[message.type]?.(message);
		showClients();
	});
	socket.addEventListener("close", () => {
		byId("link").textContent = "connection lost, trying again";
		setTimeout(connect, 2000);
	});
}

connect();
showPending();
setInterval(showPending, 3000);
