// One certificate: lost and found, by its holder and by the staff, as whoever verifies it hears of it
// [C14]; then an order about it of each kind, left half done and gone on with in another browser [Q1] [Q2].
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { apply, check, consent, findOrder, newUnit } from "./lib/applicant.mjs";
import { logIn, showUnlock } from "./lib/holder.mjs";
import { atDesk, certify, DAY, jump } from "./lib/journey.mjs";
import { Keys } from "./lib/keys.mjs";
import { phone } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { findCertificates } from "./lib/replacement.mjs";
import { Scenario, soon } from "./lib/scenario.mjs";
import { isListed, statusOf } from "./lib/status.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const { applicant } = demo.persons;
const keys = new Keys(demo);
const unit = newUnit("北京换机科技有限公司");
let serials = [];
let now = 0;

/** Codes to one phone are few an hour. */
async function later(seconds = 3700) {
	now += seconds;
	await jump(demo, now);
}

/** Both of a pair, in OCSP at once and on the list soon. */
async function heard(status) {
	for (const serial of serials) {
		assert.equal(statusOf(demo, serial), status);
		await soon(`${serial} on the list`, async () => (await isListed(demo, serial)) === (status !== "good"));
	}
}

async function byHolder() {
	await certify(people, demo, unit);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/certificate`);
	await logIn(page);
	serials = JSON.parse(keys.ukey(applicant, "certificates", "--json")).certificates
		.filter(({ hasKey }) => hasKey).map(({ serial }) => serial);
	await heard("good");
	await act(page, "挂失");
	await page.getByText("证书已挂失，立即生效。").waitFor();
	await look(page, "suspended");
	await heard("revoked certificateHold");
	await act(page, "恢复使用");
	await page.getByText("证书已恢复使用。").waitFor();
	await heard("good");
}

async function act(page, name) {
	await page.getByRole("button", { name, exact: true }).click();
	await page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
}

async function byStaff() {
	const desk = await atDesk(people, demo, "reviewer");
	await desk.getByRole("link", { name: "证书", exact: true }).click();
	await desk.getByLabel("按什么查询").selectOption("serial");
	await desk.getByLabel("号码").fill(serials[0]);
	await desk.getByRole("button", { name: "查询", exact: true }).click();
	await act(desk, "挂失");
	await desk.getByText("已挂失", { exact: true }).waitFor();
	await heard("revoked certificateHold");
	await look(desk, "suspended-by-staff");

	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/renewal`);
	await page.getByText("这张证书已挂失。如果 KEY 已找回").waitFor();
	await act(desk, "恢复使用");
	await desk.getByText("有效", { exact: true }).waitFor();
	await heard("good");
}

/** Another computer: nothing is known there but the document number and the phone. */
async function elsewhere(heading) {
	await people.close("applicant");
	await later();
	const page = await people.page("applicant");
	await findOrder(page, demo, unit, "继续");
	await page.getByRole("heading", { name: heading, exact: true }).waitFor();
	return page;
}

async function giveUp(page) {
	await page.goto(`${demo.portal}/orders/${/UK\w{14}/.exec(page.url())[0]}`);
	await act(page, "取消订单");
	await page.getByRole("dialog").waitFor({ state: "hidden" });
}

async function newOrder() {
	const page = await people.page("applicant");
	await apply(page, demo.portal, unit);
	await giveUp(await elsewhere("身份核验"));
}

async function unlock() {
	let page = await people.page("applicant");
	await page.goto(`${demo.portal}/unlock`);
	await showUnlock(page);
	await page.getByRole("button", { name: "开始解锁" }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	page = await elsewhere("身份核验");
	await check(page, "法人手机实名认证", { 法定代表人手机号: phone() });
	await page.getByRole("heading", { name: "输入解锁码" }).waitFor({ timeout: 60_000 });
	await giveUp(await elsewhere("输入解锁码"));
}

async function change() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/change`);
	await logIn(page);
	await page.getByLabel("邮寄地址").fill("北京市朝阳区示例街 9 号");
	await consent(page);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("button", { name: "确认订单" }).click();
	await page.getByRole("heading", { name: "签名验证" }).waitFor();
	await giveUp(await elsewhere("签名验证"));
}

async function replacement() {
	const page = await people.page("applicant");
	await page.context().clearCookies();
	await later();
	await findCertificates(page, demo, unit);
	await page.getByRole("link", { name: "补办", exact: true }).click();
	await consent(page);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.waitForURL(/\/orders\/UK/);
	const heading = await page.getByRole("heading", { level: 1 }).textContent();
	await giveUp(await elsewhere(heading));
}

async function renewal() {
	await later(300 * DAY);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/renewal`);
	await logIn(page);
	await consent(page);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("button", { name: "确认订单" }).click();
	await page.getByRole("heading", { name: "支付", exact: true }).waitFor();
	await look(await elsewhere("支付"), "payment");
}

/** For good, by whoever has the key. */
async function revoked() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/certificate`);
	await logIn(page);
	await page.getByRole("button", { name: "注销", exact: true }).click();
	await page.getByLabel("原因").selectOption("key-compromise");
	await page.getByRole("dialog").getByRole("button", { name: "注销", exact: true }).click();
	await page.getByText("证书已注销").waitFor();
	await heard("revoked keyCompromise");
}

const passed = await scenario.run([
	["C14 持有人挂失、恢复：OCSP 立即，CRL 随后", byHolder],
	["C14 工作人员挂失、恢复", byStaff],
	["Q2 新办的订单在另一个浏览器里继续 [Q1] [C13]", newOrder],
	["Q2 解锁的订单", unlock],
	["Q2 变更的订单", change],
	["Q2 补办的订单", replacement],
	["Q2 更新的订单", renewal],
	["C14 持有人注销", revoked],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
