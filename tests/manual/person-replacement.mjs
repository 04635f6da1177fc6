// Replacement of a person's lost key [M1]-[M7] [L10].
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { completeToPayment, consent, newPerson, pay, prove } from "./lib/applicant.mjs";
import { approveOrder, certify, makeAndPost } from "./lib/journey.mjs";
import { Keys } from "./lib/keys.mjs";
import { People } from "./lib/people.mjs";
import { findCertificates } from "./lib/replacement.mjs";
import { readMessage } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const person = newPerson("周补办");
let order = "";
let provedBy = "";

async function find() {
	const { key } = await certify(people, demo, person);
	new Keys(demo).pull(key, demo.persons.applicant);
	const page = await people.page("applicant");
	await page.context().clearCookies();
	await findCertificates(page, demo, person);
	await look(page, "certificates");
}

async function fillIn() {
	const page = await people.page("applicant");
	await page.getByRole("link", { name: "补办", exact: true }).click();
	assert.equal(await page.getByLabel("姓名", { exact: true }).inputValue(), person.name);
	assert.ok(await page.getByLabel("身份证号", { exact: true }).isDisabled());
	await page.getByLabel("邮寄地址").fill("上海市黄浦区示例路 5 号");
	await consent(page);
	await look(page, "form");
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	order = /UK\w{14}/.exec(page.url())[0];
	provedBy = await prove(page, person);
}

async function photosAndSignature() {
	const page = await people.page("applicant");
	await completeToPayment(page, demo.sandbox, person);
}

async function payment() {
	const page = await people.page("applicant");
	await pay(page);
	await page.getByText("申请成功").first().waitFor();
}

async function review() {
	const page = await people.page("applicant");
	const before = provedBy;
	await approveOrder(people, demo, order);
	await readMessage(page, demo.sandbox, before, /证书密码为(\d{6})/);
}

async function produced() {
	await makeAndPost(people, demo, order);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/orders/${order}`);
	await page.getByText("证书 UKEY 已寄出").waitFor();
	await page.context().clearCookies();
	await findCertificates(page, demo, person);
	await page.getByText("已注销", { exact: true }).waitFor();
	await page.getByText("有效", { exact: true }).waitFor();
	await look(page, "both");
}

const passed = await scenario.run([
	["M1 输入身份证号、查询 [M2]", find],
	["M3 原信息、修改、身份核验 [C2] [L10]", fillIn],
	["M4 照片、短信签名 [C7]", photosAndSignature],
	["M5 支付 [C8]", payment],
	["M6 审核、短信、证书密码 [C3] [C9]", review],
	["M7 制证、寄送；原证书注销 [C10] [L10]", produced],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
