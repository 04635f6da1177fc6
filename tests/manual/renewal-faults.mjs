// A renewal in which everything breaks that can, before and after each step: the key pulled, its
// driver, the helper, the browser and the CA killed, the network cut.  Then it goes on: one payment,
// one certificate, both ends agree [R5].
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { consent, goToCashier, newUnit } from "./lib/applicant.mjs";
import { Faults, Looks } from "./lib/faults.mjs";
import { logIn, showKey } from "./lib/holder.mjs";
import { certify, DAY, jump } from "./lib/journey.mjs";
import { Keys } from "./lib/keys.mjs";
import { People } from "./lib/people.mjs";
import { findProcesses, runs } from "./lib/processes.mjs";
import { Scenario, soon } from "./lib/scenario.mjs";
import { statusOf } from "./lib/status.mjs";

const demo = JSON.parse(await readFile(process.argv[2] ?? "demo.json", "utf8"));
const people = new People(demo);
people.quality.expect(/^Failed to load resource: net::ERR_/);
const scenario = new Scenario(demo.screenshots, people);
const look = (page, name) => scenario.look(page, name);

const { applicant, reviewer } = demo.persons;
const keys = new Keys(demo);
const looks = new Looks();
const unit = newUnit("北京断点科技有限公司");
let faults;
let order = "";
/** On the key before it all: {id, serial, ...} */
let old;

const certificates = () => JSON.parse(keys.ukey(applicant, "certificates", "--json")).certificates.filter((one) => one.hasKey);
const toSign = () => certificates().filter(({ usage }) => usage.includes("sign"));

/** By the CA's books, as nobody else can see them. */
const booked = (query) => JSON.parse(execFileSync("python3", ["-c", `
import json, sqlite3, sys
print(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2], sys.argv[3:]).fetchall()))
`, join(demo.ca.dir, "ukey-ca.db"), query, order], { encoding: "utf8" }));

/** The old one signs, and whoever asks the CA hears that it is good. */
function oldWorks() {
	faults.mend();
	keys.ukey(applicant, "sign", "--certificate", old.id, "--format", "der", "--in", applicant.pinFile,
		"--out", join(applicant.home, "signature"));
	assert.equal(statusOf(demo, old.serial), "good");
}

async function toTheDownload() {
	const { key } = await certify(people, demo, unit);
	faults = new Faults(demo, keys, key);
	[old] = toSign();
	await jump(demo, 300 * DAY);
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/renewal`);
	await showKey(page);
	await logIn(page);
	await consent(page);
	await page.getByRole("button", { name: "下一步" }).click();
	await page.getByRole("button", { name: "确认订单" }).click();
	await goToCashier(page);
	await page.getByRole("button", { name: "付款", exact: true }).click();
	await page.getByRole("link", { name: "继续办理" }).click({ timeout: 60_000 });
	await page.getByRole("button", { name: "开始下载" }).waitFor();
	order = /UK\w{14}/.exec(page.url())[0];
	await looks.watch(page);
	oldWorks();
}

/** Somebody else's key, with a certificate of this CA on it. */
async function otherKey() {
	const page = await people.page("applicant");
	faults.pull();
	keys.post("reviewer", reviewer, applicant);
	const refused = page.getByText(`插入的是“${reviewer.name}”的 KEY，不能用于这个订单`);
	const allow = page.getByRole("button", { name: "允许使用这些证书" });
	await refused.or(allow).waitFor();
	if (await allow.isVisible()) await allow.click();
	await refused.waitFor();
	await page.getByText(`请换成“${unit.organisation}”的 KEY`).waitFor();
	await look(page, "other-key");
	keys.post("reviewer", applicant, reviewer);
	faults.plug();
	await page.getByRole("button", { name: "开始下载" }).waitFor();
}

/** Starts, or goes on, until the page wants to know how the order stands. */
async function begin(page) {
	const button = page.getByRole("button", { name: /开始下载|继续下载/ }).and(page.locator(":enabled:not(.is-loading)"));
	await soon("the download goes on", async () => {
		if (!looks.pending && (await button.isVisible())) await button.click();
		return looks.pending;
	});
}

/** Goes on to the next fault, and sees it there; `meanwhile` is in the middle of the step. */
async function until(step, arm, { meanwhile, more = 0 } = {}) {
	const page = await people.page("applicant");
	looks.allow(0);
	await begin(page);
	faults.mend();
	await caAnswers();
	await arm(page);
	looks.allow(more + 1);
	const row = page.getByRole("listitem").filter({ hasText: step });
	if (meanwhile) {
		await row.getByText("进行中", { exact: true }).waitFor();
		await page.waitForTimeout(1000);
		await meanwhile();
	}
	// Where the key or the helper went, the page may be at it again already.
	await soon(`${step} fails`, async () => {
		const state = await row.locator(".progress__state").textContent();
		return state === "没有成功" || (looks.pending && state === "等待");
	});
	console.log(`   broken at ${step}`);
}

/** The one request of the page with this address: `act` decides what becomes of it. */
const once = (page, address, act) => page.route(address, act, { times: 1 });
/** It arrives, and the CA dies before anybody hears of it. */
async function lose(route) {
	await route.fetch();
	faults.killCa();
	await route.abort();
}

async function keyGeneration() {
	const page = await people.page("applicant");
	await page.context().setOffline(true);
	await page.getByRole("button", { name: "开始下载" }).click();
	await page.getByText("网络连接不上").first().waitFor();
	await look(page, "offline");
	await page.context().setOffline(false);
	await until("生成密钥", () => faults.driver("SKF_GenECCKeyPair", 1, "--crash"));
	await until("生成密钥", () => faults.driver("SKF_ECCSignData", 1, "--crash"));
	oldWorks();
}

const REQUEST = /\/api\/orders\/\w+\/request$/;

async function issuance() {
	await until("签发证书", (page) => once(page, REQUEST, (route) => {
		faults.killHelper();
		return route.abort();
	}));
	await until("签发证书", (page) => once(page, REQUEST, (route) => {
		faults.killCa();
		return route.continue();
	}));
	await until("签发证书", (page) => once(page, REQUEST, lose));
	await jump(demo, 300 * DAY + 31); // past the lease of the job that died with the CA
	await soon("the CA issues", () => booked("SELECT state FROM orders WHERE id = ?")[0][0] === "installing");
	oldWorks();
}

async function anotherBrowser() {
	await people.kill("applicant");
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/renewal`);
	await logIn(page);
	await page.getByRole("main").getByRole("link", { name: "继续" }).click();
	await page.getByRole("button", { name: /开始下载|继续下载/ }).waitFor();
	await looks.watch(page);
}

