// What an applicant does, page by page, for an order of an organisation or a person.
import { creditCode, idNumber, phone } from "./numbers.mjs";
import { drawPhoto } from "./photos.mjs";
import { readMessage, readMessages } from "./sandbox.mjs";

export const PHOTOS = [
	"营业执照",
	"法定代表人身份证（人像面）",
	"法定代表人身份证（国徽面）",
	"经办人身份证（人像面）",
	"经办人身份证（国徽面）",
];
export const PERSON_PHOTOS = ["身份证（人像面）", "身份证（国徽面）"];
const CODE = /验证码为(\d{6})/;

export function newUnit(organisation = "北京示例科技有限公司") {
	return {
		organisation,
		creditCode: creditCode(),
		legalPersonName: "张建国",
		legalPersonId: idNumber(),
		agentName: "陈晓敏",
		agentId: idNumber(),
		agentPhone: phone(),
		agentEmail: "chenxiaomin@example.com",
		address: "北京市海淀区示例路 1 号 2 层",
	};
}

export function newPerson(name = "刘思远") {
	return {
		name,
		idNumber: idNumber(),
		phone: phone(),
		email: "liusiyuan@example.com",
		address: "上海市徐汇区示例路 8 弄 3 号",
	};
}

export const isUnit = (who) => who.organisation !== undefined;
export const nameOf = (who) => who.organisation ?? who.name;
export const numberOf = (who) => who.creditCode ?? who.idNumber;
/** Gets the codes. */
export const phoneOf = (who) => who.agentPhone ?? who.phone;
const photosOf = (who) => (isUnit(who) ? PHOTOS : PERSON_PHOTOS);

export async function consent(page) {
	await page.getByText("我单独同意处理身份证照片").click();
	await page.getByText("我已阅读并同意").click();
}

async function fillPerson(page, person) {
	const fill = (label, value) => page.getByLabel(label, { exact: true }).fill(value);
	await fill("姓名", person.name);
	await fill("身份证号", person.idNumber);
	await fill("手机号", person.phone);
	await fill("电子邮箱", person.email);
	await page.getByRole("button", { name: "与申请人相同" }).click();
	await fill("邮寄地址", person.address);
	await consent(page);
}

export async function fillForm(page, unit) {
	if (!isUnit(unit)) return fillPerson(page, unit);
	const fill = (label, value) => page.getByLabel(label, { exact: true }).fill(value);
	await fill("单位名称", unit.organisation);
	await fill("统一社会信用代码", unit.creditCode);
	await fill("法定代表人姓名", unit.legalPersonName);
	await fill("法定代表人身份证号", unit.legalPersonId);
	await fill("经办人姓名", unit.agentName);
	await fill("经办人身份证号", unit.agentId);
	await fill("经办人手机号", unit.agentPhone);
	await fill("经办人电子邮箱", unit.agentEmail);
	await page.getByRole("button", { name: "与经办人相同" }).click();
	await fill("邮寄地址", unit.address);
	await consent(page);
}

/** From the empty form to the identity check; the order's number. */
export async function apply(page, portal, unit) {
	await page.goto(`${portal}/new/${isUnit(unit) ? "unit" : "person"}`);
	await fillForm(page, unit);
	await page.getByRole("button", { name: "下一步：身份核验" }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	return /UK\w{14}/.exec(page.url())[0];
}

/** Chooses a way and fills in its fields, by their labels. */
export async function check(page, method, fields) {
	await page.getByRole("radio", { name: method }).check();
	for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
	await page.getByRole("button", { name: "开始核验" }).click();
}

export async function confirm(page) {
	await page.getByRole("button", { name: "确认订单" }).click();
	await page.getByRole("heading", { name: "上传证件照片" }).waitFor();
}

export const photoInput = (page, name) => page.getByLabel(name, { exact: true });

/** By the method that every kind of applicant has: a mobile phone of their own name [C1] [C2]. */
export async function prove(page, who, number = phone()) {
	if (isUnit(who)) await check(page, "法人手机实名认证", { 法定代表人手机号: number });
	else await check(page, "手机实名认证", { 本人手机号: number });
	await page.getByRole("heading", { name: "确认订单" }).waitFor();
	return number;
}

export async function uploadPhotos(page, names = PHOTOS) {
	for (const name of names) await photoInput(page, name).setInputFiles(await drawPhoto(page, name));
	await page.getByRole("button", { name: "确认申请" }).and(page.locator(":enabled")).waitFor();
}

export async function submit(page) {
	await page.getByRole("button", { name: "确认申请" }).click();
	await page.getByRole("heading", { name: "签名验证" }).waitFor();
}

async function sendCode(page) {
	await page.getByRole("button", { name: /发送验证码|重新发送/ }).click();
	await page.getByText("验证码已发送至").waitFor();
}

/** Has a code sent and reads it on the agent's phone. */
export async function requestCode(page, sandbox, unit) {
	await sendCode(page);
	return readMessage(page, sandbox, phoneOf(unit), CODE);
}

/** The same where an older one is on the phone already. */
export async function requestNewCode(page, sandbox, unit) {
	const before = (await readMessages(page, sandbox, phoneOf(unit))).length;
	await sendCode(page);
	return readMessage(page, sandbox, phoneOf(unit), CODE, before);
}

export async function enterCode(page, code) {
	await page.getByLabel("短信验证码").fill(code);
	await page.getByRole("button", { name: "确认签名" }).click();
}

/** From a passed identity check to the payment page. */
export async function completeToPayment(page, sandbox, unit) {
	await confirm(page);
	await uploadPhotos(page, photosOf(unit));
	await submit(page);
	await enterCode(page, await requestCode(page, sandbox, unit));
	await page.getByRole("heading", { name: "支付", exact: true }).waitFor();
}

export async function goToCashier(page) {
	await page.getByRole("button", { name: "去支付" }).click();
	await page.getByRole("heading", { name: "请确认付款" }).waitFor();
}

export async function pay(page) {
	await goToCashier(page);
	await page.getByRole("button", { name: "付款", exact: true }).click();
	await page.getByRole("heading", { name: "审核中" }).waitFor({ timeout: 60_000 });
}

/** The order query, from the number to the code on the agent's phone [Q1]. */
export async function askForOrders(page, { portal, sandbox }, unit) {
	await page.goto(`${portal}/query`);
	const again = page.getByRole("button", { name: "查询其他证件号" });
	const number = page.getByLabel(isUnit(unit) ? "统一社会信用代码" : "身份证号");
	const person = page.getByText("个人", { exact: true });
	await again.or(person).first().waitFor();
	if (await again.isVisible()) await again.click();
	if (!isUnit(unit)) await person.click();
	await number.fill(numberOf(unit));
	const before = (await readMessages(page, sandbox, phoneOf(unit))).length;
	await page.getByRole("button", { name: "发送验证码" }).click();
	return readMessage(page, sandbox, phoneOf(unit), /查询验证码为(\d{6})/, before);
}

export async function enterQueryCode(page, code) {
	await page.getByLabel("短信验证码").fill(code);
	await page.getByRole("button", { name: "确认", exact: true }).click();
}

/** An order that another one has taken the browser's place of: by the order query [Q2]. */
export async function findOrder(page, demo, unit, action = "查看") {
	await enterQueryCode(page, await askForOrders(page, demo, unit));
	await page.getByRole("link", { name: action, exact: true }).click();
}
