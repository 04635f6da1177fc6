// The road by the extension, when browsers do what browsers do.
import assert from "node:assert/strict";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { CHROMIUM_ARGS, prepareProfile } from "./lib/browser.mjs";
import { inPage } from "./lib/conformance.mjs";
import { Desk, PIN, until } from "./lib/desk.mjs";
import { PipedChromium } from "./lib/pipe.mjs";
import { runSteps } from "./lib/scenario.mjs";

const { values: opt } = parseArgs({
	options: {
		bin: { type: "string" },
		state: { type: "string", default: "/tmp/ukey-browser-faults" },
		step: { type: "string", default: "" }, // only those whose name has this in it
	},
});
const road = (browser) => ({ ...desk.road, browser });

const desk = await Desk.start({
	bin: path.resolve(opt.bin),
	state: path.resolve(opt.state),
	road: { name: "extension", browser: "chromium" },
});
// This site may use either road.
const site = await desk.addSite("websocket");

const hosts = () => desk.processes("ukey-native").length;
const windows = () => desk.processes("sleep").length;
const status = (client) => ({ road: client.road, detour: client.detour });

async function open(browser, url = site) {
	const page = await browser.context.newPage();
	await page.goto(url);
	await page.evaluate("window.events = []");
	desk.answer();
	const allowed = await inPage(page, async (client) => {
		client.on("disconnect", (error) => window.events.push(error.reason));
		client.on("connect", () => window.events.push("connect"));
		if (!client.hello.site.allowed) await client.site.request();
		return client.hello.site.allowed;
	});
	assert.equal(allowed, true);
	return page;
}

/** Starts a log-in whose PIN window nobody answers; its end is the call's reason. */
async function askPin(page) {
	desk.answer("!hang");
	const answer = inPage(page, async (client) => client.token.login((await client.token.list())[0].id));
	await until("a PIN window", () => windows() === 1);
	return answer.then(
		(end) => end?.reason,
		() => "the page has gone",
	);
}

async function signs(page) {
	desk.answer(PIN);
	const length = await inPage(page, async (client) => {
		const [{ id }] = (await client.certificate.list()).certificates;
		const made = await client.signature.create({ certificate: id, data: "text", format: "raw" });
		return made.signature.length;
	});
	assert.equal(length, 64);
	await inPage(page, async (client) => client.token.logout((await client.token.list())[0].id));
}

async function nothingLeft() {
	await until("no host is left", () => hosts() === 0);
	await until("no window is left", () => windows() === 0);
}

/** The page of settings says what is there. */
async function settings() {
	const browser = await desk.startBrowser();
	const page = await browser.context.newPage();
	await page.goto(`chrome-extension://${desk.road.extension.id}/options.html`);
	for (const text of [
		"Browser extension 0.1.0",
		"The browser reaches the UKEY helper",
		"UKEY helper 0.1.0 is running",
		"The PIN window can be shown",
		"The extension may work on all secure sites",
	])
		await page.getByText(text).waitFor();
	assert.equal(await page.locator("li.bad").count(), 0);
	await browser.end();
	await nothingLeft();
}

/** What takes the extension away while a PIN window is open; then the other road, then back. */
async function extensionGoes(goes, returns) {
	const browser = await desk.startBrowser();
	const page = await open(browser);
	assert.deepEqual(await inPage(page, status), { road: "extension", detour: null });
	const pending = askPin(page);
	await until("a PIN window", () => windows() === 1);
	await goes(browser);
	assert.equal(await pending, "extension-lost");
	await nothingLeft();
	await until("the other road", async () => (await inPage(page, status)).road === "websocket");
	assert.equal((await inPage(page, status)).detour, "extension-missing");
	await signs(page);
	await returns(browser);
	await until("the extension is in a page again", async () => {
		await page.reload();
		return page.evaluate("ukey.findExtension()");
	});
	const again = await open(browser);
	assert.equal((await inPage(again, status)).road, "extension");
	await signs(again);
	await browser.end();
	await nothingLeft();
}

/** In the browser's own page of extensions, as a person would. */
async function manage(browser, action) {
	const page = await browser.context.newPage();
	await page.goto("chrome://extensions");
	await page.evaluate(
		async ([what, id]) => {
			// Without it Chromium does not take an unpacked extension up again.
			await chrome.developerPrivate.updateProfileConfiguration({ inDeveloperMode: true });
			if (what === "reload") await chrome.developerPrivate.reload(id, { failQuietly: true });
			else await chrome.management.setEnabled(id, what === "enable");
		},
		[action, desk.road.extension.id],
	);
	await page.close();
}

