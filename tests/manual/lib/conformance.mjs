// What a page may rely on, whatever the road: each step takes the desk and an open page of its site.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { verify, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { PIN, until } from "./desk.mjs";

/**
 * Runs in the page, or in a frame, with its client; a refusal comes back as {reason, …}.  As text,
 * because the page's own policy forbids to make code of it.
 */
export function inPage(page, task, arg) {
	return page.evaluate(`(async () => {
		try {
			window.client ??= await ukey.connect();
			return await (${task})(window.client, ${JSON.stringify(arg)});
		} catch (error) {
			if (error.name !== "UkeyError") throw error;
			return { reason: error.reason, triesLeft: error.triesLeft, retry: error.retry };
		}
	})()`);
}

const certificates = (client) =>
	client.certificate
		.list()
		.then((list) => list.certificates.map(({ certificate, ...rest }) => rest));

async function refused(page, reason, task, arg) {
	const answer = await inPage(page, task, arg);
	assert.equal(answer?.reason, reason);
	return answer;
}

async function hello({ site, road }, page) {
	const said = await inPage(page, (client) => ({
		...client.hello,
		road: client.road,
		detour: client.detour,
	}));
	assert.equal(said.name, "ukeyd");
	assert.deepEqual(said.site, { origin: site, allowed: false });
	assert.equal(said.road, road.name);
	assert.equal(said.detour, road.name === "extension" ? null : "extension-missing");
}

async function siteDenied(desk, page) {
	await refused(page, "site-not-allowed", (client) => client.token.list());
	desk.answer("!no");
	await refused(page, "denied", (client) => client.site.request());
	await refused(page, "site-not-allowed", (client) => client.token.list());
}

async function siteAllowed(desk, page) {
	desk.answer();
	await inPage(page, (client) => client.site.request());
	const [token] = await inPage(page, (client) => client.token.list());
	assert.equal(token.state, "ready");
	const [certificate] = await inPage(page, certificates);
	assert.equal(certificate.commonName, token.label);
	assert.ok(certificate.hasKey);
}

/** A frame is its own site: it has its own name and none of its page's permissions. */
async function frames(desk, page) {
	await page.evaluate((src) => {
		const frame = document.createElement("iframe");
		frame.src = src;
		return new Promise((resolve) => {
			frame.onload = resolve;
			document.body.append(frame);
		});
	}, desk.otherSite);
	const frame = page.frames().find((one) => one.url().startsWith(desk.otherSite));
	const said = await inPage(frame, (client) => client.hello.site);
	assert.deepEqual(said, { origin: desk.otherSite, allowed: false });
	await refused(frame, "site-not-allowed", (client) => client.token.list());
	await inPage(frame, (client) => client.close());
	await page.evaluate(() => document.querySelector("iframe").remove());
}

const login = async (client) => client.token.login((await client.token.list())[0].id);

async function wrongPin(desk, page) {
	desk.answer("111111", "222222", "333333");
	await refused(page, "pin-wrong", login);
}

async function cancelled(desk, page) {
	desk.answer("!cancel");
	await refused(page, "cancelled", login);
}

async function loggedIn(desk, page) {
	desk.answer(PIN);
	await inPage(page, login);
	const [token] = await inPage(page, (client) => client.token.list());
	assert.ok(token.loggedIn);
	await inPage(page, (client, id) => client.token.logout(id), token.id);
}

/** The bytes that login.create signs (PROTOCOL.md section 4). */
function loginBytes(origin, { audience, nonce, expires }) {
	const expiry = Buffer.alloc(8);
	expiry.writeBigUInt64BE(BigInt(expires));
	const fields = [origin, audience, nonce].map((text) => Buffer.from(text));
	const framed = [...fields, expiry].flatMap((bytes) => {
		const length = Buffer.alloc(4);
		length.writeUInt32BE(bytes.length);
		return [length, bytes];
	});
	return Buffer.concat([Buffer.from("ukey-login-1\0"), ...framed]);
}

