// A GitHub API of a test's own: people, organisations and teams, and any way
// in which it may fail to answer.

import { createServer as createPlain } from "node:http";
import { createServer as createSecure } from "node:https";

import { createAuthority } from "./certificates.mjs";
import { Queue } from "./time.mjs";

const DOCS = "https://docs.github.com/rest";

/*
 * options:
 *	tls		false: plain HTTP, else HTTPS for localhost; an object
 *			is added to the options of node:https
 *	certificate	name of certificates.mjs, "good" if absent
 *	people		by login: { id, token, scopes, … }; scopes, if there,
 *			as of a classic token, else it may all; more members
 *			are added to what is said of the person
 *	orgs		by login: { id, members, teams }; members by login:
 *			"active", "pending" or { state, role }; teams by slug,
 *			each with members
 *
 * It has url and caFile (undefined without TLS) for settings, env with both;
 * people and orgs, which a test may change at any time; and
 *	requests	all that came: { method, path (with its query), headers,
 *			at (ms), connection (a number from 1 on) }
 *	arrivals	the same as a Queue
 *	connections	how many there were
 *	servernames	of TLS, by connection
 */
export async function startGithub(stage, options = {}) {
	const github = new Github(options);
	await github.start(stage);
	return github;
}

class Github {
	constructor({ people = {}, orgs = {}, tls = true, certificate }) {
		this.people = people;
		this.orgs = orgs;
		this.tls = tls;
		this.certificate = certificate ?? "good";
		this.requests = [];
		this.arrivals = new Queue("requests to GitHub");
		this.connections = 0;
		this.servernames = [];
		this.faults = [];
		this.sockets = new Set();
	}

	async start(stage) {
		if (this.tls) {
			const authority =
				await createAuthority(await stage.directory());
			this.caFile = authority.caFile;
			this.server = createSecure({
				...await authority.issue(this.certificate),
				...this.tls,
			});
			this.server.on("secureConnection", (socket) =>
				this.servernames.push(socket.servername));
		} else {
			this.server = createPlain();
		}
		this.server.keepAliveTimeout = 60000;
		this.server.on("connection", (socket) => {
			socket.number = ++this.connections;
			this.sockets.add(socket);
			socket.on("error", () => {});
			socket.on("close", () => this.sockets.delete(socket));
		});
		this.server.on("tlsClientError", () => {});
		this.server.on("request", (req, res) => this.take(req, res));
		await this.listen();
		stage.atEnd(() => this.close());
	}

	// Also after close(): the same port again.
	async listen() {
		await new Promise((resolve, reject) => {
			this.server.once("error", reject);
			this.server.listen(this.port ?? 0, "127.0.0.1", resolve);
		});
		this.port = this.server.address().port;
		this.url = this.tls ? `https://localhost:${this.port}` :
			`http://127.0.0.1:${this.port}`;
		this.env = { GITHUB_API_URL: this.url };
		if (this.caFile)
			this.env.SSL_CERT_FILE = this.caFile;
	}

	async close() {
		if (!this.server.listening)
			return;
		const closed = new Promise((resolve) =>
			this.server.close(resolve));
		this.dropConnections();
		await closed;
	}

	dropConnections() {
		for (const socket of this.sockets)
			socket.destroy();
	}

	/*
	 * Answer requests for a path (a string without query, or a pattern for
	 * path and query) in a way of their own.  fault:
	 *	times		for so many requests, then no more
	 *	delay		ms before anything of the answer
	 *	hang		true: no answer; "head": the head alone;
	 *			"body": half of the body
	 *	drop		true: close the connection in place of an
	 *			answer; "body": in the middle of the body
	 *	drip		ms between two bytes of the body
	 *	status, headers	of the answer
	 *	body		bytes or text, or anything else as JSON
	 *	redirect	where to: a 302
	 *	huge		so many bytes of JSON
	 *	raw		bytes in place of the whole answer, then the end
	 *	limit		{ status, after, reset }: a rate limit
	 *	answer		(req, asker) => { status, headers, body }
	 * What is not named is as it would be without it.  The latest that fits
	 * counts.  Returns a function that ends it.
	 */
	fault(path, fault) {
		const entry = { path, ...fault };
		this.faults.unshift(entry);
		return () => {
			this.faults = this.faults.filter((f) => f !== entry);
		};
	}

	// Requests for a path, as fault() names them.
	asked(path) {
		return this.requests.filter((r) => fits(path, r.path));
	}

