// Round trips page → extension → host → ukeyd and back, against a host that answers itself.
// tests/bench/extension, as root: each person of a stage has a user id of their own.
import { chmodSync, copyFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { inPage } from "../manual/lib/conformance.mjs";
import { Desk } from "../manual/lib/desk.mjs";

const { values: opt } = parseArgs({
	options: { bin: { type: "string" }, state: { type: "string", default: "/tmp/ukey-bench" } },
});
const SITES = 6;
const SAMPLES = 24; // … of ten calls each, as a page's clock is coarse; a site has 300 in a minute

/** In the page: how long an agent.hello took, in µs. */
async function measure(client, samples) {
	const times = [];
	for (let i = 0; i < samples; i++) {
		const from = performance.now();
		for (let k = 0; k < 10; k++) await client.agent.hello();
		times.push((performance.now() - from) * 100);
	}
	return times;
}

const at = (sorted, part) => Math.round(sorted[Math.floor(sorted.length * part)]);

/** A browser of its own for each host: a browser keeps what it has registered. */
async function open(desk, host) {
	const { context } = await desk.startBrowser({ ...desk.road, host });
	return context;
}

async function rounds(context, site) {
	const page = await context.newPage();
	await page.goto(site);
	await inPage(page, measure, 2);
	const times = await inPage(page, measure, SAMPLES);
	await page.close();
	return times;
}

async function compare() {
	const road = { name: "extension", browser: "chromium" };
	const desk = await Desk.start({ bin: path.resolve(opt.bin), state: path.resolve(opt.state), road });
	try {
		const echo = desk.stage.file("bin", "echo-host");
		copyFileSync(path.join(opt.bin, "echo-host"), echo);
		chmodSync(echo, 0o755);
		const hosts = [
			{ name: "echo host", context: await open(desk, echo), times: [] },
			{ name: "ukey-native", context: await open(desk, desk.road.host), times: [] },
		];
		// By turns, so that what else the machine does falls on both.
		for (let i = 0; i < SITES; i++) {
			const site = await desk.addSite();
			for (const host of hosts) host.times.push(...(await rounds(host.context, site)));
		}
		for (const { times } of hosts) times.sort((a, b) => a - b);
		for (const { name, times } of hosts)
			console.log(
				`| ${name} | ${at(times, 0.5)} | ${at(times, 0.99)} | ${(at(times, 0.5) / at(hosts[0].times, 0.5)).toFixed(2)} |`,
			);
	} finally {
		await desk.end();
	}
}

console.log("| host | p50 µs | p99 µs | of the echo host |\n| --- | --- | --- | --- |");
await compare();
