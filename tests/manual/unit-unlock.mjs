// A forgotten password: the first unlock by identity proofing and an authorisation code, the next by
// an SMS code [U1]-[U5].
import { readFile } from "node:fs/promises";

import { check, newUnit } from "./lib/applicant.mjs";
import { logIn, showUnlock } from "./lib/holder.mjs";
import { certify } from "./lib/journey.mjs";
import { remember } from "./lib/keys.mjs";
import { readInEnglish } from "./lib/language.mjs";
import { phone } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { readMessage } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const { applicant } = demo.persons;
const unit = newUnit("北京解锁科技有限公司");
const OURS = ["中文", "示范数字证书认证中心", unit.organisation];
const provedBy = phone();
/** Not the password. */
const FORGOTTEN = "000000";

async function first() {
	await certify(people, demo, unit);
	const page = await people.page("applicant");
	await page.goto(demo.portal);
	await page.getByRole("link", { name: "证书解锁" }).click();
	await showUnlock(page);
	await page.getByText(unit.organisation).first().waitFor();
	await look(page, "start");
	await page.getByRole("button", { name: "开始解锁" }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	await page.getByText("这是您第一次办理解锁").waitFor();
	await page.getByText("解锁授权码发到哪里").first().waitFor();
	await look(page, "identity");
	await check(page, "法人手机实名认证", { 法定代表人手机号: provedBy });
	await page.getByRole("heading", { name: "输入解锁码" }).waitFor({ timeout: 60_000 });
}

async function authorisation() {
	const page = await people.page("applicant");
	const code = await readMessage(page, demo.sandbox, provedBy, /授权码为(\d{6})/);
	const field = page.getByLabel("解锁授权码");
	await field.fill(code === "111111" ? "222222" : "111111");
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByText("验证码不正确").waitFor();
	await look(page, "wrong-code");
	await field.fill(code);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("heading", { name: "解锁并设置新密码" }).waitFor();
	await readInEnglish(page, OURS);
	await look(page, "unlock");
}

async function newPassword(pin) {
	const page = await people.page("applicant");
	remember(applicant, FORGOTTEN, pin);
	await page.getByRole("button", { name: "解锁", exact: true }).click();
	await page.getByRole("heading", { name: "解锁成功" }).waitFor({ timeout: 60_000 });
	await look(page, "unlocked");
	await page.goto(`${demo.portal}/certificate`);
	await logIn(page);
	await page.context().clearCookies();
}

async function bySms() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/unlock`);
	await page.getByRole("button", { name: "开始解锁" }).click();
	await page.getByRole("button", { name: "发送解锁码" }).click();
	await page.getByText("验证码已发送至").waitFor();
	await page.getByRole("heading", { name: "其他验证方式" }).waitFor();
	await look(page, "sms");
	const code = await readMessage(page, demo.sandbox, unit.agentPhone, /解锁.*?(\d{6})/);
	await page.getByLabel("短信解锁码").fill(code);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("heading", { name: "解锁并设置新密码" }).waitFor();
}

async function otherWay() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/unlock`);
	await page.getByRole("button", { name: "开始解锁" }).click();
	await page.getByRole("button", { name: "其他验证方式" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "其他验证方式" }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	await look(page, "other-way");
}

const passed = await scenario.run([
	["U3 首次解锁：身份核验 [U1] [U4]", first],
	["U5 解锁授权码：输错计数，单次有效 [U3]", authorisation],
	["U2 新密码在弹出的窗口中设置", () => newPassword("735184")],
	["U2 短信解锁码", bySms],
	["U2 再次解锁成功", () => newPassword("840296")],
	["U3 其他验证方式", otherWay],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
