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
subjectAltName = DNS:elsewhere.example,DNS:localhost.example,IP:127.0.0.1
[wrong-address]
subjectAltName = DNS:localhost,IP:127.0.0.2
[client-only]
subjectAltName = DNS:localhost,IP:127.0.0.1
extendedKeyUsage = clientAuth
[no-signing]
subjectAltName = DNS:localhost,IP:127.0.0.1
keyUsage = critical,keyAgreement
[server-only]
subjectAltName = DNS:localhost,IP:127.0.0.1
extendedKeyUsage = serverAuth
keyUsage = critical,digitalSignature
`;

const NOW = ["-days", "2"];
const DATES = {
	expired: ["-startdate", "20200101000000Z",
		"-enddate", "20200201000000Z"],
	early: ["-startdate", "20900101000000Z",
		"-enddate", "20900201000000Z"],
};

/*
 * An authority of its own in the directory:
 *	caFile		its certificate
 *	issue(name)	{ key, cert } for "good", a section above that says how
 *			it differs, "expired", "early", or "weak": a key of 1024
 *			bits
 *	issueSelf()	the same, signed by itself
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

	const read = async (name) => ({
		key: await readFile(join(directory, `${name}.key`)),
		cert: await readFile(join(directory, `${name}.pem`)),
	});
	const issue = async (name) => {
		const extensions =
			["expired", "early", "weak"].includes(name) ? "good" : name;
		await openssl("req", "-new", "-newkey",
			name === "weak" ? "rsa:1024" : "rsa:2048", "-nodes",
			"-config", "ca.conf", "-subj", `/CN=${name}`,
			"-keyout", `${name}.key`, "-out", `${name}.csr`);
		await openssl("ca", "-batch", "-notext", "-config", "ca.conf",
			"-cert", "ca.pem", "-keyfile", "ca.key",
			"-extensions", extensions,
			...DATES[name] ?? NOW,
			"-in", `${name}.csr`, "-out", `${name}.pem`);
		return read(name);
	};
	const issueSelf = async () => {
		await openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes",
			"-config", "ca.conf", "-extensions", "good",
			"-subj", "/CN=self", ...NOW,
			"-keyout", "self.key", "-out", "self.pem");
		return read("self");
	};
	return { caFile, issue, issueSelf };
}
