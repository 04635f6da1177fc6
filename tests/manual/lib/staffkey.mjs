// A certificate of a member of the staff lasts a year; where a scenario goes further, they get a new
// one, as they got the first: made on their key, certified by the administrator's command.
import { execFileSync } from "node:child_process";
import { chownSync, copyFileSync } from "node:fs";
import { dirname, join } from "node:path";

export function renewStaffKey(demo, id, name, roles) {
	const person = demo.persons[id];
	const bin = dirname(demo.host);
	const env = { PATH: process.env.PATH, HOME: person.home, XDG_RUNTIME_DIR: person.runtimeDir, ASAN_OPTIONS: "detect_leaks=0" };
	const ukey = (...args) =>
		execFileSync("setpriv", [`--reuid=${person.uid}`, `--regid=${person.uid}`, "--clear-groups", "--", join(bin, "ukey"), ...args],
			{ env, cwd: person.home, encoding: "utf8" });
	const file = (kind) => join(person.home, `next.${kind}`);
	const token = JSON.parse(ukey("list", "--json")).tokens.find((one) => one.label === person.name);
	const algorithm = token.algorithms.includes("sm2") ? "sm2" : "p-256";
	const { key } = JSON.parse(ukey("key", "generate", "--token", token.id, "--algorithm", algorithm, "--json"));
	ukey("request", "--token", token.id, "--key", key, "--name", name, "--out", file("der"));
	const certificate = join(demo.ca.dir, `${id}-next.cer`);
	execFileSync(join(bin, "ukey-ca"), ["staff", "add", "--dir", demo.ca.dir, "--name", name, "--roles", roles,
		"--request", file("der"), "--certificate", certificate], { stdio: "pipe" });
	copyFileSync(certificate, file("cer"));
	chownSync(file("cer"), person.uid, person.uid);
	ukey("certificate", "install", "--token", token.id, "--in", file("cer"));
	person.certificate = name;
}
