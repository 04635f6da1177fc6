// Change of a person's phone: only after a new identity proof [V1]-[V4] [C2]; a page that was left open
// does no harm.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { consent, enterCode, newPerson, prove, requestNewCode } from "./lib/applicant.mjs";
import { download, logIn } from "./lib/holder.mjs";
import { certify } from "./lib/journey.mjs";
import { phone } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { Scenario } from "./lib/scenario.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const person = newPerson("郑变更");
const newPhone = phone();
let order = "";

async function begin() {
	await certify(people, demo, person);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/change`);
	await logIn(page);
	await page.getByText("可以变更。").waitFor();
	assert.ok(await page.getByLabel("身份证号", { exact: true }).isDisabled());
}

async function newNumber() {
	const page = await people.page("applicant");
	await page.getByLabel("手机号", { exact: true }).fill(newPhone);
	await page.getByText("手机号有变化：要重新核验身份").waitFor();
	await consent(page);
	// A double click makes one order.
	await page.getByRole("button", { name: "下一步" }).dblclick();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	order = /UK\w{14}/.exec(page.url())[0];
	await look(page, "identity");
	await prove(page, person, newPhone);
	await look(page, "confirm");
}

/** The other tab shows where the order stands, and the back button brings nothing back. */
async function stalePages() {
	const page = await people.page("applicant");
	const tab = await page.context().newPage();
	await tab.goto(`${demo.portal}/orders/${order}/confirm`);
	await tab.getByRole("button", { name: "确认订单" }).waitFor();
	await page.getByRole("button", { name: "确认订单" }).dblclick();
	await page.getByRole("heading", { name: "签名验证" }).waitFor();
	await tab.getByRole("button", { name: "确认订单" }).click();
	await tab.getByRole("heading", { name: "签名验证" }).waitFor();
	await tab.goBack();
	await tab.close();
	await page.goto(`${demo.portal}/change`);
	await page.getByText("还有没办完的业务").waitFor();
	assert.equal(await page.getByRole("button", { name: "下一步" }).count(), 0);
	await look(page, "order-open");
	await page.getByRole("main").getByRole("link", { name: "继续" }).click();
	await page.getByRole("heading", { name: "签名验证" }).waitFor();
}

/** The proof was of the new number: the code goes there. */
async function signed() {
	const page = await people.page("applicant");
	await enterCode(page, await requestNewCode(page, demo.sandbox, { phone: newPhone }));
	await download(page);
	await look(page, "downloaded");
	await page.goto(`${demo.portal}/orders/${order}`);
	await page.getByText(newPhone).first().waitFor();
}

const passed = await scenario.run([
	["V1 插入 KEY、登录", begin],
	["V4 新手机号：重新核验身份 [C2]", newNumber],
	["C13 两个窗口、后退、双击、没办完的业务 [Q2]", stalePages],
	["V3 短信确认，下载新证书 [V2]", signed],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
