// One browser profile per person, as on separate machines.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { startBrowser } from "./browser.mjs";

/** SCENARIO.mjs [demo.json] [--road extension|websocket] [--browser chromium|firefox] */
export async function openDemo() {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: {
			road: { type: "string", default: "websocket" },
			browser: { type: "string", default: "chromium" },
		},
	});
	const demo = JSON.parse(await readFile(positionals[0] ?? "demo.json", "utf8"));
	return { demo, people: new People(demo, { name: values.road, browser: values.browser }) };
}

export class People {
	#open = new Map();

	/** road: as in browser.mjs, without what demo.json has. */
	constructor(demo, road) {
		this.demo = demo;
		this.road = { ...road, extension: demo.extension, host: demo.host };
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
		const page = browser.context.pages()[0] ?? (await browser.context.newPage());
		const open = { browser, page };
		this.#open.set(name, open);
		return open;
	}
}
