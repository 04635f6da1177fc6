// One browser profile per person, as on separate machines.
import { parseArgs } from "node:util";

import { startBrowser } from "./browser.mjs";
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

	pages() {
		return [...this.#open].map(([name, { page }]) => [name, page]);
	}

	async end() {
		for (const { browser } of this.#open.values()) await browser.end();
		this.#open.clear();
	}

	async #start(name) {
		const browser = await startBrowser(this.demo.persons[name], this.road);
		this.quality.watch(name, browser.context);
		const page = browser.context.pages()[0] ?? (await browser.context.newPage());
		const open = { browser, page };
		this.#open.set(name, open);
		return open;
	}
}