function assertSigned(data, { signature, certificate }) {
	const key = new X509Certificate(Buffer.from(certificate, "base64")).publicKey;
	const bytes = Buffer.from(signature, "base64");
	assert.ok(verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, bytes));
}

async function loginSignature(desk, page) {
	const challenge = {
		audience: "conformance",
		nonce: "0123456789abcdef0123456789abcdef",
		expires: Math.floor(Date.now() / 1000) + 120,
	};
	desk.answer(PIN);
	const signed = await inPage(
		page,
		async (client, params) => {
			const [{ id }] = (await client.certificate.list()).certificates;
			const { signature, certificate } = await client.login.create({ certificate: id, ...params });
			return { signature: ukey.toBase64(signature), certificate: ukey.toBase64(certificate) };
		},
		challenge,
	);
	assertSigned(loginBytes(desk.site, challenge), signed);
}

const sign = async (client, params) => {
	const [{ id }] = (await client.certificate.list()).certificates;
	const { signature, certificate } = await client.signature.create({ certificate: id, ...params });
	return { signature: ukey.toBase64(signature), certificate: ukey.toBase64(certificate) };
};

async function signRaw(desk, page) {
	const data = "合同 é 😀";
	desk.answer(PIN);
	assertSigned(Buffer.from(data), await inPage(page, sign, { data, format: "raw" }));
}

/** As much as may be signed at once. */
async function signCms(desk, page) {
	const data = "字".repeat(87_000);
	const file = (name) => path.join(desk.stage.file("log"), name);
	desk.answer(PIN);
	const { signature } = await inPage(page, sign, { data, format: "cms-detached" });
	writeFileSync(file("signed"), data);
	writeFileSync(file("signature.der"), Buffer.from(signature, "base64"));
	execFileSync("openssl", ["cms", "-verify", "-in", file("signature.der"), "-inform", "DER", "-binary",
		"-content", file("signed"), "-CAfile", file("ca.pem"), "-purpose", "any", "-out", "/dev/null"],
	{ stdio: "pipe" });
}

async function refusals(desk, page) {
	await refused(page, "unknown-method", (client) => client.request("no.such", {}));
	await refused(page, "unknown-member", (client) => client.request("agent.hello", { more: 1 }));
	await refused(page, "too-large", (client) => client.request("agent.hello", { more: "x".repeat(600_000) }));
	// Refused without an answer of its own; the site stays who it is.
	await refused(page, "timeout", (client) =>
		client.request("agent.origin", { origin: "https://bank.example" }, { timeout: 300 }),
	);
	await refused(page, "login-challenge-refused", sign, { data: "ukey-login-1\0 and more", format: "raw" });
	const again = await inPage(page, (client) => client.agent.hello());
	assert.deepEqual(again.site, { origin: desk.site, allowed: true });
}

async function parallel(desk, page) {
	const answers = await inPage(page, (client) =>
		Promise.all(
			Array.from({ length: 60 }, (_, at) =>
				at % 3 === 0
					? client.request("no.such", { at }).catch((error) => error.reason)
					: client.agent.hello().then((said) => said.name),
			),
		),
	);
	assert.deepEqual(
		answers,
		Array.from({ length: 60 }, (_, at) => (at % 3 === 0 ? "unknown-method" : "ukeyd")),
	);
}

const events = (page) => page.evaluate(() => window.events);

/** Within two seconds the page knows. */
async function tokenEvents(desk, page) {
	await inPage(page, (client) => {
		window.events = [];
		client.on("token", ({ event }) => window.events.push(event));
		client.on("disconnect", ({ reason }) => window.events.push(reason));
		client.on("connect", () => window.events.push("connect"));
		return client.token.watch();
	});
	desk.pullKey();
	await until("removed", async () => (await events(page)).includes("removed"), 2500);
	desk.plugKey();
	await until("inserted", async () => (await events(page)).includes("inserted"), 2500);
}

