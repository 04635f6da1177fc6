// Renewal of an organisation's certificate on its own key [R1]-[R7] [R9].
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { consent, goToCashier, newUnit } from "./lib/applicant.mjs";
import { logIn, showKey } from "./lib/holder.mjs";
import { certify, DAY, jump } from "./lib/journey.mjs";
import { Keys } from "./lib/keys.mjs";
import { readInEnglish } from "./lib/language.mjs";
import { People } from "./lib/people.mjs";
import { Scenario } from "./lib/scenario.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const { applicant, reviewer } = demo.persons;
const keys = new Keys(demo);
const unit = newUnit("北京更新科技有限公司");
const OURS = ["中文", "示范数字证书认证中心", unit.organisation, unit.address, unit.legalPersonName, unit.agentName];
let key = "";
let order = "";

/** SoftHSM2 has a blank key in at all times. */
const noKey = (page) => page.getByText("请把证书 KEY 插入电脑").or(page.getByText("插入的是空白 KEY"));

async function tooEarly() {
	({ key } = await certify(people, demo, unit));
	const page = await people.page("applicant");
	await page.goto(demo.portal);
	await page.getByRole("link", { name: "证书更新" }).click();
	await showKey(page);
	await look(page, "log-in");
	await logIn(page);
	await page.getByText("到期前 90 天内才能更新").waitFor();
	assert.equal(await page.getByRole("button", { name: "下一步" }).count(), 0);
	await look(page, "too-early");
}

/** None, two, one: the page says so, and goes on by itself. */
async function oneKey() {
	await jump(demo, 300 * DAY);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/renewal`);
	await showKey(page); // what was allowed 300 days ago has run out
	keys.pull(key, applicant);
	await noKey(page).waitFor();
	await look(page, "no-key");
	keys.plug(key, applicant);
	await page.getByText(unit.organisation).first().waitFor();
	const other = keys.foreign(applicant, "另一个KEY");
	await page.getByText("插入了多个 KEY").waitFor();
	await look(page, "two-keys");
	keys.pull(other, applicant);
	await page.getByText(unit.organisation).first().waitFor();
}

async function prefilled() {
	const page = await people.page("applicant");
	await logIn(page);
	await page.getByText("可以更新。").waitFor();
	await look(page, "possible");
	assert.equal(await page.getByLabel("单位名称").inputValue(), unit.organisation);
	assert.ok(await page.getByLabel("统一社会信用代码").isDisabled());
	assert.equal(await page.getByLabel("邮寄地址").inputValue(), unit.address);
	await page.getByText("没有修改。").waitFor();
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByText("请阅读并勾选同意协议").waitFor();
	await consent(page);
	await readInEnglish(page, OURS);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("heading", { name: "确认订单" }).waitFor();
	order = /UK\w{14}/.exec(page.url())[0];
	await look(page, "confirm");
	await page.getByRole("button", { name: "确认订单" }).click();
	await page.getByRole("heading", { name: "支付", exact: true }).waitFor();
}

async function payAndLeave() {
	const page = await people.page("applicant");
	await goToCashier(page);
	await page.getByRole("button", { name: "付款", exact: true }).click();
	await page.getByRole("link", { name: "继续办理" }).waitFor({ timeout: 60_000 });
	await page.goto(demo.portal);
}

/** The browser is closed, the key pulled while the CA issues, another key put in. */
async function downloadWithHurdles() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/renewal`);
	await logIn(page);
	await page.getByRole("heading", { name: "没办完的业务" }).waitFor();
	await look(page, "unfinished");
	await page.getByRole("main").getByRole("link", { name: "继续" }).click();
	await page.getByRole("button", { name: "开始下载" }).waitFor();
	await look(page, "download");
	// Out between the key pair and the writing [R5].
	await page.route("**/request", async (route) => {
		keys.pull(key, applicant);
		await route.continue();
	});
	await page.getByRole("button", { name: "开始下载" }).click();
	await page.getByText("KEY 被拔出了。请插回同一个 KEY").waitFor({ timeout: 60_000 });
	await look(page, "pulled");
	await page.unroute("**/request");
	// A key with another certificate is refused by name.
	const [other] = keys.inserted(reviewer);
	keys.post(other, reviewer, applicant);
	await page.getByRole("button", { name: "允许使用这些证书" }).click();
	await page.getByText("插入的是“李审”的 KEY，不能用于这个订单").waitFor();
	await look(page, "other-key");
	keys.pull(other, applicant);
	await noKey(page).waitFor();
	keys.plug(key, applicant);
	await page.getByRole("heading", { name: "下载成功" }).waitFor({ timeout: 120_000 });
	await page.getByText("并用新证书完成了一次签名验证，可以正常使用").waitFor();
	await look(page, "downloaded");
	await readInEnglish(page, OURS);
}

/** The new certificate is the one on the key; it ends a year after the old one [R2]. */
async function newCertificate() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/certificate`);
	await logIn(page);
	await page.getByText("有效", { exact: true }).waitFor();
	await look(page, "certificate");
	await page.goto(`${demo.portal}/orders/${order}`);
	await page.getByText("新证书已下载到您的 KEY，可以正常使用。").waitFor();
	await look(page, "done");
	await page.goto(`${demo.portal}/renewal`);
	await page.getByText("到期前 90 天内才能更新").waitFor();
}

const passed = await scenario.run([
	["R1 到期前 90 天以前不能更新，说明日期 [R6]", tooEarly],
	["R4 没有 KEY、多个 KEY、一个 KEY", oneKey],
	["R7 原信息、下一步、确认订单 [C5] [R6]", prefilled],
	["R9 支付 [C8] [C13]", payAndLeave],
	["R5 下载中拔出 KEY、换 KEY、插回继续", downloadWithHurdles],
	["R2 到期日：原到期日加一年 [R9]", newCertificate],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
