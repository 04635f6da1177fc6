// What breaks under a download, at a moment that is known: the key, its driver, the helper, the CA,
// the browser's connection.
import { end, findProcesses, findServers, has, runs } from "./processes.mjs";

/** Lets through so many of the page's looks at its order; what would go on by itself waits there. */
export class Looks {
	#left = Infinity;
	#waiting = [];

	/** The looks of another page wait no more. */
	async watch(page) {
		this.#waiting = [];
		await page.route(/\/api\/orders\/UK\w{14}$/, async (route) => {
			if (this.#left === 0) await new Promise((resolve) => this.#waiting.push(resolve));
			this.#left--;
			await route.continue().catch(() => undefined); // the page has gone meanwhile
		});
	}

	get pending() {
		return this.#waiting.length > 0;
	}

	/** From now on, those that wait included. */
	allow(number) {
		this.#left = number;
		for (const go of this.#waiting.splice(0, number)) go();
	}
}

export class Faults {
	constructor(demo, keys, key) {
		Object.assign(this, { demo, keys, key, person: demo.persons.applicant });
	}

	/** The driver's: at its n-th call from now on, in each process that has it loaded. */
	driver(name, nth, ...what) {
		this.keys.soft(this.person, "set-fault", "--function", name, "--nth", String(nth), ...what, this.key);
	}

	mend() {
		this.keys.soft(this.person, "set-fault", "--clear", this.key);
	}

	pull() {
		this.keys.pull(this.key, this.person);
	}

	plug() {
		this.keys.plug(this.key, this.person);
	}

	/** The browser's next connection to it starts another. */
	killHelper() {
		for (const { pid } of findProcesses(this.person.runtimeDir, runs("ukeyd"))) end(pid);
	}

	killTokenHelper() {
		for (const { pid } of findProcesses(this.person.runtimeDir, runs("ukey-token"))) end(pid);
	}

	/** The stage starts another. */
	killCa() {
		for (const { pid } of findServers(has(this.demo.ca.config))) end(pid);
	}
}