	take(req, res) {
		const entry = {
			method: req.method,
			path: req.url,
			headers: req.headers,
			at: Date.now(),
			connection: numberOf(req.socket),
		};
		const fault = this.faults.find((f) => fits(f.path, req.url)) ?? {};
		if (fault.times !== undefined && --fault.times === 0)
			this.faults = this.faults.filter((f) => f !== fault);
		this.requests.push(entry);
		this.arrivals.push(entry);
		res.on("error", () => {});
		if (fault.drop === true)
			return req.socket.destroy();
		if (fault.hang === true)
			return undefined;
		const answer = { ...this.answer(req), ...spoil(fault) };
		if (fault.answer)
			Object.assign(answer, fault.answer(req, this.asker(req)));
		const send = () => respond(res, answer, fault);
		return fault.delay ? setTimeout(send, fault.delay) : send();
	}

	// { login, id, … } of whose token came along.
	asker(req) {
		const token = /^(?:Bearer|token) (.+)$/i
			.exec(req.headers.authorization ?? "")?.[1];
		const found = Object.entries(this.people)
			.find(([, person]) => token && person.token === token);
		return found && { login: found[0], ...found[1] };
	}

	answer(req) {
		const { pathname, searchParams } = new URL(req.url, this.url);
		const asker = this.asker(req);
		const parts = pathname.split("/").slice(1).map(decodeURIComponent);

		if (!req.headers["user-agent"])
			return failure(403, "Request forbidden by administrative " +
				"rules. Please make sure your request has a " +
				"User-Agent header");
		if (req.headers.authorization && !asker)
			return failure(401, "Bad credentials");
		for (const [pattern, handler] of ROUTES) {
			const names = match(pattern, parts);
			if (names && req.method === "GET")
				return handler.call(this, asker, names, searchParams);
		}
		return failure(404, "Not Found");
	}

	user(asker) {
		if (!asker)
			return failure(401, "Requires authentication");
		return success({
			...this.person(asker.login),
			two_factor_authentication: true,
		}, asker);
	}

	userNamed(asker, { login }) {
		const person = this.person(login);
		return person ? success(person, asker) : failure(404, "Not Found");
	}

	ownMembership(asker, { org }) {
		if (!asker)
			return failure(401, "Requires authentication");
		if (!mayReadOrgs(asker))
			return failure(403, "You must have the read:org scope or " +
				"the user scope to see this membership.");
		return this.membership(asker, { org, login: asker.login });
	}

	orgMembership(asker, { org, login }) {
		if (!asker)
			return failure(401, "Requires authentication");
		if (!mayReadOrgs(asker) || !this.isMember(org, asker.login))
			return failure(403, "You must be a member of " +
				`${org} to see membership information for ${login}.`);
		return this.membership(asker, { org, login });
	}

	membership(asker, { org, login }) {
		const [name, entry] = find(this.orgs, org) ?? [];
		const member = standing(entry?.members, login);

		if (!member)
			return failure(404, "Not Found");
		return success({
			url: `${this.url}/orgs/${name}/memberships/${login}`,
			state: member.state,
			role: member.role ?? "member",
			organization_url: `${this.url}/orgs/${name}`,
			organization: this.organization(name),
			user: this.person(login) ?? null,
		}, asker);
	}

	teamMembership(asker, { org, slug, login }) {
		const [name, entry] = find(this.orgs, org) ?? [];
		const [team, found] = find(entry?.teams ?? {}, slug) ?? [];
		const member = standing(found?.members, login);

		if (!asker)
			return failure(401, "Requires authentication");
		if (!member || !mayReadOrgs(asker) ||
		    !this.isMember(org, asker.login))
			return failure(404, "Not Found");
		return success({
			url: `${this.url}/organizations/${entry.id ?? 1}/team/1` +
				`/memberships/${login}`,
			role: member.role ?? "member",
			state: member.state,
			team_url: `${this.url}/orgs/${name}/teams/${team}`,
		}, asker);
	}

	ownOrgs(asker, names, query) {
		const number = (name, otherwise) => Math.max(1,
			Number.parseInt(query.get(name), 10) || otherwise);
		const size = Math.min(100, number("per_page", 30));
		const page = number("page", 1);

		if (!asker)
			return failure(401, "Requires authentication");
		if (!mayReadOrgs(asker))
			return failure(403, "You need at least read:org scope or " +
				"user scope to list your organizations.");
		const all = Object.keys(this.orgs)
			.filter((org) => this.isMember(org, asker.login));
		const last = Math.max(1, Math.ceil(all.length / size));
		const link = (rel, at) => `<${this.url}/user/orgs` +
			`?per_page=${size}&page=${at}>; rel="${rel}"`;
		const links = [
			...page > 1 ? [link("prev", page - 1)] : [],
			...page < last ? [link("next", page + 1),
				link("last", last)] : [],
			...page > 1 ? [link("first", 1)] : [],
		];
		const answer = success(all.slice((page - 1) * size, page * size)
			.map((org) => this.organization(org)), asker);
		if (links.length > 0)
			answer.headers.link = links.join(", ");
		return answer;
	}

	isMember(org, login) {
		const [, entry] = find(this.orgs, org) ?? [];
		return standing(entry?.members, login)?.state === "active";
	}

