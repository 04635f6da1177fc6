// One person with a key, a helper and a browser, and two sites that use the page library: no CA.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Stage } from "../../../installer/lib/stage.mjs";
import { startBrowser } from "./browser.mjs";
import { findProcesses, has, runs } from "./processes.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const PORTS = [21071, 21072, 21073, 21074, 21075];
export const PIN = "246813";
const LABEL = "王小明";

/** Waits for a truth; says what it waited for. */
export async function until(what, test, ms = 15_000) {
	for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
		const got = await test();
		if (got) return got;
	}
	throw new Error(`waited ${ms / 1000} s in vain: ${what}`);
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>site</title><script src="/ukey.js"></script>`;

/** A site with the page library.  By the extension, its policy lets it reach no port at all. */
async function startSite(road) {
	const library = readFileSync(path.join(root, "extension/sdk/dist/ukey.js"));
	const connect =
		road === "extension" ? "'none'" : PORTS.map((port) => `ws://127.0.0.1:${port}`).join(" ");
	const server = http.createServer((request, response) => {
		const script = request.url === "/ukey.js";
		response.writeHead(200, {
			"content-type": script ? "text/javascript" : "text/html; charset=utf-8",
			"content-security-policy": `default-src 'none'; script-src 'self'; frame-src http://localhost:*; connect-src ${connect}`,
		});
		response.end(script ? library : PAGE);
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const origin = `http://localhost:${server.address().port}`;
	return { origin, end: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) };
}

/** A small CA for the certificate on the key. */
function certify(dir, request) {
	const file = (name) => path.join(dir, name);
	const openssl = (...args) => execFileSync("openssl", args, { stdio: "pipe" });
	openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-days", "30", "-subj", "/CN=Test CA", "-keyout", file("ca.key"), "-out", file("ca.pem"));
	fs.writeFileSync(file("ext"), "keyUsage=critical,digitalSignature,nonRepudiation\n");
	openssl("x509", "-req", "-in", request, "-inform", "DER", "-CA", file("ca.pem"), "-CAkey",
		file("ca.key"), "-days", "20", "-extfile", file("ext"), "-outform", "DER", "-out", file("cert.der"));
	return file("cert.der");
}

export class Desk {
	#sites = [];
	#browsers = [];

	/** road: {name, browser} */
	static async start({ bin, state, road }) {
		const desk = new Desk();
		const stage = new Stage({ state, bin, root, algorithm: "p256" }); // keys of SoftHSM2
		desk.stage = stage;
		desk.road = road;
		stage.copyPrograms();
		fs.copyFileSync(path.join(root, "tests/fake/pinentry"), stage.file("bin", "pinentry"));
		desk.person = await stage.addPerson("applicant");
		desk.answers = path.join(desk.person.home, "answers");
		desk.person.env.UKEY_FAKE_PINENTRY = desk.answers;
		desk.answer();
		desk.person.browsers = stage.browsersOf(desk.person);
		desk.giveKey();
		await desk.startHelper();
		await desk.certifyKey();
		desk.road = { ...road, extension: stage.extension, host: stage.host };
		desk.site = await desk.addSite();
		desk.otherSite = await desk.addSite();
		return desk;
	}

	/** `road`: what its policy lets it use. */
	async addSite(road = this.road.name) {
		const site = await startSite(road);
		this.#sites.push(site);
		return site.origin;
	}

	/** What the person does at the next windows: PINs, or "!cancel", "!no", "!hang". */
	answer(...lines) {
		fs.writeFileSync(this.answers, lines.map((line) => `${line}\n`).join(""));
		fs.chownSync(this.answers, this.person.uid, this.person.uid);
	}

	giveKey() {
		this.stage.runAs(this.person, "softhsm2-util", ["--init-token", "--free", "--label", LABEL,
			"--so-pin", "1357924680", "--pin", PIN]);
		const { tokens } = this.person;
		this.key = path.join(tokens, fs.readdirSync(tokens)[0]);
	}

	async certifyKey() {
		const { stage, person } = this;
		const ukey = (...args) => stage.ukey(person, ...args);
		const token = await until("the key is seen", () =>
			JSON.parse(ukey("list", "--json")).tokens.find((one) => one.label === LABEL));
		const file = (name) => path.join(person.home, name);
		this.answer(PIN);
		const { key } = JSON.parse(
			ukey("key", "generate", "--token", token.id, "--algorithm", "p-256", "--json"));
		ukey("request", "--token", token.id, "--key", key, "--name", LABEL, "--out", file("request.der"));
		const made = certify(stage.file("log"), file("request.der"));
		fs.copyFileSync(made, file("cert.der"));
		fs.chownSync(file("cert.der"), person.uid, person.uid);
		ukey("certificate", "install", "--token", token.id, "--in", file("cert.der"));
		await this.restartHelper(); // locks the key
	}

	pullKey() {
		fs.renameSync(this.key, `${this.person.home}/pulled`);
	}

	plugKey() {
		fs.renameSync(`${this.person.home}/pulled`, this.key);
	}

	async startHelper() {
		await this.stage.startDaemon(this.person);
	}

	/** As if it had crashed. */
	async killHelper() {
		this.person.daemon.expected = true;
		for (const { pid } of this.processes("ukeyd")) process.kill(pid, "SIGKILL");
		await until("ukeyd is gone", () => this.processes("ukeyd").length === 0);
		fs.rmSync(path.join(this.person.runtime, "ukey/port"), { force: true });
	}

	async restartHelper() {
		await this.killHelper();
		await this.startHelper();
	}

	/** The person's processes that run a program of that name. */
	processes(name) {
		return findProcesses(this.person.runtime, runs(name));
	}

	/** The person's processes that were given a word with this in it. */
	withArgument(part) {
		return findProcesses(this.person.runtime, has(part));
	}

	async startBrowser(road = this.road) {
		const browser = await startBrowser(this.person, road);
		this.#browsers.push(browser);
		return browser;
	}

	async end() {
		for (const browser of this.#browsers) await browser.end().catch(() => undefined);
		for (const site of this.#sites) await site.end();
		// A ukeyd that the native messaging host has started is nobody's child.
		for (const { pid } of [...this.processes("ukeyd"), ...this.processes("sleep")])
			if (pid !== this.person.daemon.pid) process.kill(pid, "SIGTERM");
		await this.stage.stop();
	}
}
