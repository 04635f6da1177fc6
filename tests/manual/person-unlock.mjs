// A person's key, locked by ten wrong passwords [U1], opened by an authorisation code [U3], found again
// in another browser [Q2], with another key put in between [U5].
import { readFile } from "node:fs/promises";

import { check, findOrder, newPerson } from "./lib/applicant.mjs";
import { logIn, showUnlock } from "./lib/holder.mjs";
import { certify } from "./lib/journey.mjs";
import { Keys, remember } from "./lib/keys.mjs";
import { cardNumber, phone } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { readMessage } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const { applicant } = demo.persons;
const keys = new Keys(demo);
const person = newPerson("孙解锁");
const provedBy = phone();
let key = "";

async function lock() {
	({ key } = await certify(people, demo, person));
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/certificate`);
	await logIn(page);
	await page.context().clearCookies();
	keys.lock(key, applicant, 10);
	keys.pull(key, applicant);
	await page.goto(`${demo.portal}/renewal`);
	keys.plug(key, applicant);
	await page.getByText("这个 KEY 已被锁定").waitFor();
	await look(page, "locked");
	await page.getByRole("link", { name: "前往证书解锁" }).click();
	await showUnlock(page);
	await page.getByText("这个 KEY 已被锁定，可以在这里解锁").waitFor();
	await look(page, "unlock");
}

async function identity() {
	const page = await people.page("applicant");
	await page.getByRole("button", { name: "开始解锁" }).click();
	await check(page, "银行卡信息认证", { 本人银行卡号: cardNumber(), 银行预留手机号: provedBy });
	await page.getByRole("heading", { name: "输入解锁码" }).waitFor({ timeout: 60_000 });
	await page.getByText("遇到困难？请拨打服务电话").waitFor();
	await page.context().clearCookies();
	await findOrder(page, demo, person, "继续");
	await page.getByLabel("解锁授权码").fill(await readMessage(page, demo.sandbox, provedBy, /授权码为(\d{6})/));
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("heading", { name: "解锁并设置新密码" }).waitFor();
}

async function otherKey() {
	const page = await people.page("applicant");
	keys.pull(key, applicant);
	const other = keys.foreign(applicant, "别人的KEY");
	await page.getByText("这个 KEY 里没有可以办理的证书").waitFor();
	keys.pull(other, applicant);
	keys.plug(key, applicant);
	await page.getByRole("button", { name: "解锁", exact: true }).waitFor();
}

async function open() {
	const page = await people.page("applicant");
	remember(applicant, "000000", "518264");
	await page.getByRole("button", { name: "解锁", exact: true }).click();
	await page.getByRole("heading", { name: "解锁成功" }).waitFor({ timeout: 60_000 });
	await look(page, "unlocked");
	await page.goto(`${demo.portal}/certificate`);
	await logIn(page);
}

const passed = await scenario.run([
	["U1 连续输错 10 次，KEY 锁定", lock],
	["U3 身份核验、解锁授权码、服务电话 [C2] [Q2] [U4]", identity],
	["U5 换了别的 KEY 不能解锁", otherKey],
	["U2 锁定的 KEY 打开，新密码可用", open],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
