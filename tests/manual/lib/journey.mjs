// What comes before the flows of a certificate: the certificate.
import { writeFile } from "node:fs/promises";

import { apply, completeToPayment, nameOf, pay, prove } from "./applicant.mjs";
import { Keys, remember } from "./keys.mjs";
import { readMessage } from "./sandbox.mjs";
import { approve, login, make, openOrder } from "./staff.mjs";

export const DAY = 86_400;

/** Sets the time of the CA and of the key helpers ahead. */
export const jump = (demo, seconds) => writeFile(demo.clock, String(seconds));

/** Logged in or not: a member of the staff at the console. */
export async function atDesk(people, demo, person) {
	const page = await people.page(person);
	await page.goto(demo.console);
	const out = page.getByRole("button", { name: "退出" });
	const heading = page.getByRole("heading", { name: "工作人员登录" });
	await out.or(heading).first().waitFor();
	if (await heading.isVisible()) await login(page, demo, person);
	return page;
}

export async function approveOrder(people, demo, order) {
	const page = await atDesk(people, demo, "reviewer");
	await openOrder(page, "审核", order, "审核");
	await approve(page);
}

/** Makes the key of an approved order and brings it to the customer: the key's name. */
export async function makeAndPost(people, demo, order) {
	const { producer, applicant } = demo.persons;
	const keys = new Keys(demo);
	const before = keys.inserted(producer);
	const page = await atDesk(people, demo, "producer");
	await page.getByRole("link", { name: "制证", exact: true }).click();
	await page.getByRole("row").filter({ hasText: order }).waitFor({ timeout: 60_000 });
	await openOrder(page, "制证", order, "制证");
	await make(page);
	await page.getByLabel("快递单号").fill("SF1098765432109");
	await page.getByRole("button", { name: "登记寄出" }).click();
	await page.getByText("这个订单办理完成").waitFor();
	const key = keys.inserted(producer).find((one) => !before.includes(one));
	keys.post(key, producer, applicant);
	return key;
}

/** A new certificate from the form to the customer's machine: {order, key, password, provedBy}. */
export async function certify(people, demo, who) {
	const page = await people.page("applicant");
	const order = await apply(page, demo.portal, who);
	const provedBy = await prove(page, who);
	await completeToPayment(page, demo.sandbox, who);
	await pay(page);
	await approveOrder(people, demo, order);
	const password = await readMessage(page, demo.sandbox, provedBy, /证书密码为(\d{6})/);
	const key = await makeAndPost(people, demo, order);
	remember(demo.persons.applicant, password);
	console.log(`   a key of ${nameOf(who)}'s is in the customer's machine`);
	return { order, key, password, provedBy };
}
