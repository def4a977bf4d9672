// Certificates for an orchestrator, made by the openssl command.

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const CONFIG = `
[ca]
default_ca = own
[own]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = tetherd test
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
[good]
subjectAltName = DNS:localhost,IP:127.0.0.1
[wrong-name]
subjectAltName = DNS:elsewhere.example
`;

const PAST = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"];
const NOW = ["-days", "2"];

/*
 * An authority of its own in the directory:
 *	caFile		its certificate
 *	issue(name)	{ key, cert } for "good", "wrong-name" or "expired"
 */
export async function createAuthority(directory) {
	const openssl = (...args) =>
		run("openssl", args, { cwd: directory });
	const caFile = join(directory, "ca.pem");

	await writeFile(join(directory, "ca.conf"), CONFIG);
	await writeFile(join(directory, "index.txt"), "");
	await writeFile(join(directory, "serial"), "01\n");
	await openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes",
		"-config", "ca.conf", "-extensions", "authority",
		"-subj", "/CN=tetherd test authority", "-days", "2",
		"-keyout", "ca.key", "-out", "ca.pem");

	const issue = async (name) => {
		const extensions = name === "expired" ? "good" : name;
		await openssl("req", "-new", "-newkey", "rsa:2048", "-nodes",
			"-config", "ca.conf", "-subj", `/CN=${name}`,
			"-keyout", `${name}.key`, "-out", `${name}.csr`);
		await openssl("ca", "-batch", "-notext", "-config", "ca.conf",
			"-cert", "ca.pem", "-keyfile", "ca.key",
			"-extensions", extensions,
			...(name === "expired" ? PAST : NOW),
			"-in", `${name}.csr`, "-out", `${name}.pem`);
		return {
			key: await readFile(join(directory, `${name}.key`)),
			cert: await readFile(join(directory, `${name}.pem`)),
		};
	};
	return { caFile, issue };
}
