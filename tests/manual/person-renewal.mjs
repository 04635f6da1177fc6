// Renewal of a person's certificate after its end: up to a year later at once [R3], later only after a
// review [R8].
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { completeToPayment, consent, goToCashier, newPerson, prove } from "./lib/applicant.mjs";
import { download, logIn, showKey } from "./lib/holder.mjs";
import { approveOrder, certify, DAY, jump } from "./lib/journey.mjs";
import { People } from "./lib/people.mjs";
import { Scenario } from "./lib/scenario.mjs";
import { renewStaffKey } from "./lib/staffkey.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const person = newPerson("吴更新");
let order = "";

async function begin() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/renewal`);
	await showKey(page);
	await logIn(page);
}

async function next(page) {
	await consent(page);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.waitForURL(/\/orders\/UK/);
	order = /UK\w{14}/.exec(page.url())[0];
}

async function pay(page) {
	await goToCashier(page);
	await page.getByRole("button", { name: "付款", exact: true }).click();
}

async function expired() {
	await certify(people, demo, person);
	await jump(demo, 465 * DAY);
	await begin();
	const page = await people.page("applicant");
	await page.getByText("可以更新。").waitFor();
	await page.getByText("下载之日起一年").waitFor();
	await page.getByText("已过期", { exact: true }).waitFor();
	await look(page, "expired");
	await next(page);
	await page.getByRole("button", { name: "确认订单" }).click();
	await pay(page);
	await page.getByRole("link", { name: "继续办理" }).click({ timeout: 60_000 });
	await download(page);
	await look(page, "downloaded");
}

/** One year from the download, by the CA's clock. */
async function oneYear() {
	const page = await people.page("applicant");
	const read = async (name) =>
		page.getByText(name, { exact: true }).locator("xpath=following-sibling::dd[1]").textContent();
	const year = (text) => Number(/(\d{4})年/.exec(text)[1]);
	const day = (text) => /年(.*日)/.exec(text)[1];
	const [from, to] = [await read("生效时间"), await read("到期时间")];
	assert.equal(year(to), year(from) + 1);
	assert.equal(day(to), day(from));
}

async function longExpired() {
	await jump(demo, 1300 * DAY);
	await begin();
	const page = await people.page("applicant");
	await page.getByText("过期已超过一年").waitFor();
	await look(page, "long-expired");
	await next(page);
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	await prove(page, person);
	await completeToPayment(page, demo.sandbox, person);
	await pay(page);
	await page.getByRole("heading", { name: "审核中" }).waitFor({ timeout: 60_000 });
	assert.equal(await page.getByRole("link", { name: "继续办理" }).count(), 0);
	await page.goto(`${demo.portal}/orders/${order}/download`);
	await page.getByRole("heading", { name: "审核中" }).waitFor();
	await look(page, "in-review");
}

async function approved() {
	renewStaffKey(demo, "reviewer", "李审二", "reviewer");
	await approveOrder(people, demo, order);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/orders/${order}`);
	await page.getByRole("link", { name: "继续办理" }).click();
	await download(page);
	await look(page, "downloaded-after-review");
}

const passed = await scenario.run([
	["R1 到期后 365 天内可以更新 [R6] [R7] [R9]", expired],
	["R3 已到期的，从下载起一年 [C11]", oneYear],
	["R8 过期超过一年：身份核验、照片、支付、审核 [C2]", longExpired],
	["R8 审核通过后才能下载", approved],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
