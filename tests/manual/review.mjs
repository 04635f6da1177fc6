// What happens when it does not go well: rejected and corrected, rejected and refunded, a password
// that can't be delivered, a refund that Alipay refuses [C9] [A2] [A4].
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import {
	apply, check, completeToPayment, confirm, enterCode, findOrder, newUnit, pay, photoInput, requestNewCode, submit,
} from "./lib/applicant.mjs";
import { readInEnglish } from "./lib/language.mjs";
import { accountNumber, phone } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { drawPhoto } from "./lib/photos.mjs";
import { arm, readMessage } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";
import { approve, login, openOrder, reject } from "./lib/staff.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const NOTE = "营业执照反光，看不清名称";
const corrected = { unit: newUnit("北京更正商贸有限公司"), order: "" };
const given = { unit: newUnit("北京退款商贸有限公司"), order: "" };
const stuck = { unit: newUnit("北京退票商贸有限公司"), order: "" };

async function order(one, method, fields) {
	const page = await people.page("applicant");
	one.order = await apply(page, demo.portal, one.unit);
	await check(page, method, fields);
	await page.getByRole("heading", { name: "确认订单" }).waitFor();
	await completeToPayment(page, demo.sandbox, one.unit);
	await pay(page);
}

async function threeOrders() {
	await order(stuck, "企业对公账户打款认证", {
		对公账户账号: accountNumber("0009"),
		开户银行: "中国银行北京分行",
	});
	await order(given, "法人手机实名认证", { 法定代表人手机号: phone() });
	await order(corrected, "法人手机实名认证", { 法定代表人手机号: phone() });
}

async function rejectTwo() {
	const page = await people.page("reviewer");
	await login(page, demo, "reviewer");
	await openOrder(page, "审核", corrected.order, "审核");
	await page.getByRole("button", { name: "不通过", exact: true }).click();
	await page.getByRole("button", { name: "确认不通过" }).click();
	await page.getByText("请写明需要改正什么").waitFor();
	await look(page, "review-reject");
	await page.getByRole("button", { name: "取消", exact: true }).click();
	await reject(page, "document-unclear", NOTE);
	await openOrder(page, "审核", given.order, "审核");
	await reject(page, "data-mismatch", "法定代表人与营业执照不一致");
}

async function correct() {
	const page = await people.page("applicant");
	await readMessage(page, demo.sandbox, corrected.unit.agentPhone, /原因：证件照片不清晰/);
	await page.goto(`${demo.portal}/orders/${corrected.order}`);
	await page.getByText(NOTE).waitFor();
	await look(page, "rejected");
	await page.getByRole("link", { name: "修改后重新提交" }).click();
	await page.getByRole("heading", { name: "修改申请信息" }).waitFor();
	await page.getByText(NOTE).waitFor();
	await page.getByLabel("邮寄地址").fill("北京市西城区更正街 8 号");
	await look(page, "rejected-edit");
	await page.getByRole("button", { name: "保存并继续" }).click();
	await page.getByText("¥200.00（已支付）").waitFor();
	await confirm(page);
	await page.getByText(NOTE).waitFor();
	await photoInput(page, "营业执照").setInputFiles(await drawPhoto(page, "营业执照（清晰）"));
	await page.getByRole("button", { name: "确认申请" }).and(page.locator(":enabled")).waitFor();
	await submit(page);
	await enterCode(page, await requestNewCode(page, demo.sandbox, corrected.unit));
	await page.getByRole("heading", { name: "审核中" }).waitFor();

	const desk = await people.page("reviewer");
	await openOrder(desk, "审核", corrected.order, "审核");
	await desk.getByText("北京市西城区更正街 8 号").waitFor();
	await approve(desk);
}

