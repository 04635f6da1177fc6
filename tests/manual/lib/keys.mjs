// Keys in people's hands: made at the producer's desk, posted, pulled out, put back.  A key is known
// by its name: a folder of SoftHSM2's, or of the virtual UKEY's, which `ukey soft` plugs.
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const virtual = (person) => person.module.endsWith("libukey-soft.so");
const drawer = (person) => join(person.home, "drawer");

function runAs(person, program, args, more = {}) {
	const env = { PATH: process.env.PATH, HOME: person.home, XDG_RUNTIME_DIR: person.runtimeDir, UKEY_SOFT_DIR: person.tokens, ASAN_OPTIONS: "detect_leaks=0",
		SOFTHSM2_CONF: join(person.home, "softhsm2.conf"), ...more };
	return execFileSync("setpriv", [`--reuid=${person.uid}`, `--regid=${person.uid}`, "--clear-groups", "--", program, ...args],
		{ env, cwd: person.home, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A module that was built with AddressSanitizer wants its runtime in the program before all else. */
function sanitizer(module) {
	const runtime = /=> (\S*libasan\S*)/.exec(execFileSync("ldd", [module], { encoding: "utf8" }));
	return runtime ? { LD_PRELOAD: runtime[1] } : {};
}

/** The programs of the stage are where its modules are. */
export class Keys {
	constructor(demo) {
		this.program = join(dirname(demo.host), "ukey");
	}

	/** The command, as that person; what it printed. */
	ukey(person, ...args) {
		return runAs(person, this.program, args);
	}

	soft(person, ...args) {
		return this.ukey(person, "soft", ...args);
	}

	/** The keys that are in the person's machine now, blank ones left out. */
	inserted(person) {
		if (!virtual(person)) return readdirSync(person.tokens);
		const { ukeys } = JSON.parse(this.soft(person, "list", "--json"));
		return ukeys.filter((one) => one.inserted && one.applications.length > 0).map((one) => one.name);
	}

	/** By post, from one machine to another's. */
	post(key, from, to) {
		if (virtual(from)) this.soft(from, "remove", key);
		move(join(from.tokens, key), to.tokens, to);
		if (virtual(to)) this.soft(to, "insert", key);
	}

	pull(key, person) {
		if (virtual(person)) this.soft(person, "remove", key);
		else move(join(person.tokens, key), drawer(person), person);
	}

	plug(key, person) {
		if (virtual(person)) this.soft(person, "insert", key);
		else move(join(drawer(person), key), person.tokens, person);
	}

	/** Locked by wrong PINs; only a virtual UKEY locks, SoftHSM2's do not. */
	lock(key, person, tries) {
		const program = fileURLToPath(new URL("wrong_pins.py", import.meta.url));
		runAs(person, "/usr/bin/python3", ["-B", program, person.module, String(tries)], sanitizer(person.module));
	}

	/** A key of no use here: without a certificate. */
	foreign(person, label) {
		const before = this.inserted(person);
		if (virtual(person)) this.#createVirtual(person, label);
		else
			runAs(person, "softhsm2-util", ["--init-token", "--free", "--label", label, "--so-pin", "1357924680", "--pin", "246813"]);
		return this.inserted(person).find((key) => !before.includes(key));
	}

	#createVirtual(person, label) {
		const secret = (name, text) => {
			const file = join(person.home, name);
			writeFileSync(file, `${text}\n`, { mode: 0o600 });
			chownSync(file, person.uid, person.uid);
			return file;
		};
		const name = `foreign-${Date.now()}`;
		this.soft(person, "create", "--auth-key-file", secret("foreign-auth", "0".repeat(32)), "--label", label,
			"--application", "UKEY", "--admin-pin-file", secret("foreign-admin", "13579246801357924680"),
			"--pin-file", secret("foreign-pin", "246813"), name);
		this.soft(person, "insert", name);
	}
}

function move(folder, to, owner) {
	mkdirSync(to, { recursive: true });
	chownSync(to, owner.uid, owner.uid);
	const there = join(to, folder.slice(folder.lastIndexOf("/") + 1));
	renameSync(folder, there);
	execFileSync("chown", ["-R", `${owner.uid}:${owner.uid}`, there]);
}

/** What the person knows and will type in every window, and what they will choose as a new one. */
export function remember(person, pin, next = "") {
	writeFileSync(person.pinFile, `${pin}\n${next}\n`);
	chownSync(person.pinFile, person.uid, person.uid);
}