	person(login) {
		const [name, person] = find(this.people, login) ?? [];
		if (!name)
			return undefined;
		const { token, scopes, ...rest } = person;
		return {
			login: name,
			node_id: `MDQ6VXNlcj${person.id}`,
			avatar_url: `${this.url}/avatars/u/${person.id}`,
			gravatar_id: "",
			url: `${this.url}/users/${name}`,
			html_url: `${this.url}/${name}`,
			type: "User",
			user_view_type: "public",
			site_admin: false,
			...rest,
		};
	}

	organization(name) {
		return {
			login: name,
			id: this.orgs[name].id ?? 1,
			node_id: `MDEyOk9yZ2${name}`,
			url: `${this.url}/orgs/${name}`,
			members_url: `${this.url}/orgs/${name}/members{/member}`,
			avatar_url: `${this.url}/avatars/o/${name}`,
			description: "",
		};
	}
}

const ROUTES = [
	["user", Github.prototype.user],
	["users/:login", Github.prototype.userNamed],
	["user/orgs", Github.prototype.ownOrgs],
	["user/memberships/orgs/:org", Github.prototype.ownMembership],
	["orgs/:org/memberships/:login", Github.prototype.orgMembership],
	["orgs/:org/teams/:slug/memberships/:login",
		Github.prototype.teamMembership],
];

function match(pattern, parts) {
	const wanted = pattern.split("/");
	const names = {};

	if (wanted.length !== parts.length)
		return undefined;
	for (const [i, want] of wanted.entries())
		if (want.startsWith(":"))
			names[want.slice(1)] = parts[i];
		else if (want !== parts[i])
			return undefined;
	return names;
}

const fits = (path, url) => typeof path === "string" ?
	path === url.split("?")[0] : path.test(url);

const numberOf = (socket) => socket.number ?? socket._parent?.number;

// GitHub's names are without case.
const find = (entries, name) => Object.entries(entries).find(([key]) =>
	key.toLowerCase() === name.toLowerCase());

function standing(members, login) {
	const member = find(members ?? {}, login)?.[1];
	return typeof member === "string" ? { state: member } : member;
}

const mayReadOrgs = ({ scopes }) => scopes === undefined ||
	["read:org", "write:org", "admin:org", "user"]
		.some((scope) => scopes.includes(scope));

const success = (body, asker) => ({
	status: 200,
	headers: {
		...asker?.scopes && { "x-oauth-scopes": asker.scopes.join(", ") },
	},
	body,
});

const failure = (status, message) => ({
	status,
	headers: {},
	body: { message, documentation_url: DOCS, status: String(status) },
});

// What a fault changes of the answer.
function spoil({ status, headers, body, redirect, huge, limit }) {
	const changed = {};

	if (redirect !== undefined)
		Object.assign(changed, { ...failure(302, "Found"),
			headers: { location: redirect } });
	if (limit !== undefined)
		Object.assign(changed, failure(limit.status ?? 403,
			"API rate limit exceeded"), { headers: {
			...limit.after !== undefined &&
				{ "retry-after": String(limit.after) },
			...limit.reset !== undefined && {
				"x-ratelimit-remaining": "0",
				"x-ratelimit-reset": String(limit.reset),
			},
		} });
	if (huge !== undefined)
		changed.body = { login: "octocat", id: 1, name: "x".repeat(huge) };
	if (status !== undefined)
		changed.status = status;
	if (headers !== undefined)
		changed.headers = { ...changed.headers, ...headers };
	if (body !== undefined)
		changed.body = body;
	return changed;
}

async function respond(res, { status, headers, body }, fault) {
	const { socket } = res.req;
	const bytes = typeof body === "string" || Buffer.isBuffer(body) ?
		Buffer.from(body) : Buffer.from(JSON.stringify(body));
	const half = bytes.subarray(0, bytes.length >> 1);

	if (socket.destroyed)
		return;
	if (fault.raw !== undefined) {
		socket.end(fault.raw);
		return;
	}
	res.writeHead(status, {
		"content-type": "application/json; charset=utf-8",
		"x-github-media-type": "github.v3; format=json",
		"x-ratelimit-limit": "5000",
		"x-ratelimit-remaining": "4999",
		"x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 3600),
		"content-length": bytes.length,
		...headers,
	});
	if (fault.hang === "head") {
		res.flushHeaders();
	} else if (fault.hang === "body") {
		res.write(half);
	} else if (fault.drop === "body") {
		res.write(half, () => socket.destroy());
	} else if (fault.drip !== undefined) {
		for (const byte of bytes) {
			res.write(Buffer.of(byte));
			await new Promise((resolve) =>
				setTimeout(resolve, fault.drip));
			if (socket.destroyed)
				return;
		}
		res.end();
	} else {
		res.end(bytes);
	}
}
