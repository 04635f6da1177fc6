// The life of one certificate in a minute: new, renewed, unlocked, changed.
import { readFile, writeFile } from "node:fs/promises";

import { check, consent, enterCode, goToCashier, newUnit, phoneOf, requestNewCode } from "./lib/applicant.mjs";
import { download, logIn, showUnlock } from "./lib/holder.mjs";
import { certify, DAY, jump } from "./lib/journey.mjs";
import { remember } from "./lib/keys.mjs";
import { phone } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { readMessage } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const unit = newUnit();

async function renewal() {
	await jump(demo, 300 * DAY);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/renewal`);
	await logIn(page);
	await consent(page);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("button", { name: "确认订单" }).click();
	await goToCashier(page);
	await page.getByRole("button", { name: "付款", exact: true }).click();
	await page.getByRole("link", { name: "继续办理" }).click({ timeout: 60_000 });
	await download(page);
}

async function unlock() {
	const page = await people.page("applicant");
	const provedBy = phone();
	await page.goto(`${demo.portal}/unlock`);
	await showUnlock(page);
	await page.getByRole("button", { name: "开始解锁" }).click();
	await check(page, "法人手机实名认证", { 法定代表人手机号: provedBy });
	await page.getByRole("heading", { name: "输入解锁码" }).waitFor({ timeout: 60_000 });
	await page.getByLabel("解锁授权码").fill(await readMessage(page, demo.sandbox, provedBy, /授权码为(\d{6})/));
	await page.getByRole("button", { name: "下一步" }).click();
	remember(demo.persons.applicant, "000000", "627184");
	await page.getByRole("button", { name: "解锁", exact: true }).click();
	await page.getByRole("heading", { name: "解锁成功" }).waitFor({ timeout: 60_000 });
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
	await enterCode(page, await requestNewCode(page, demo.sandbox, { phone: phoneOf(unit) }));
	await download(page);
}

const passed = await scenario.run([
	["N9 新办", () => certify(people, demo, unit)],
	["R9 更新", renewal],
	["U2 解锁", unlock],
	["V3 变更", change],
]);
await people.end();
if (passed && demo.result) await writeFile(demo.result, "{}", { mode: 0o600 });
process.exitCode = passed ? 0 : 1;