/** A page that goes while its window is open takes the window along. */
async function pageCloses(desk, page) {
	desk.answer("!hang");
	const tab = await page.context().newPage();
	await tab.goto(desk.site);
	inPage(tab, login).catch(() => undefined); // it ends with its page
	await until("a PIN window", () => desk.processes("sleep").length === 1);
	await tab.close();
	await until("the window goes", () => desk.processes("sleep").length === 0, 5000);
	await until("its host goes", () => desk.processes("ukey-native").length <= 1, 5000);
	await loggedIn(desk, page);
}

/** One that navigates, too; a page that comes back finds the helper again. */
async function pageNavigates(desk, page) {
	desk.answer("!hang");
	const tab = await page.context().newPage();
	await tab.goto(desk.site);
	inPage(tab, login).catch(() => undefined); // it ends with its page
	await until("a PIN window", () => desk.processes("sleep").length === 1);
	await tab.goto(desk.otherSite);
	await until("the window goes", () => desk.processes("sleep").length === 0, 5000);
	desk.answer();
	await tab.evaluate(() => history.back());
	const origin = () => tab.evaluate(() => location.origin).catch(() => "on the way");
	await until("the page is back", async () => (await origin()) === desk.site);
	const said = await inPage(tab, (client) => client.connect());
	assert.deepEqual(said.site, { origin: desk.site, allowed: true });
	await tab.close();
}

/** ukeyd dies with calls under way: each gets one reason, and the client comes back by itself. */
async function helperDies(desk, page) {
	await page.evaluate(() => {
		window.events = [];
	});
	desk.answer("!hang");
	const calls = inPage(page, async (client) => {
		const [{ id }] = await client.token.list();
		const all = Array.from({ length: 5 }, () => client.token.login(id));
		return Promise.all(all.map((one) => one.catch((error) => error.reason)));
	});
	await until("a PIN window", () => desk.processes("sleep").length === 1);
	await desk.killHelper();
	// No site has more than some windows waiting.
	const reasons = await calls;
	for (const reason of reasons) assert.match(reason, /^(helper-lost|rate-limited)$/);
	assert.ok(reasons.includes("helper-lost"));
	// By the extension the host starts it; otherwise it is the session's business.
	if (desk.road.name === "websocket") await desk.startHelper();
	await until("connected again", async () => (await events(page)).includes("connect"), 20_000);
	assert.equal((await events(page))[0], "helper-lost");
	for (const { pid } of desk.processes("sleep")) process.kill(pid);

	await until("the key is seen", () => inPage(page, (client) => client.token.list().then((all) => all.length)));
	desk.pullKey();
	await until("still watching", async () => (await events(page)).includes("removed"), 5000);
	desk.plugKey();
	await until("inserted", async () => (await events(page)).includes("inserted"), 5000);
	await loggedIn(desk, page);
}

async function closes(desk, page) {
	await refused(page, "helper-missing", (client) => {
		client.close();
		return client.agent.hello();
	});
	await until("no host is left", () => desk.processes("ukey-native").length === 0, 5000);
}

export const CONFORMANCE = [
	["hello names the site and the road", hello],
	["site: asked, denied", siteDenied],
	["site: allowed, its keys and certificates", siteAllowed],
	["a frame is its own site", frames],
	["wrong PINs", wrongPin],
	["PIN window cancelled", cancelled],
	["log in and out", loggedIn],
	["log-in signature, with the origin of the browser", loginSignature],
	["signature, raw", signRaw],
	["signature, CMS of 256 KiB", signCms],
	["refusals: unknown, too large, dressed up", refusals],
	["60 requests at once", parallel],
	["key pulled and plugged in", tokenEvents],
	["page closes during a PIN window", pageCloses],
	["page navigates during a PIN window, and back", pageNavigates],
	["ukeyd dies with calls under way", helperDies],
	["the client closes", closes],
];
