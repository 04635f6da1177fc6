// pages.mjs PORTAL: in Chromium, what the first load of each page brings over the wire, and the
// tasks of more than 50 ms while an applicant fills in a form, key by key.  tests/bench/pages runs it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

import { CHROMIUM_ARGS } from "../manual/lib/browser.mjs";
import { newPerson, newUnit } from "../manual/lib/applicant.mjs";

const { chromium } = createRequire(new URL("../manual/", import.meta.url))("playwright-core");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ROUNDS = 3;
const LIMIT = 200; // ms

const portal = process.argv[2];
const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS });

/** A fresh page with an empty cache that counts what comes. */
async function open(address) {
	const context = await browser.newContext({ locale: "zh-CN", viewport: { width: 1280, height: 900 } });
	const page = await context.newPage();
	const wire = await context.newCDPSession(page);
	const seen = { files: 0, bytes: 0 };
	wire.on("Network.loadingFinished", ({ encodedDataLength }) => {
		seen.files++;
		seen.bytes += encodedDataLength;
	});
	await wire.send("Network.enable");
	await page.addInitScript(() => {
		globalThis.tasks = [];
		new PerformanceObserver((list) => {
			for (const { startTime, duration } of list.getEntries()) globalThis.tasks.push({ startTime, duration });
		}).observe({ type: "longtask", buffered: true });
	});
	await page.goto(portal + address, { waitUntil: "networkidle" });
	return { context, page, seen };
}

async function weigh() {
	console.log("\n| first load, in Chromium | requests | kB over the wire | longest task ms |\n| --- | --- | --- | --- |");
	for (const address of ["/", "/new/unit", "/renewal", "/unlock", "/replacement", "/query", "/staff/"]) {
		const { context, page, seen } = await open(address);
		const tasks = await page.evaluate(() => globalThis.tasks.map(({ duration }) => duration));
		console.log(`| ${address} | ${seen.files} | ${(seen.bytes / 1000).toFixed(1)} | ${Math.max(0, ...tasks)} |`);
		await context.close();
	}
}

/** Label and value, as applicant.mjs fills them in at once. */
const FIELDS = {
	unit: (who) => [
		["单位名称", who.organisation], ["统一社会信用代码", who.creditCode],
		["法定代表人姓名", who.legalPersonName], ["法定代表人身份证号", who.legalPersonId],
		["经办人姓名", who.agentName], ["经办人身份证号", who.agentId],
		["经办人手机号", who.agentPhone], ["经办人电子邮箱", who.agentEmail], ["邮寄地址", who.address],
	],
	person: (who) => [
		["姓名", who.name], ["身份证号", who.idNumber], ["手机号", who.phone], ["电子邮箱", who.email],
		["邮寄地址", who.address],
	],
};

async function fill(kind) {
	const { context, page } = await open(`/new/${kind}`);
	const from = await page.evaluate(() => performance.now());
	const next = page.getByRole("button", { name: "下一步：身份核验" });
	await next.click(); // empty: every field says what it lacks
	for (const [label, value] of FIELDS[kind](kind === "unit" ? newUnit() : newPerson())) {
		const field = page.getByLabel(label, { exact: true });
		await field.focus();
		await field.pressSequentially(value);
		await page.keyboard.press("Tab");
	}
	await page.getByRole("button", { name: kind === "unit" ? "与经办人相同" : "与申请人相同" }).click();
	await page.getByText("我单独同意处理身份证照片").click();
	await page.getByText("我已阅读并同意").click();
	await next.click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	const tasks = await page.evaluate((since) =>
		globalThis.tasks.filter(({ startTime }) => startTime >= since).map(({ duration }) => duration), from);
	await context.close();
	return tasks;
}

async function fillForms() {
	console.log("\n| form filled in, key by key | tasks over 50 ms | longest ms |\n| --- | --- | --- |");
	let longest = 0;
	for (const kind of Object.keys(FIELDS)) {
		const tasks = [];
		for (let i = 0; i < ROUNDS; i++) tasks.push(...(await fill(kind)));
		const most = Math.max(0, ...tasks);
		console.log(`| ${kind}, ${ROUNDS} times | ${tasks.length} | ${most} |`);
		longest = Math.max(longest, most);
	}
	assert(longest <= LIMIT, `a task of ${longest} ms`);
}

try {
	await weigh();
	await fillForms();
} finally {
	await browser.close();
}
