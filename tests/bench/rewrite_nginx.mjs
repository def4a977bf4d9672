// What nginx's sub_filter makes of scripts, beside our rewriter: the largest
// of the files that are named, or made-up text.
//
//	BENCH_MEGABYTES	fetched in each way, 400 if absent
//
// nginx gets the prefixes of paths behind each quote, and does not look at
// what follows them: less work than ours.  Its worker's CPU time counts, with
// sub_filter less without, as the machine may be busy and the reader is slow.

import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

import { request } from "../integration/lib/http.mjs";
import { BUILD } from "../integration/lib/programs.mjs";
import { until } from "../integration/lib/time.mjs";
import { freePort } from "../integration/lib/upstream.mjs";
import { bench, table } from "./lib/bench.mjs";

const BYTES = Number(process.env.BENCH_MEGABYTES ?? 400) * 1e6;
const FILES_MAX = 3;
const BASE = "/clients/box/proxy";
const PATHS = ["api", "assets", "auth", "ws", "shell", "plugin-ws", "favicon",
	"static", "socket.io", "sw.js", "manifest.json", "icons"];
const LITERAL = new RegExp(`(["'\`])/(?=${PATHS.join("|")
	.replaceAll(".", "\\.")})`, "g");
const MADE_UP = "function a(e,t){return e?\"b\":t+'c'}const n=r(12)/4;\n" +
	"fetch(\"/api/projects\").then(e=>e.json());\n";

const run = promisify(execFile);

// Everything below one directory, nobody's rights needed.
function configuration(directory, port) {
	const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
		.map((name) => `\t${name}_temp_path ${directory}/${name};`);
	const filters = ["\"", "'", "`"].flatMap((quote) => PATHS.map((path) => {
		const around = quote === "'" ? "\"" : "'";
		return `\t\t\tsub_filter ${around}${quote}/${path}${around} ` +
			`${around}${quote}${BASE}/${path}${around};`;
	}));

	return `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
events { worker_connections 64; }
http {
	types { text/javascript js; }
	access_log off;
	gzip off;
	keepalive_requests 1000000;
${scratch.join("\n")}
	server {
		listen 127.0.0.1:${port};
		location /plain/ { alias ${directory}/files/; }
		location /filtered/ {
			alias ${directory}/files/;
			sub_filter_types text/javascript;
			sub_filter_once off;
${filters.join("\n")}
		}
	}
}
`;
}

// The URL and the process of a server for these files: [name, bytes].
async function startNginx(stage, program, files) {
	const directory = await stage.directory();
	const port = await freePort();
	await mkdir(join(directory, "files"), { mode: 0o755 });
	for (const [name, data] of files)
		await writeFile(join(directory, "files", name), data);
	await writeFile(join(directory, "nginx.conf"),
		configuration(directory, port));
	const nginx = stage.start("nginx", program, ["-p", directory,
		"-e", join(directory, "error.log"),
		"-c", join(directory, "nginx.conf")]);
	const url = `http://127.0.0.1:${port}`;
	await until(() => nginx.exited ||
		request(url).then(() => true, () => false), "nginx does not answer");
	if (nginx.exited)
		throw new Error("nginx does not start");
	return { url, pid: nginx.pid };
}

// CPU seconds that a process has used.
function used(pid, ticks) {
	const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return (Number(fields[11]) + Number(fields[12])) / ticks;
}

// Fetch it often enough: wall-clock and CPU seconds for each MB of the file.
async function measure({ url, pid }, path, size, ticks) {
	const times = Math.ceil(BYTES / size);
	const mb = times * size / 1e6;
	const { status, body } = await request(url + path);
	if (status !== 200)
		throw new Error(`${path}: ${status}`);
	const cpu = used(pid, ticks), start = performance.now();

	for (let i = 0; i < times; i++)
		await request(url + path);
	return {
		wall: (performance.now() - start) / 1000 / mb,
		cpu: (used(pid, ticks) - cpu) / mb,
		body,
	};
}

// MB/s of our rewriter for a file.
async function ours(file) {
	const { stdout } = await run(join(BUILD, "bench_rewrite"), [file]);
	return Number(/rewrite\s+(\d+) MB\/s/.exec(stdout)[1]);
}

async function find(program) {
	for (const directory of (process.env.PATH ?? "").split(":")) {
		const path = join(directory, program);
		if (await run(path, ["-v"]).then(() => true, () => false))
			return path;
	}
	return null;
}

await bench(async (stage) => {
	const nginx = await find("nginx");
	if (nginx === null) {
		console.log("nginx: not installed, left out");
		return 0;
	}
	let files = process.argv.slice(2).filter((f) => f.endsWith(".js"))
		.sort((a, b) => statSync(b).size - statSync(a).size)
		.slice(0, FILES_MAX);
	if (files.length === 0) {
		files = [join(await stage.directory(), "made-up.js")];
		await writeFile(files[0], MADE_UP.repeat(20000));
	}
	const ticks = Number((await run("getconf", ["CLK_TCK"])).stdout);
	const server = await startNginx(stage, nginx, files.map((file) =>
		[basename(file), readFileSync(file)]));
	const rows = [];

	for (const file of files) {
		const name = basename(file), { size } = statSync(file);
		const plain = await measure(server, `/plain/${name}`, size, ticks);
		const filtered =
			await measure(server, `/filtered/${name}`, size, ticks);
		if (filtered.body.toString("latin1") !==
		    plain.body.toString("latin1").replace(LITERAL, `$1${BASE}/`))
			throw new Error(`${name}: not filtered`);
		const filter = 1 / (filtered.cpu - plain.cpu);
		const rewriter = await ours(file);
		rows.push([name, size, (1 / plain.wall).toFixed(0),
			(1 / filtered.wall).toFixed(0), (1 / plain.cpu).toFixed(0),
			(1 / filtered.cpu).toFixed(0), filter.toFixed(0), rewriter,
			(rewriter / filter).toFixed(1)]);
	}
	console.log(`MB/s of ${(await run(nginx, ["-v"])).stderr.trim()
		.replace("nginx version: ", "")}, plain and with sub_filter`);
	table(["", "bytes", "plain", "filtered", "plain, CPU",
		"filtered, CPU", "sub_filter", "ours", "ratio"], rows);
	return 0;
});
