// A new certificate for an organisation, from the home page to the tracking number [N1]-[N9].
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";

import { fillForm, PHOTOS, newUnit, pay as payOrder, photoInput, requestCode, submit } from "./lib/applicant.mjs";
import { phone, wrongId } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { drawPhoto } from "./lib/photos.mjs";
import { readMessage, readMessages } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";
import { approve, login, make, openOrder, ship } from "./lib/staff.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const unit = newUnit();
const legalPersonPhone = phone();
const shipment = { carrier: "中国邮政 EMS", tracking: "1098765432101" };
const PASSWORD = /证书密码为(\d{6})/;

let order = "";
let password = "";

async function chooseNewUnit() {
	const page = await people.page("applicant");
	await page.goto(demo.portal);
	for (const flow of ["在线新办 · 单位", "在线新办 · 个人", "证书更新", "证书解锁", "证书补办", "信息变更", "订单查询", "办理说明"])
		await page.getByRole("main").getByRole("link", { name: flow }).waitFor();
	await look(page, "home");
	await page.getByRole("link", { name: "办理说明" }).first().click();
	await page.getByRole("heading", { name: "证书密码怎么拿到" }).waitFor();
	await look(page, "guide");
	await page.getByRole("link", { name: "在线新办 · 单位" }).click();
	await page.getByRole("heading", { name: "填写申请信息" }).waitFor();
}

