// One browser profile per person, as on separate machines.
import { chown, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { Quality } from "./quality.mjs";

const ARGS = [
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
	"--no-sandbox",
];

export class People {
	#open = new Map();

	constructor(demo) {
		this.demo = demo;
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
		for (const { context, profile } of this.#open.values()) {
			await context.close();
			await rm(profile, { recursive: true, force: true });
		}
		this.#open.clear();
	}

	async #start(name) {
		const { home, uid, browser } = this.demo.persons[name];
		const profile = await mkdtemp(join(home, "browser-"));
		await chown(profile, uid, uid);
		const context = await chromium.launchPersistentContext(profile, {
			executablePath: browser,
			headless: true,
			args: ARGS,
			locale: "zh-CN",
			timezoneId: "Asia/Shanghai",
			viewport: { width: 1280, height: 900 },
		});
		context.setDefaultTimeout(30_000);
		this.quality.watch(name, context);
		const page = context.pages()[0] ?? (await context.newPage());
		const open = { context, page, profile };
		this.#open.set(name, open);
		return open;
	}
}
