// The three ways to prove an identity, how each can fail, and where the password then goes
// [C1] [C3] [C4].  The account's password opens the finished key (installer/lib/demo.mjs).
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";

import { apply, check, completeToPayment, newUnit, pay } from "./lib/applicant.mjs";
import { accountNumber, cardNumber, phone } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { readMessage, readMessages, readRemark } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";
import { approve, login, make, openOrder, ship } from "./lib/staff.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const MOBILE = "法人手机实名认证";
const CARD = "法人银行卡信息认证";
const ACCOUNT = "企业对公账户打款认证";
const BANK = "中国工商银行北京海淀支行";
const PASSWORD = /证书密码为(\d{6})/;

const byCard = { unit: newUnit("北京银卡贸易有限公司"), phone: phone(), order: "" };
const byAccount = { unit: newUnit("北京对公科技有限公司"), account: accountNumber(), order: "" };
let password = "";

/** Starts a check, and waits for why it failed and how many are left. */
async function fails(page, method, fields, why, left) {
	await check(page, method, fields);
	await page.getByText(why).waitFor();
	await page.getByText(left).waitFor();
	for (const [label, value] of Object.entries(fields))
		assert.equal(await page.getByLabel(label, { exact: true }).inputValue(), value, "what was entered is kept");
}

async function failEachWay() {
	const page = await people.page("applicant");
	await apply(page, demo.portal, newUnit());
	await fails(page, MOBILE, { 法定代表人手机号: "13900000003" }, "没有查到登记记录", "今天还可以核验 2 次");
	await fails(page, MOBILE, { 法定代表人手机号: "13900000004" }, "核验服务暂时不可用", "今天还可以核验 2 次");
	await fails(
		page,
		CARD,
		{ 法定代表人银行卡号: "6222020200000002", 银行预留手机号: phone() },
		"填写的信息与登记信息不一致",
		"今天还可以核验 1 次",
	);
	await look(page, "identity-card-failed");
	await check(page, ACCOUNT, { 对公账户账号: "110060777000003", 开户银行: BANK });
	await page.getByText("今天的核验次数已用完").waitFor();
	assert.equal(await page.getByLabel("对公账户账号", { exact: true }).inputValue(), "110060777000003");
	assert.ok(await page.getByRole("button", { name: "开始核验" }).isDisabled());
	await look(page, "identity-used-up");
}

async function proveByCard() {
	const page = await people.page("applicant");
	byCard.order = await apply(page, demo.portal, byCard.unit);
	await check(page, CARD, { 法定代表人银行卡号: cardNumber(), 银行预留手机号: byCard.phone });
	await page.getByRole("heading", { name: "确认订单" }).waitFor();
	await page.getByText(`已通过（${CARD}）`).waitFor();
	await completeToPayment(page, demo.sandbox, byCard.unit);
	await pay(page);
}

async function proveByAccount() {
	const page = await people.page("applicant");
	byAccount.order = await apply(page, demo.portal, byAccount.unit);
	await check(page, ACCOUNT, { 对公账户账号: byAccount.account, 开户银行: BANK });
	await page.getByRole("heading", { name: "确认订单" }).waitFor();
	await completeToPayment(page, demo.sandbox, byAccount.unit);
	await pay(page);
}

async function approveBoth() {
	const page = await people.page("reviewer");
	await login(page, demo, "reviewer");
	await openOrder(page, "审核", byCard.order, "审核");
	await page.getByText(byCard.unit.legalPersonId).waitFor();
	await approve(page);
	await page.getByRole("button", { name: "审核下一个" }).click();
	await page.getByRole("heading", { name: byAccount.unit.organisation }).waitFor();
	await page.getByText(byAccount.unit.legalPersonId).waitFor();
	await page.getByText(byAccount.unit.agentId).waitFor();
	await approve(page);
	await page.getByRole("button", { name: "审核下一个" }).click();
	await page.getByText("没有待审核的订单").waitFor();
}

async function readPasswords() {
	const page = await people.page("applicant");
	assert.match(await readMessage(page, demo.sandbox, byCard.phone, PASSWORD), /^\d{6}$/);
	const received = await readRemark(page, demo.sandbox, byAccount.account, /(?<!\d)(\d{6})(?!\d)/);
	assert.match(received.amount, /^\+0\.01/);
	password = received.password;
	await readMessage(page, demo.sandbox, byAccount.unit.agentPhone, /0\.01元的附言/);
	for (const { unit } of [byCard, byAccount]) {
		const texts = await readMessages(page, demo.sandbox, unit.agentPhone);
		assert.ok(!texts.some((text) => PASSWORD.test(text) || text.includes(password)), "not to the agent");
	}
	await page.goto(`${demo.portal}/orders/${byAccount.order}`);
	await page.getByText("附言里的 6 位数字").first().waitFor();
	await look(page, "password-by-remark");
}

async function produce() {
	const page = await people.page("producer");
	await login(page, demo, "producer");
	await openOrder(page, "制证", byAccount.order, "制证");
	await make(page);
	await ship(page, { carrier: "顺丰速运", tracking: "SF1020304050607" });
}

const passed = await scenario.run([
	["C4 不一致、查无记录、服务不可用、次数用完", failEachWay],
	["C1 法人银行卡信息认证", proveByCard],
	["C1 企业对公账户打款认证", proveByAccount],
	["N8 审核，下一个 [A2]", approveBoth],
	["C3 证书密码：法人短信、对公账户附言", readPasswords],
	["N9 制证 [C10]", produce],
]);
await people.end();
if (passed && demo.result)
	await writeFile(demo.result, JSON.stringify({ order: byAccount.order, password }), { mode: 0o600 });
process.exitCode = passed ? 0 : 1;