async function fillIn() {
	const page = await people.page("applicant");
	await look(page, "form-empty");
	await page.getByRole("button", { name: "下一步：身份核验" }).click();
	await page.getByText("请填写此项。").first().waitFor();
	await look(page, "form-incomplete");

	await fillForm(page, unit);
	const id = page.getByLabel("法定代表人身份证号", { exact: true });
	await id.fill(wrongId(unit.legalPersonId));
	await page.getByText("身份证号不正确").waitFor();
	const code = page.getByLabel("统一社会信用代码", { exact: true });
	const last = unit.creditCode.endsWith("1") ? "2" : "1";
	await code.fill(unit.creditCode.slice(0, 17) + last);
	await page.getByText("末位校验码与规则不符").waitFor();
	assert.equal(await page.getByLabel("发票抬头").inputValue(), unit.organisation);
	assert.ok(await page.getByLabel("发票抬头").isDisabled());
	await look(page, "form-wrong");

	await page.reload();
	await page.getByText("已恢复您上次填写的内容").waitFor();
	assert.equal(await page.getByLabel("单位名称").inputValue(), unit.organisation);
	assert.equal(await id.inputValue(), "");
	await fillForm(page, unit);
	await page.getByRole("button", { name: "下一步：身份核验" }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	order = /UK\w{14}/.exec(page.url())[0];
}

async function proveIdentity() {
	const page = await people.page("applicant");
	await look(page, "identity");
	const field = page.getByLabel("法定代表人手机号");
	await field.fill("13800000002");
	await page.getByRole("button", { name: "开始核验" }).click();
	await page.getByText("正在核验身份").waitFor();
	await page.getByText("填写的信息与登记信息不一致").waitFor();
	await page.getByText("今天还可以核验 2 次").waitFor();
	assert.equal(await field.inputValue(), "13800000002");
	await look(page, "identity-failed");

	await field.fill(legalPersonPhone);
	await page.getByRole("button", { name: "开始核验" }).click();
	await page.getByRole("heading", { name: "确认订单" }).waitFor();
}

async function confirm() {
	const page = await people.page("applicant");
	await look(page, "confirm");
	await page.getByRole("link", { name: "返回修改" }).click();
	assert.equal(await page.getByLabel("邮寄地址").inputValue(), unit.address);
	await page.getByLabel("邮寄地址").fill(`${unit.address} 201 室`);
	await page.getByRole("button", { name: "保存并继续" }).click();
	await page.getByText(`${unit.address} 201 室`).waitFor();
	await page.getByRole("button", { name: "确认订单" }).click();
	await page.getByRole("heading", { name: "上传证件照片" }).waitFor();
}

async function uploadPhotos() {
	const page = await people.page("applicant");
	const input = (name) => photoInput(page, name);
	await look(page, "documents-empty");
	await input("营业执照").setInputFiles({
		name: "营业执照.txt",
		mimeType: "text/plain",
		buffer: Buffer.from("不是照片"),
	});
	await page.getByText("只能上传 JPG 或 PNG").waitFor();
	for (const [at, name] of PHOTOS.entries()) {
		await input(name).setInputFiles(await drawPhoto(page, name));
		await page.getByText("✓ 已上传").nth(at).waitFor();
	}
	await input("营业执照").setInputFiles(await drawPhoto(page, "营业执照（更换）"));
	await page.getByRole("button", { name: "确认申请" }).and(page.locator(":enabled")).waitFor();
	await look(page, "documents");
	await submit(page);
}

async function sign() {
	const page = await people.page("applicant");
	const right = await requestCode(page, demo.sandbox, unit);
	await page.getByRole("button", { name: /秒后可重发/ }).waitFor();
	await look(page, "signature");
	const field = page.getByLabel("短信验证码");
	await field.fill(right === "111111" ? "222222" : "111111");
	await page.getByRole("button", { name: "确认签名" }).click();
	await page.getByText("验证码不正确").waitFor();
	await field.fill(right);
	await page.getByRole("button", { name: "确认签名" }).click();
	await page.getByRole("heading", { name: "支付", exact: true }).waitFor();
}

/** The payment page did not open: the order query leads back to it [C8] [Q1] [Q2]. */
async function findOrderAgain() {
	const page = await people.page("applicant");
	await look(page, "payment");
	await page.goBack();
	await page.goto(`${demo.portal}/orders/${order}/signature`);
	await page.getByRole("heading", { name: "支付", exact: true }).waitFor();
	await page.context().clearCookies();
	await page.goto(`${demo.portal}/orders/${order}`);
	await page.getByText("请先通过短信验证再查看这个订单").waitFor();
	await look(page, "no-access");
	await page.getByRole("link", { name: "前往订单查询" }).click();
	await page.getByLabel("统一社会信用代码").fill(unit.creditCode);
	await page.getByRole("button", { name: "发送验证码" }).click();
	await page.getByText("验证码已发送到经办人的手机").waitFor();
	const code = await readMessage(page, demo.sandbox, unit.agentPhone, /查询验证码为(\d{6})/);
	await page.getByLabel("短信验证码").fill(code);
	await look(page, "query");
	await page.getByRole("button", { name: "确认", exact: true }).click();
	await page.getByText(order).waitFor();
	await look(page, "query-results");
	await page.getByRole("link", { name: "继续" }).click();
	await page.getByRole("button", { name: "去支付" }).waitFor();
}

async function pay() {
	const page = await people.page("applicant");
	await payOrder(page);
	await page.getByText("我们最晚在").waitFor();
	await look(page, "in-review");
}

async function review() {
	const page = await people.page("reviewer");
	await page.goto(demo.console);
	await page.getByRole("heading", { name: "工作人员登录" }).waitFor();
	await page.waitForTimeout(1500);
	await look(page, "staff-login");
	await login(page, demo, "reviewer");
	assert.equal(await page.getByRole("link", { name: "制证", exact: true }).count(), 0);
	await look(page, "review-queue");
	await openOrder(page, "审核", order, "审核");
	await page.getByRole("heading", { name: unit.organisation }).waitFor();
	for (const name of PHOTOS) await page.getByRole("button", { name, exact: true }).click();
	await page.getByRole("button", { name: "放大" }).click();
	await page.getByRole("button", { name: "旋转" }).click();
	await page.getByRole("button", { name: "还原" }).click();
	await page.getByRole("button", { name: PHOTOS[0], exact: true }).click();
	await page.getByRole("img", { name: PHOTOS[0] }).waitFor();
	await look(page, "review-order");
	await approve(page);

	password = await readMessage(page, demo.sandbox, legalPersonPhone, PASSWORD);
	const agentTexts = await readMessages(page, demo.sandbox, unit.agentPhone);
	assert.ok(!agentTexts.some((text) => PASSWORD.test(text)), "the agent must not get the password");
}

async function produce() {
	const page = await people.page("producer");
	await login(page, demo, "producer");
	await page.getByRole("link", { name: "制证", exact: true }).click();
	await page.getByRole("row").filter({ hasText: order }).waitFor({ timeout: 60_000 });
	await look(page, "production-queue");
	await openOrder(page, "制证", order, "制证");
	await make(page, (name) => look(page, name));
	await ship(page, shipment);
	await look(page, "production-posted");

	const applicant = await people.page("applicant");
	await applicant.goto(`${demo.portal}/orders/${order}`);
	await applicant.getByText(shipment.tracking).waitFor();
	await applicant.getByText("证书序列号").waitFor();
	await look(applicant, "done");
	await readMessage(applicant, demo.sandbox, unit.agentPhone, new RegExp(shipment.tracking));
}

const passed = await scenario.run([
	["N1 在线新办 - 办理单位证书", chooseNewUnit],
	["N2 填写信息", fillIn],
	["N3 身份核验 [C1] [C4]", proveIdentity],
	["N4 确认订单、返回修改 [C5]", confirm],
	["N5 上传证件 [C6]", uploadPhotos],
	["N6 签名验证 [C7]", sign],
	["Q1 订单查询、继续 [Q2] [C8] [C13]", findOrderAgain],
	["N7 支付 [C8]", pay],
	["N8 审核、短信、证书密码 [C3] [C9] [A1] [A2]", review],
	["N9 制证、寄送 [C10] [A3]", produce],
]);
await people.end();
if (passed && demo.result)
	await writeFile(demo.result, JSON.stringify({ order, password, ...shipment }), { mode: 0o600 });
process.exitCode = passed ? 0 : 1;
