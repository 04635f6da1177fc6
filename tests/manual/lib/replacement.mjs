// The way to a replacement: the number, the code, the list of certificates [L2]-[L4] [M1] [M2].
import { isUnit, numberOf, phoneOf } from "./applicant.mjs";
import { readMessage, readMessages } from "./sandbox.mjs";

export async function findCertificates(page, demo, who) {
	await page.goto(demo.portal);
	await page.getByRole("main").getByRole("link", { name: "证书补办" }).click();
	await page.getByText(isUnit(who) ? "单位数字证书" : "个人数字证书").click();
	const number = page.getByLabel(isUnit(who) ? "统一社会信用代码" : "身份证号");
	await number.fill(numberOf(who));
	await page.getByRole("button", { name: "查询", exact: true }).click();
	const before = (await readMessages(page, demo.sandbox, phoneOf(who))).length;
	await page.getByRole("button", { name: "发送验证码" }).click();
	await page.getByText("验证码已发送到经办人的手机").waitFor();
	const code = await readMessage(page, demo.sandbox, phoneOf(who), /查询验证码为(\d{6})/, before);
	await page.getByLabel("短信验证码").fill(code);
	await page.getByRole("button", { name: "确定", exact: true }).click();
	await page.getByRole("heading", { name: "证书", exact: true }).waitFor();
}
