// Change of an organisation's information: contacts by an SMS to the old phone, the name by a match
// or a review; the new certificate on the customer's own key [V1]-[V4].
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import {
	check, confirm, consent, enterCode, newUnit, requestNewCode, submit, uploadPhotos,
} from "./lib/applicant.mjs";
import { download, logIn, showKey } from "./lib/holder.mjs";
import { atDesk, certify } from "./lib/journey.mjs";
import { readInEnglish } from "./lib/language.mjs";
import { People } from "./lib/people.mjs";
import { Scenario } from "./lib/scenario.mjs";
import { approve, openOrder } from "./lib/staff.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const unit = newUnit("北京变更科技有限公司");
const renamed = "北京新名科技有限公司";
let order = "";

const field = (page, name) => page.getByText(name, { exact: true }).locator("xpath=following-sibling::dd[1]");

async function nameIsShown() {
	await certify(people, demo, unit);
	const page = await people.page("applicant");
	await page.goto(demo.portal);
	await page.getByRole("link", { name: "信息变更" }).click();
	await showKey(page);
	await page.getByText(unit.organisation).first().waitFor();
	await look(page, "log-in");
	await logIn(page);
	await page.getByText("可以变更。").waitFor();
}

async function nothingChanged() {
	const page = await people.page("applicant");
	await consent(page);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByText("请先修改需要变更的内容").waitFor();
	await look(page, "nothing-changed");
}

/** A code to the phone registered so far, not to the new one. */
async function contacts() {
	const page = await people.page("applicant");
	await page.getByLabel("邮寄地址").fill("北京市朝阳区示例街 9 号");
	await page.getByText("用短信验证码（发到原来的手机）确认").waitFor();
	await look(page, "contacts");
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("button", { name: "确认订单" }).click();
	await page.getByRole("heading", { name: "签名验证" }).waitFor();
	await look(page, "signature");
	await enterCode(page, await requestNewCode(page, demo.sandbox, unit));
	await page.getByRole("button", { name: "开始下载" }).waitFor();
}

async function newCertificate() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/certificate`);
	await logIn(page);
	const end = await field(page, "到期时间").textContent();
	const old = await field(page, "证书序列号").textContent();
	await page.getByRole("main").getByRole("link", { name: "继续" }).click();
	await download(page);
	await page.getByText("原来的证书已注销").first().waitFor();
	await look(page, "downloaded");
	await page.goto(`${demo.portal}/certificate`);
	await logIn(page);
	assert.equal(await field(page, "到期时间").textContent(), end);
	assert.notEqual(await field(page, "证书序列号").textContent(), old);
	const desk = await atDesk(people, demo, "reviewer");
	await desk.getByRole("link", { name: "证书", exact: true }).click();
	await desk.getByLabel("按什么查询").selectOption("serial");
	await desk.getByLabel("号码").fill(old);
	await desk.getByRole("button", { name: "查询", exact: true }).click();
	await desk.getByText("已注销", { exact: true }).waitFor();
	await look(desk, "old-revoked");
}

/** The name differs from the register: a review decides. */
async function newName() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/change`);
	await logIn(page);
	await page.getByLabel("单位名称").fill(renamed);
	await page.getByText("写在证书里的名称有变化").waitFor();
	await consent(page);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	order = /UK\w{14}/.exec(page.url())[0];
	await check(page, "法人手机实名认证", { 法定代表人手机号: "13800000002" });
	await page.getByText("填写的信息与登记信息不一致").waitFor();
	await look(page, "no-match");
	await page.getByRole("button", { name: "改为人工审核" }).click();
	await page.getByRole("heading", { name: "确认订单" }).waitFor();
	await confirm(page);
	await uploadPhotos(page);
	await submit(page);
	await enterCode(page, await requestNewCode(page, demo.sandbox, unit));
	await page.getByRole("heading", { name: "审核中" }).waitFor();
	await look(page, "in-review");

	const desk = await atDesk(people, demo, "reviewer");
	await openOrder(desk, "审核", order, "审核");
	await desk.getByRole("heading", { name: "与原来的信息相比" }).waitFor();
	await desk.getByText(`${unit.organisation} → ${renamed}`).waitFor();
	await look(desk, "review");
	await approve(desk);

	await page.goto(`${demo.portal}/orders/${order}/download`);
	await download(page);
	await page.getByText(renamed).first().waitFor();
	await readInEnglish(page, ["中文", "示范数字证书认证中心", renamed]);
}

const passed = await scenario.run([
	["V1 插入 KEY、证书名称、登录", nameIsShown],
	["V2 没有修改的不能提交", nothingChanged],
	["V2 修改联系方式，原手机短信确认 [V4]", contacts],
	["V3 下载新证书，到期日不变，旧证书注销", newCertificate],
	["V4 名称变更：核对不一致，人工审核", newName],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