async function writing() {
	const page = await people.page("applicant");
	await until("写入证书", () => faults.driver("SKF_ImportECCKeyPair", 1, "--crash"));
	await until("写入证书", () => faults.driver("SKF_ImportCertificate", 1, "--block", "2500"), { meanwhile: () => faults.pull() });
	if (looks.pending) looks.allow(1);
	await page.getByText("KEY 被拔出了。请插回同一个 KEY").waitFor();
	await look(page, "pulled");
	faults.plug();
	await until("写入证书", () => faults.driver("SKF_ImportCertificate", 1, "--crash"));
	await until("写入证书", () => faults.driver("SKF_ECCSignData", 1, "--error", "SAR_FAIL"));
	await until("写入证书", () => faults.driver("SKF_ECCSignData", 1, "--block", "2500"), { meanwhile: () => faults.killHelper() });
	await until("写入证书", () => faults.driver("SKF_Decrypt", 1, "--block", "2500"), { meanwhile: () => faults.killTokenHelper() });
	oldWorks();
}

const PROOF = /\/api\/orders\/\w+\/proof$/;

async function proof() {
	await until("验证新证书", (page) => once(page, PROOF, (route) => route.abort()), { more: 1 });
	await anotherBrowser();
	await until("验证新证书", (page) => once(page, PROOF, lose), { more: 1 });
}

/** Both ends agree: one payment, one certificate with the one to encrypt to, on the key and in the books. */
async function bothAgree() {
	const page = await people.page("applicant");
	await caAnswers();
	looks.allow(Infinity);
	await page.getByRole("button", { name: /开始下载|继续下载/ }).click();
	await page.getByRole("heading", { name: "下载成功" }).waitFor({ timeout: 60_000 });
	await look(page, "done");
	assert.deepEqual(booked("SELECT status FROM payments WHERE order_id = ?"), [["paid"]]);
	const books = booked("SELECT usage, serial FROM certificates WHERE order_id = ? ORDER BY usage DESC");
	assert.deepEqual(books.map(([usage]) => usage), ["sign", "encrypt"]);
	for (const [usage, serial] of books) {
		assert.ok(certificates().some((one) => one.serial === serial && one.usage.includes(usage)));
		assert.equal(statusOf(demo, serial), "good");
	}
	assert.equal(certificates().length, 4, "the old pair, which can't be parted from what opens old letters, and the new one");
}

async function newOneWorks() {
	const page = await people.page("applicant");
	await page.goto(`${demo.portal}/certificate`);
	await logIn(page);
	const { serial } = toSign().find((one) => one.serial !== old.serial);
	await page.getByText(new RegExp(serial, "i")).first().waitFor();
	await page.goto(`${demo.portal}/renewal`);
	await page.getByText("到期前 90 天内才能更新").waitFor();
}

const caAnswers = () =>
	soon("the CA answers", () => fetch(`${demo.server}/api/site`).then(({ ok }) => ok, () => false));

const passed = await scenario.run([
	["R1 到期前 90 天内：付款，到下载", toTheDownload],
	["R5 换了别人的 KEY：按名字拒绝", otherKey],
	["R5 生成密钥前后：断网、驱动崩溃", keyGeneration],
	["R5 生成密钥后浏览器被杀，重新打开", anotherBrowser],
	["R5 签发前后：助手、CA 被杀，请求和回答丢失", issuance],
	["R5 签发后浏览器被杀，重新打开", anotherBrowser],
	["R5 写入前后：驱动崩溃、拔出 KEY、助手被杀", writing],
	["R5 验证前后：断网、浏览器被杀、CA 被杀、回答丢失", proof],
	["R5 一次付款，一张证书，两边一致 [R9]", bothAgree],
	["R9 新证书可用", newOneWorks],
]);
await people.end();
// The one that the browser has started is nobody's child.
for (const { pid } of findProcesses(applicant.runtimeDir, runs("ukeyd"))) process.kill(pid, "SIGTERM");
process.exitCode = passed ? 0 : 1;
