// Replacement of an organisation's lost key, paid by remittance [L1]-[L10] [C14].
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import {
	confirm, consent, enterCode, newUnit, photoInput, PHOTOS, prove, requestNewCode, submit, uploadPhotos,
} from "./lib/applicant.mjs";
import { approveOrder, atDesk, certify, makeAndPost } from "./lib/journey.mjs";
import { Keys } from "./lib/keys.mjs";
import { readInEnglish } from "./lib/language.mjs";
import { accountNumber } from "./lib/numbers.mjs";
import { People } from "./lib/people.mjs";
import { drawPhoto } from "./lib/photos.mjs";
import { findCertificates } from "./lib/replacement.mjs";
import { readMessage } from "./lib/sandbox.mjs";
import { Scenario } from "./lib/scenario.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const unit = newUnit("北京补办科技有限公司");
const account = accountNumber();
let order = "";
let amount = "";

async function remittanceIsExplained() {
	const { key } = await certify(people, demo, unit);
	new Keys(demo).pull(key, demo.persons.applicant);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/guide#remittance`);
	await page.getByRole("heading", { name: "单位补办的汇款账户" }).waitFor();
	await page.getByText("开户银行").first().waitFor();
	await look(page, "guide");
	await page.context().clearCookies();
}

/** What whoever verifies a certificate needs, at the addresses that the instructions name. */
async function publicAddresses() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/guide`);
	for (const name of ["根证书", "签发证书", "证书撤销列表（CRL）", "证书策略", "电子认证业务规则"]) {
		const address = await page.getByRole("link", { name, exact: true }).getAttribute("href");
		const answer = await page.request.get(demo.portal + address);
		assert.equal(answer.status(), 200, name);
		assert.ok((await answer.body()).length > 200, name);
	}
	await page.getByText(`${demo.portal}/ca/ocsp`).waitFor();
}

async function find() {
	const page = await people.page("applicant");
	await findCertificates(page, demo, unit);
	await look(page, "certificates");
}

async function suspend() {
	const page = await people.page("applicant");
	await page.getByRole("button", { name: "挂失" }).click();
	await look(page, "suspend");
	await page.getByRole("dialog").getByRole("button", { name: "挂失" }).click();
	await page.getByText("证书已挂失，立即生效。").waitFor();
	await page.getByText("已挂失", { exact: true }).waitFor();
	await look(page, "suspended");
}

async function fillIn() {
	const page = await people.page("applicant");
	await page.getByRole("link", { name: "补办", exact: true }).click();
	await page.getByRole("heading", { name: "填写补办信息" }).waitFor();
	assert.equal(await page.getByLabel("单位名称").inputValue(), unit.organisation);
	assert.ok(await page.getByLabel("发票抬头").isDisabled());
	await page.getByLabel("邮寄地址").fill("北京市西城区示例胡同 3 号");
	await look(page, "form");
	await readInEnglish(page, ["中文", ...Object.values(unit), "示范数字证书认证中心", "北京市西城区示例胡同 3 号",
		...(await page.getByRole("heading", { name: "汇款" }).locator("xpath=..").locator("dd").allTextContents())]);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByText("请阅读并勾选同意协议").waitFor();
	await consent(page);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("heading", { name: "身份核验" }).waitFor();
	order = /UK\w{14}/.exec(page.url())[0];
	await prove(page, unit);
	await page.getByText("北京市西城区示例胡同 3 号").waitFor();
	await confirm(page);
}

async function photos() {
	const page = await people.page("applicant");
	amount = (await page.getByText(/^¥\d+\.\d\d$/).first().textContent()).slice(1);
	await photoInput(page, "付款凭证").setInputFiles(await drawPhoto(page, "付款凭证"));
	await uploadPhotos(page, PHOTOS);
	await look(page, "documents");
	await submit(page);
}

async function sign() {
	const page = await people.page("applicant");
	await enterCode(page, await requestNewCode(page, demo.sandbox, unit));
	await page.getByText("申请成功").first().waitFor();
	await look(page, "applied");
}

/** The finance desk enters what the bank's records show, and matches it. */
async function match() {
	const page = await atDesk(people, demo, "finance");
	await page.getByRole("link", { name: "汇款", exact: true }).click();
	const fill = (label, value) => page.getByLabel(label, { exact: false }).first().fill(value);
	await fill("金额", amount);
	await fill("付款人", unit.organisation);
	await fill("付款账号", account);
	await fill("附言", order);
	await fill("到账日期", new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10));
	await fill("银行流水号", "TEST0001");
	await page.getByRole("button", { name: "登记", exact: true }).click();
	await page.getByText("已登记。").waitFor();
	assert.equal(await page.getByLabel("订单号").inputValue(), order);
	await look(page, "remittances");
	await page.getByRole("button", { name: "核对", exact: true }).click();
	await page.getByRole("heading", { name: "已核对" }).waitFor();
	await approveOrder(people, demo, order);
	await readMessage(page, demo.sandbox, unit.agentPhone, /审核通过|已通过/);
}

async function produced() {
	await makeAndPost(people, demo, order);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/orders/${order}`);
	await page.getByText("证书 UKEY 已寄出").waitFor();
	await look(page, "done");
}

/** Revoked; the new one ends when the old one would have. */
async function oldIsRevoked() {
	const page = await people.page("applicant");
	await page.context().clearCookies();
	await findCertificates(page, demo, unit);
	await page.getByText("已注销", { exact: true }).waitFor();
	await page.getByText("有效", { exact: true }).waitFor();
	const ends = await page.getByText(/有效期至：/).allTextContents();
	assert.equal(ends.length, 2);
	assert.equal(/有效期至：.*/.exec(ends[0])[0], /有效期至：.*/.exec(ends[1])[0]);
	await look(page, "both");
}

const passed = await scenario.run([
	["L1 汇款说明 [C12]", remittanceIsExplained],
	["C14 公开信息：CA 证书、CRL、OCSP、证书策略", publicAddresses],
	["L2 单位数字证书、证件号、查询 [L3] [L4]", find],
	["C14 挂失，立即生效 [L10]", suspend],
	["L5 填写信息、身份核验、我已阅读并同意、确认 [C1] [C5] [C6]", fillIn],
	["L6 上传证件和付款凭证", photos],
	["L7 签名验证、申请成功 [C7]", sign],
	["L8 汇款核对、审核、短信 [A4] [C9]", match],
	["L9 制证、寄送 [C10]", produced],
	["L10 原证书注销，到期日不变 [C11]", oldIsRevoked],
]);
await people.end();
process.exitCode = passed ? 0 : 1;
