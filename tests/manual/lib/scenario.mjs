// Runs named steps, says how each went, and takes pictures.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

const WIDTHS = [
	{ width: 390, height: 844 },
	{ width: 1280, height: 900 },
];

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
		const passed = await runSteps(steps);
		if (!passed)
			for (const [person, page] of this.people.pages()) await this.look(page, `failed-${person}`);
		return passed;
	}

	/** A picture of the whole page, narrow and wide. */
	async look(page, name) {
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
