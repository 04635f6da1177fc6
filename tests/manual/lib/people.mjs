// One browser profile per person, as on separate machines.
import { parseArgs } from "node:util";

import { startBrowser } from "./browser.mjs";
import { end, findProcesses, has } from "./processes.mjs";
import { Quality } from "./quality.mjs";

/** SCENARIO.mjs [demo.json] [--road extension|websocket] [--browser chromium|firefox] */
function chosenRoad() {
	const { values } = parseArgs({
		allowPositionals: true,
		options: {
			road: { type: "string", default: "extension" },
			browser: { type: "string", default: "chromium" },
		},
	});
	return { name: values.road, browser: values.browser };
}

export class People {
	#open = new Map();
	/** Of browsers that were killed. */
	#left = new Map();

	constructor(demo) {
		this.demo = demo;
		this.road = { ...chosenRoad(), extension: demo.extension, host: demo.host };
		this.quality = new Quality(demo.portal);
	}

	/** The page of a person; opened at first use. */
	async page(name) {
		const open = this.#open.get(name) ?? (await this.#start(name));
		return open.page;
	}

	/** The next page is of another browser, which knows nothing. */
	async close(name) {
		await this.#open.get(name).browser.end();
		this.#open.delete(name);
	}

	/** As if it had crashed: the next page is of a browser that is opened again, on the same profile. */
	async kill(name) {
		const { browser } = this.#open.get(name);
		const closed = new Promise((resolve) => browser.context.once("close", resolve));
		for (const { pid } of findProcesses(this.demo.persons[name].runtimeDir, has(browser.profile))) end(pid);
		await closed;
		this.#open.delete(name);
		this.#left.set(name, browser.profile);
	}

	pages() {
		return [...this.#open].map(([name, { page }]) => [name, page]);
	}

	async end() {
		for (const { browser } of this.#open.values()) await browser.end();
		this.#open.clear();
	}

	async #start(name) {
		const browser = await startBrowser(this.demo.persons[name], this.road, this.#left.get(name));
		this.quality.watch(name, browser.context);
		const page = browser.context.pages()[0] ?? (await browser.context.newPage());
		const open = { browser, page };
		this.#open.set(name, open);
		return open;
	}
}
