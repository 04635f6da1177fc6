// The page library over every road: the extension and the WebSocket, in Chromium and in Firefox.
import path from "node:path";
import { parseArgs } from "node:util";

import { CONFORMANCE } from "./lib/conformance.mjs";
import { Desk } from "./lib/desk.mjs";
import { runSteps } from "./lib/scenario.mjs";

const { values: opt } = parseArgs({
	options: {
		bin: { type: "string" },
		state: { type: "string", default: "/tmp/ukey-conformance" },
		road: { type: "string", default: "extension,websocket" },
		browser: { type: "string", default: "chromium,firefox" },
	},
});

async function conform(road) {
	console.log(`# ${road.name} in ${road.browser}`);
	const desk = await Desk.start({ bin: path.resolve(opt.bin), state: path.resolve(opt.state), road });
	try {
		const { context } = await desk.startBrowser();
		const page = context.pages()[0] ?? (await context.newPage());
		await page.goto(desk.site);
		return await runSteps(CONFORMANCE.map(([name, step]) => [name, () => step(desk, page)]));
	} finally {
		await desk.end();
	}
}

let failed = false;
for (const name of opt.road.split(","))
	for (const browser of opt.browser.split(",")) failed ||= !(await conform({ name, browser }));
process.exit(failed ? 1 : 0);
