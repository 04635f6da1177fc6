// What whoever verifies a certificate hears of it: from OCSP, and in the revocation list [C14].
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const openssl = (...args) => execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** good, revoked or unknown, with the reason where there is one: "revoked certificateHold". */
export function statusOf(demo, serial) {
	const issuer = join(dirname(demo.ca.dir), "issuer.pem");
	writeFileSync(issuer, openssl("x509", "-in", demo.ca.issuer, "-inform", "DER"));
	// OpenSSL 3.0 can't check SM2 here: what is signed how is tested where the answers are made.
	const said = openssl("ocsp", "-issuer", issuer, "-serial", `0x${serial}`, "-url", `${demo.server}/ca/ocsp`, "-noverify",
		"-validity_period", "999999999"); // the CA's clock may be ahead
	const [, status] = /^0x\w+: (\w+)/m.exec(said);
	const reason = /Reason: (\w+)/.exec(said)?.[1];
	return reason ? `${status} ${reason}` : status;
}

export async function isListed(demo, serial) {
	const file = join(dirname(demo.ca.dir), "crl.der");
	const answer = await fetch(`${demo.server}/ca/crl.crl`);
	writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
	const text = openssl("crl", "-in", file, "-inform", "DER", "-noout", "-text");
	return text.toUpperCase().includes(serial.toUpperCase());
}