async function refund() {
	const page = await people.page("applicant");
	await findOrder(page, demo, given.unit);
	await page.getByRole("button", { name: "申请退款" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByText("费用原路退回支付宝账户").waitFor();
	await look(page, "refund-ask");
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "hidden" });
	await page.getByRole("button", { name: "申请退款" }).click();
	await dialog.getByRole("button", { name: "申请退款" }).click();
	await page.getByRole("heading", { name: "已退款" }).waitFor({ timeout: 60_000 });
	await readMessage(page, demo.sandbox, given.unit.agentPhone, /已退款200\.00元/);
	await look(page, "refunded");
}

async function attention(page, order, desk = "需处理") {
	await page.getByRole("link", { name: desk, exact: true }).click();
	const row = page.getByRole("row").filter({ hasText: order });
	for (let tries = 0; tries < 30 && !(await row.isVisible()); tries++) {
		await page.getByRole("button", { name: "刷新" }).click();
		await page.waitForTimeout(500);
	}
	return row;
}

async function redeliver() {
	const page = await people.page("reviewer");
	await openOrder(page, "审核", stuck.order, "审核");
	await approve(page);
	const row = await attention(page, stuck.order);
	await row.getByText("证书密码未能送达").waitFor();
	await look(page, "attention");
	await row.getByRole("link", { name: "处理" }).click();
	await page.getByRole("button", { name: "重新发送证书密码" }).click();
	await look(page, "redeliver-ask");
	await page.getByRole("dialog").getByRole("button", { name: "重新发送证书密码" }).click();
	await page.getByText("正在发送证书密码").first().waitFor();
	await readInEnglish(page, [stuck.unit.organisation, stuck.unit.legalPersonName, stuck.unit.agentName,
		stuck.unit.address, "李审", "中文"]);

	const applicant = await people.page("applicant");
	await findOrder(applicant, demo, stuck.unit);
	await applicant.getByRole("heading", { name: "证书密码未能送达" }).waitFor({ timeout: 60_000 });
	await look(applicant, "delivery-failed");
}

async function refundByHand() {
	const page = await people.page("reviewer");
	await (await attention(page, stuck.order)).getByRole("link", { name: "处理" }).click();
	await arm(demo.sandbox, { alipayError: "ACQ.TRADE_HAS_FINISHED" });
	await page.getByRole("button", { name: "退款", exact: true }).click();
	await page.getByRole("dialog").getByRole("button", { name: "退款", exact: true }).click();
	const row = await attention(page, stuck.order, "财务");
	await row.getByText("人工退款中").waitFor();
	await row.getByRole("link", { name: "处理" }).click();
	await page.getByRole("button", { name: "登记人工退款" }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByRole("button", { name: "登记人工退款" }).click();
	assert.equal(await dialog.getByText("请填写此项").count(), 1);
	await look(page, "refunded-by-hand");
	assert.ok(await dialog.getByRole("radio", { name: `${stuck.order}P1` }).isChecked());
	await dialog.getByLabel("退款说明").fill("网银转账，流水号 20260101001");
	await dialog.getByRole("button", { name: "登记人工退款" }).click();
	await page.getByText("· 已退款").waitFor();

	const applicant = await people.page("applicant");
	await applicant.goto(`${demo.portal}/orders/${stuck.order}`);
	await applicant.getByRole("heading", { name: "已退款" }).waitFor();
}

async function sessionEnds() {
	const page = await people.page("reviewer");
	await page.context().clearCookies();
	await page.getByRole("link", { name: "全部订单" }).click();
	await page.getByRole("heading", { name: "工作人员登录" }).waitFor();
	await page.getByRole("button", { name: "登录", exact: true }).click();
	await page.getByRole("heading", { name: "全部订单" }).waitFor();
	await page.getByRole("row").filter({ hasText: corrected.order }).waitFor();
	await look(page, "all-orders");
}

const passed = await scenario.run([
	["N7 三个已支付的订单", threeOrders],
	["C9 审核不通过，写明原因 [A2]", rejectTwo],
	["C9 修改后重新提交，不再付款", correct],
	["C9 申请退款", refund],
	["C3 证书密码未能送达：需处理、重新发送", redeliver],
	["A4 退款被拒绝：登记人工退款", refundByHand],
	["A1 登录过期后回到原来的页面", sessionEnds],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