const reloaded = () => extensionGoes((browser) => manage(browser, "reload"), () => undefined);
const disabled = () =>
	extensionGoes(
		(browser) => manage(browser, "disable"),
		(browser) => manage(browser, "enable"),
	);

async function hostKilled() {
	const browser = await desk.startBrowser();
	const page = await open(browser);
	const pending = askPin(page);
	await until("a PIN window", () => windows() === 1);
	for (const { pid } of desk.processes("ukey-native")) process.kill(pid, "SIGKILL");
	assert.equal(await pending, "helper-lost");
	await until("the window goes", () => windows() === 0);
	await until("connected again", async () => (await page.evaluate("events")).includes("connect"));
	assert.equal((await inPage(page, status)).road, "extension");
	await signs(page);
	await browser.end();
	await nothingLeft();
}

async function browserKilled(kind) {
	const browser = await desk.startBrowser(road(kind));
	const page = await open(browser);
	void askPin(page);
	await until("a PIN window", () => windows() === 1);
	const ukeyd = desk.processes("ukeyd").map(({ pid }) => pid);
	for (const { pid } of desk.withArgument(browser.profile)) process.kill(pid, "SIGKILL");
	await nothingLeft();
	assert.deepEqual(desk.processes("ukeyd").map(({ pid }) => pid), ukeyd);
	await browser.end();

	const next = await desk.startBrowser(road(kind));
	await signs(await open(next));
	await next.end();
	await nothingLeft();
}

/** Each has its own host; one's end is nothing to the other. */
async function twoBrowsers() {
	const both = [await desk.startBrowser(road("chromium")), await desk.startBrowser(road("firefox"))];
	const pages = [await open(both[0]), await open(both[1])];
	assert.equal(hosts(), 2);
	for (const page of pages) {
		await inPage(page, (client) => {
			client.on("token", ({ event }) => window.events.push(event));
			return client.token.watch();
		});
		await signs(page);
	}
	const all = async (event) => {
		for (const page of pages) if (!(await page.evaluate("events")).includes(event)) return false;
		return true;
	};
	desk.pullKey();
	await until("both see it pulled", () => all("removed"), 3000);
	desk.plugKey();
	await until("both see it plugged in", () => all("inserted"), 3000);
	await both[0].end();
	await until("one host is left", () => hosts() === 1);
	await signs(pages[1]);
	await both[1].end();
	await nothingLeft();
}

/** Asleep when nothing is open, awake for as long as something is. */
async function serviceWorker() {
	const profile = await prepareProfile(desk.person, road("chromium"));
	const browser = new PipedChromium(desk.person.browsers.chromium, [
		...CHROMIUM_ARGS,
		`--user-data-dir=${profile}`,
		`--load-extension=${desk.road.extension.chromium}`,
	]);
	const ours = `chrome-extension://${desk.road.extension.id}/`;
	const workers = async () =>
		(await browser.targets("service_worker")).filter(({ url }) => url.startsWith(ours)).length;
	try {
		const page = await browser.page("about:blank");
		await page.evaluate(`location.href = ${JSON.stringify(site)}`).catch(() => undefined);
		await until("the page", () => page.evaluate("typeof ukey === 'object'").catch(() => false));
		assert.equal((await inPage(page, status)).road, "extension");
		desk.answer();
		await inPage(page, (client) => client.site.request());
		await page.evaluate("window.events = [], client.on('disconnect', (e) => events.push(e.reason))");
		assert.ok(await workers());
		await sleep(45_000);
		assert.ok(await workers(), "awake while a page holds a link");
		assert.ok(await inPage(page, (client) => client.token.list().then((all) => all.length > 0)));
		assert.deepEqual(await page.evaluate("events"), []);

		await inPage(page, (client) => client.close());
		await nothingLeft();
		await until("asleep", async () => (await workers()) === 0, 60_000);
		await inPage(page, (client) => client.connect());
		assert.equal((await inPage(page, status)).road, "extension");
		await signs(page);
	} finally {
		await browser.end();
	}
	await nothingLeft();
}

const steps = [
	["the page of settings", settings],
	["extension reloaded during a PIN window", reloaded],
	["extension disabled during a PIN window, and enabled", disabled],
	["host killed during a PIN window", hostKilled],
	["Chromium killed during a PIN window", () => browserKilled("chromium")],
	["Firefox killed during a PIN window", () => browserKilled("firefox")],
	["two browsers at once", twoBrowsers],
	["service worker asleep and awake", serviceWorker],
];
const passed = await runSteps(steps.filter(([name]) => name.includes(opt.step))).finally(() =>
	desk.end(),
);
process.exit(passed ? 0 : 1);
