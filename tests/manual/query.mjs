// The order query: who may, what is shown, where it goes on, and what can be downloaded [Q1]-[Q3].
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { apply, askForOrders, enterQueryCode, newPerson, newUnit } from "./lib/applicant.mjs";
import { certify } from "./lib/journey.mjs";
import { readInEnglish } from "./lib/language.mjs";
import { creditCode } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { readMessages } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const unit = newUnit("北京查询科技有限公司");
const stranger = newPerson("冯查询");
let done = "";
let open = "";
let others = "";

/** A number that belongs to nobody, and one that does: the same words. */
async function nobody() {
	const page = await people.page("applicant");
	({ order: done } = await certify(people, demo, unit));
	open = await apply(page, demo.portal, unit);
	others = await apply(page, demo.portal, stranger);
	await page.context().clearCookies();
	await page.goto(`${demo.portal}/query`);
	await page.getByLabel("统一社会信用代码").fill(creditCode());
	await page.getByRole("button", { name: "发送验证码" }).click();
	await page.getByText("如果这个号码有订单，验证码已发送到经办人的手机。").waitFor();
	await page.getByLabel("短信验证码").fill("123456");
	await page.getByRole("button", { name: "确认", exact: true }).click();
	await page.getByText("验证码不正确").waitFor();
	await look(page, "nobody");
}

async function byCode() {
	const page = await people.page("applicant");
	const code = await askForOrders(page, demo, unit);
	assert.equal((await readMessages(page, demo.sandbox, stranger.phone)).length, 0);
	await enterQueryCode(page, code);
	await page.getByText(done).waitFor();
}

/** All of this applicant's, none of another's. */
async function all() {
	const page = await people.page("applicant");
	await page.getByText(open).waitFor();
	assert.equal(await page.getByText(others).count(), 0);
	await page.getByRole("heading", { name: "我的证书" }).waitFor();
	await look(page, "orders");
	await readInEnglish(page, ["中文", "示范数字证书认证中心", unit.organisation]);
	await page.goto(`${demo.portal}/orders/${others}`);
	await page.getByText("请先通过短信验证再查看这个订单").waitFor();
	await page.goto(`${demo.portal}/query`);
	await page.getByRole("link", { name: "继续", exact: true }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	assert.match(page.url(), new RegExp(open));
}

async function papers() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/query`);
	await page.getByRole("link", { name: "密码获取方式" }).click();
	await page.getByRole("heading", { name: "证书密码获取方式" }).waitFor();
	await page.getByText("证书密码以短信发送到法定代表人的手机").waitFor();
	await look(page, "details");
	for (const name of ["订单详情（PDF）", "已签署的申请（PDF）", "发票（PDF）"]) {
		const address = await page.getByRole("link", { name }).getAttribute("href");
		const answer = await page.request.get(demo.portal + address);
		assert.equal(answer.status(), 200, name);
		assert.equal((await answer.body()).subarray(0, 5).toString(), "%PDF-", name);
	}
}

const passed = await scenario.run([
	["Q1 证件号不属于任何人：同样的回答", nobody],
	["Q1 证件号、经办人手机验证码、确认", byCode],
	["Q2 全部订单、别人的看不到、继续 [C13]", all],
	["Q3 密码获取方式、订单详情、申请、发票 [C3]", papers],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
