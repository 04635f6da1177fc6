// What no scenario may meet, whatever else it looks at: errors in the browser's console, violations
// of the Content-Security-Policy, and pages that some people can't use.
import axe from "axe-core";

/** A refusal is an answer that the page words; a helper's port where nobody listens is no error. */
const EXPECTED = [
	/^Failed to load resource: the server responded with a status of 4\d\d/,
	/^WebSocket connection to 'ws:\/\/127\.0\.0\.1:\d+/,
	/^Firefox can’t establish a connection to the server at ws:\/\/127\.0\.0\.1:\d+/,
	/^The connection to ws:\/\/127\.0\.0\.1:\d+\/ukey\/1 was interrupted/,
	// The style that the driver puts into a page of Firefox while it takes a picture.
	/^Content-Security-Policy: .*'sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT\+SmwNZWA='/,
];

export class Quality {
	/** Only the product's own pages are judged. */
	constructor(origin) {
		this.origin = origin;
		this.problems = new Set();
		this.expected = [...EXPECTED];
	}

	/** What a scenario breaks itself. */
	expect(pattern) {
		this.expected.push(pattern);
	}

	watch(name, context) {
		const say = (page, what) => {
			if (this.expected.some((one) => one.test(what))) return;
			if (page?.url().startsWith(this.origin)) this.problems.add(`${name}, ${new URL(page.url()).pathname}: ${what}`);
		};
		context.on("console", (message) => {
			if (message.type() === "error") say(message.page(), message.text());
		});
		context.on("weberror", (error) => say(error.page(), error.error().stack ?? String(error.error())));
	}

	/** axe-core on the page as it is now: nothing serious or critical; a title and a language. */
	async inspect(page, name) {
		if (!page.url().startsWith(this.origin)) return;
		await page.evaluate(() =>
			Promise.allSettled(
				document
					.getAnimations()
					.filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
					.map((one) => one.finished),
			),
		);
		await page.evaluate(axe.source);
		const { violations } = await page.evaluate(() =>
			window.axe.run(document, { resultTypes: ["violations"] }),
		);
		for (const { id, impact, nodes } of violations)
			if (impact === "serious" || impact === "critical")
				for (const node of nodes)
					this.problems.add(`${name}: ${impact} ${id}: ${node.target.join(" ")}: ${node.failureSummary}`);
	}
}
