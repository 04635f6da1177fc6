// Runs named steps, says how each went, and takes pictures.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

const WIDTHS = [
	{ width: 390, height: 844 },
	{ width: 1280, height: 900 },
];

/** Waits for a truth; says what it waited for. */
export async function soon(what, test) {
	for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((go) => setTimeout(go, 100)))
		if (await test()) return;
	throw new Error(`in vain: ${what}`);
}

/** Runs named steps until one fails; false: one did, and what failed was said. */
export async function runSteps(steps) {
	for (const [name, step] of steps)
		try {
			await step();
			console.log(`ok ${name}`);
		} catch (error) {
			console.log(`failed ${name}`);
			console.error(error);
			return false;
		}
	return true;
}

export class Scenario {
	#count = 0;

	constructor(folder, people) {
		this.folder = folder;
		this.people = people;
	}

	/** False: the step failed, and what failed was said. */
	async run(steps) {
		if (this.folder) await mkdir(this.folder, { recursive: true });
		if (!(await runSteps(steps))) {
			for (const [person, page] of this.people.pages()) await this.look(page, `failed-${person}`);
			return false;
		}
		return this.#judge();
	}

	#judge() {
		const { problems } = this.people.quality;
		if (problems.size === 0) {
			console.log("ok no console error, no CSP violation, nothing serious for axe-core");
			return true;
		}
		console.log("failed quality");
		for (const problem of problems) console.error(problem);
		return false;
	}

	/** Judges the page, and takes a picture of the whole of it, narrow and wide. */
	async look(page, name) {
		await this.people.quality.inspect(page, name);
		if (!this.folder) return;
		const number = String(++this.#count).padStart(2, "0");
		for (const size of WIDTHS) {
			await page.setViewportSize(size);
			await page.waitForTimeout(150);
			const path = join(this.folder, `${number}-${name}-${size.width}.png`);
			await page.screenshot({ path, fullPage: true });
		}
	}
}
