// What goes wrong on the applicant's side, and how the page leads on: photos that are none, codes
// wrong and old, two tabs, the back button, a payment given up and a payment page closed
// [C4] [C7] [C8] [C13] [N5] [N6] [Q1].
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";

import {
	apply, askForOrders, check, confirm, enterCode, enterQueryCode, goToCashier, newUnit, pay, photoInput, PHOTOS,
	requestCode, requestNewCode, submit, uploadPhotos,
} from "./lib/applicant.mjs";
import { readInEnglish } from "./lib/language.mjs";
import { phone } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { drawPhoto } from "./lib/photos.mjs";
import { Scenario } from "./lib/scenario.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const unit = newUnit("北京坎坷贸易有限公司");
const names = ["示范银行北京分行", ...Object.values(unit), "示范数字证书认证中心", "中文"];
const jump = (seconds) => writeFile(demo.clock, String(seconds));
let order = "";

async function begin() {
	const page = await people.page("applicant");
	await page.goto(demo.portal);
	await readInEnglish(page, names);
	await page.goto(`${demo.portal}/guide`);
	await readInEnglish(page, names);
	await page.goto(`${demo.portal}/nothing-here`);
	await page.getByRole("heading", { name: "没有这个页面" }).waitFor();
	await look(page, "not-found");
	order = await apply(page, demo.portal, unit);
	await readInEnglish(page, names);
	await check(page, "法人手机实名认证", { 法定代表人手机号: phone() });
	await page.getByRole("heading", { name: "确认订单" }).waitFor();
	await readInEnglish(page, names);
}

async function twoTabs() {
	const page = await people.page("applicant");
	const other = await page.context().newPage();
	await other.goto(page.url());
	await other.getByRole("heading", { name: "确认订单" }).waitFor();
	await confirm(page);
	await other.getByRole("button", { name: "确认订单" }).click();
	await other.getByRole("heading", { name: "上传证件照片" }).waitFor();
	await other.close();
	await page.goBack();
	await page.goto(`${demo.portal}/orders/${order}/confirm`);
	await page.getByRole("heading", { name: "上传证件照片" }).waitFor();
}

async function photos() {
	const page = await people.page("applicant");
	const [licence, ...others] = PHOTOS;
	const refused = async (file, why) => {
		await photoInput(page, licence).setInputFiles(file);
		await page.getByText(why).waitFor();
	};
	await refused({ name: "营业执照.txt", mimeType: "text/plain", buffer: Buffer.from("不是照片") }, "只能上传 JPG 或 PNG");
	await refused({ name: "营业执照.jpg", mimeType: "image/jpeg", buffer: Buffer.from("不是照片") }, "这个文件打不开");
	await refused({ name: "大.jpg", mimeType: "image/jpeg", buffer: Buffer.alloc(20 << 20, 0xff) }, "照片超过 10 MB");
	await refused(await drawPhoto(page, "小", 0.1), "照片尺寸太小");
	await look(page, "documents-refused");
	await readInEnglish(page, names);
	await photoInput(page, licence).setInputFiles(await drawPhoto(page, licence));
	await page.getByText("照片尺寸太小").waitFor({ state: "hidden" });
	await uploadPhotos(page, others);
	await submit(page);
}

async function codes() {
	const page = await people.page("applicant");
	const first = await requestCode(page, demo.sandbox, unit);
	await enterCode(page, first === "111111" ? "222222" : "111111");
	await page.getByText("验证码不正确").waitFor();
	await page.getByText("还可以再试").waitFor();
	await look(page, "signature-wrong");
	await readInEnglish(page, names);
	await jump(301);
	await enterCode(page, first);
	await page.getByText("验证码已过期").waitFor();
	await page.reload();
	const second = await requestNewCode(page, demo.sandbox, unit);
	await jump(0);
	await enterCode(page, second);
	await page.getByRole("heading", { name: "支付", exact: true }).waitFor();
}

async function giveUpPaying() {
	const page = await people.page("applicant");
	await readInEnglish(page, names);
	await goToCashier(page);
	await page.getByRole("button", { name: "取消", exact: true }).click();
	await page.getByText("正在确认支付结果").waitFor();
	await look(page, "payment-return");
	await page.getByRole("link", { name: "没有付款，返回支付" }).click();
	await page.getByRole("button", { name: "我已付款，查询结果" }).click();
	await page.getByText("还没有收到付款结果").waitFor();
	await look(page, "payment-not-yet");
}

async function closePaymentPage() {
	const page = await people.page("applicant");
	await goToCashier(page);
	await page.context().clearCookies();
	const code = await askForOrders(page, demo, unit);
	await readInEnglish(page, names);
	await enterQueryCode(page, code === "111111" ? "222222" : "111111");
	await page.getByText("验证码不正确").waitFor();
	await look(page, "query-wrong");
	await enterQueryCode(page, code);
	await page.getByRole("link", { name: "继续" }).click();
	await page.getByRole("button", { name: "去支付" }).waitFor();
}

async function payLater() {
	const page = await people.page("applicant");
	const left = await page.context().newPage();
	await left.goto(page.url());
	await left.getByRole("button", { name: "去支付" }).waitFor();
	await pay(page);
	await left.getByRole("button", { name: "去支付" }).click();
	await left.getByRole("heading", { name: "审核中" }).waitFor();
	await left.close();
	await page.goBack();
	await page.goto(`${demo.portal}/orders/${order}/payment`);
	await page.getByRole("heading", { name: "审核中" }).waitFor();
	await readInEnglish(page, names);
	assert.match(await page.title(), /^订单详情 - /);
}

const passed = await scenario.run([
	["N4 到确认订单，中英文切换", begin],
	["C13 两个窗口、后退", twoTabs],
	["N5 照片：文本、打不开、太大、太小", photos],
	["N6 验证码：错误、过期 [C7]", codes],
	["N7 收银台取消 [C8]", giveUpPaying],
	["C8 支付页面关闭：订单查询回来 [Q1] [Q2]", closePaymentPage],
	["C8 稍后支付，另一个窗口里的旧页面", payLater],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
