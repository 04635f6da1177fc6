// Keys in people's hands: made at the producer's desk, posted, pulled out, put back.  A key is a
// folder of SoftHSM2's, or of the virtual UKEY's.
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const slot = (person) => join(person.home, "tokens");
const drawer = (person) => join(person.home, "drawer");

/** The keys that are in the person's machine now. */
export const inserted = (person) => readdirSync(slot(person)).map((name) => join(slot(person), name));

function give(folder, person, to) {
	mkdirSync(to, { recursive: true });
	const there = join(to, basename(folder));
	renameSync(folder, there);
	execFileSync("chown", ["-R", `${person.uid}:${person.uid}`, there]);
	return there;
}

/** By post: the key is in the customer's machine then. */
export const post = (key, customer) => give(key, customer, slot(customer));

/** Pulled out: it lies in the drawer, and its new place is answered. */
export const pull = (key, person) => give(key, person, drawer(person));

export const plug = (key, person) => give(key, person, slot(person));

/** What the person knows and will type in every window. */
export function remember(person, pin) {
	writeFileSync(person.pinFile, `${pin}\n`);
	chownSync(person.pinFile, person.uid, person.uid);
}

/** A key of no use here: initialised, without a certificate. */
export function foreignKey(person, label) {
	const before = inserted(person);
	execFileSync("setpriv", [`--reuid=${person.uid}`, `--regid=${person.uid}`, "--clear-groups", "--",
		"softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "1357924680", "--pin", "246813"],
	{ env: { PATH: process.env.PATH, HOME: person.home, SOFTHSM2_CONF: person.softhsm2Conf }, stdio: "pipe" });
	return inserted(person).find((key) => !before.includes(key));
}
