// A new certificate for a person, from the home page to the tracking number [P1]-[P9] [C2].
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import {
	check, confirm, consent, enterCode, fillForm, findOrder, newPerson, pay, PERSON_PHOTOS, requestCode, submit, uploadPhotos,
} from "./lib/applicant.mjs";
import { readInEnglish } from "./lib/language.mjs";
import { cardNumber, phone, wrongId } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { readMessage } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";
import { approve, login, make, openOrder, ship } from "./lib/staff.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const person = newPerson();
const cardPhone = phone();
const shipment = { carrier: "顺丰速运", tracking: "SF1098765432109" };
const PASSWORD = /证书密码为(\d{6})/;
/** Chinese in English pages: what is called so. */
const OURS = ["中文", "示范数字证书认证中心"];

let order = "";

async function chooseNewPerson() {
	const page = await people.page("applicant");
	await page.goto(demo.portal);
	await page.getByRole("link", { name: "在线新办 · 个人" }).click();
	await page.getByRole("heading", { name: "填写申请信息" }).waitFor();
	assert.equal(await page.getByLabel("统一社会信用代码").count(), 0);
}

async function fillIn() {
	const page = await people.page("applicant");
	await page.getByRole("button", { name: "下一步：身份核验" }).click();
	await page.getByText("请填写此项。").first().waitFor();
	await look(page, "form-incomplete");
	await fillForm(page, person);
	const id = page.getByLabel("身份证号", { exact: true });
	await id.fill(wrongId(person.idNumber));
	await page.getByText("身份证号不正确").waitFor();
	// Left and opened again: all but the identity number and the consents is there [C13].
	await page.reload();
	await page.getByText("已恢复您上次填写的内容").waitFor();
	assert.equal(await page.getByLabel("姓名", { exact: true }).inputValue(), person.name);
	assert.equal(await id.inputValue(), "");
	assert.equal(await page.getByLabel("发票抬头").inputValue(), person.name);
	await id.fill(person.idNumber);
	await consent(page);
	await look(page, "form");
	await page.getByRole("button", { name: "下一步：身份核验" }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	order = /UK\w{14}/.exec(page.url())[0];
}

async function proveIdentity() {
	const page = await people.page("applicant");
	assert.equal(await page.getByRole("radio").count(), 2);
	assert.equal(await page.getByText("对公账户").count(), 0);
	await check(page, "手机实名认证", { 本人手机号: "13800000002" });
	await page.getByText("填写的信息与登记信息不一致").waitFor();
	await look(page, "identity-failed");
	await readInEnglish(page, OURS);
	await check(page, "银行卡信息认证", { 本人银行卡号: cardNumber(), 银行预留手机号: cardPhone });
	await page.getByRole("heading", { name: "确认订单" }).waitFor();
}

async function confirmOrder() {
	const page = await people.page("applicant");
	await page.getByText("已通过（银行卡信息认证）").waitFor();
	await page.getByRole("link", { name: "返回修改" }).click();
	assert.equal(await page.getByLabel("身份证号", { exact: true }).inputValue(), person.idNumber);
	await page.getByLabel("邮寄地址").fill(`${person.address} 302 室`);
	await page.getByRole("button", { name: "保存并继续" }).click();
	await page.getByText(`${person.address} 302 室`).waitFor();
	await look(page, "confirm");
	await confirm(page);
}

async function uploadAll() {
	const page = await people.page("applicant");
	await uploadPhotos(page, PERSON_PHOTOS);
	await look(page, "documents");
	await submit(page);
}

async function sign() {
	const page = await people.page("applicant");
	await page.getByText(`${person.name}本人提交的证书申请`).waitFor();
	await enterCode(page, await requestCode(page, demo.sandbox, person));
	await page.getByRole("heading", { name: "支付", exact: true }).waitFor();
}

/** From another browser: the query leads back to the payment [C8] [Q1] [Q2]. */
async function findAgain() {
	const page = await people.page("applicant");
	await page.context().clearCookies();
	await findOrder(page, demo, person, "继续");
	await page.getByRole("button", { name: "去支付" }).waitFor();
	await pay(page);
	await look(page, "in-review");
}

async function review() {
	const page = await people.page("reviewer");
	await login(page, demo, "reviewer");
	await openOrder(page, "审核", order, "审核");
	await page.getByRole("heading", { name: person.name }).waitFor();
	for (const name of PERSON_PHOTOS) await page.getByRole("button", { name, exact: true }).click();
	await look(page, "review-order");
	await approve(page);
	await readMessage(page, demo.sandbox, cardPhone, PASSWORD);
}

async function produce() {
	const page = await people.page("producer");
	await login(page, demo, "producer");
	await page.getByRole("link", { name: "制证", exact: true }).click();
	await page.getByRole("row").filter({ hasText: order }).waitFor({ timeout: 60_000 });
	await openOrder(page, "制证", order, "制证");
	await make(page);
	await ship(page, shipment);
	const applicant = await people.page("applicant");
	await applicant.goto(`${demo.portal}/orders/${order}`);
	await applicant.getByText(shipment.tracking).waitFor();
	await applicant.getByText("证书密码以短信发送到您的手机").waitFor();
	await look(applicant, "done");
	await readInEnglish(applicant, [person.name, person.address, "302 室", "顺丰速运", ...OURS]);
}

const passed = await scenario.run([
	["P1 在线新办 - 办理个人证书", chooseNewPerson],
	["P2 填写信息 [C6] [C12] [C13]", fillIn],
	["P3 身份核验 [C2] [C4]", proveIdentity],
	["P4 确认订单、返回修改 [C5]", confirmOrder],
	["P5 上传身份证", uploadAll],
	["P6 签名验证 [C7]", sign],
	["P7 支付、订单查询、继续 [C8] [Q1] [Q2]", findAgain],
	["P8 审核、短信、证书密码 [C3] [C9]", review],
	["P9 制证、寄送 [C10] [Q3]", produce],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
