import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import vm from "node:vm";

import { connect, fromBase64, toBase64, UkeyError } from "../dist/index.js";
import { once, Refusal, startHelper } from "./helper.js";

async function session(t, methods) {
	const helper = await startHelper(methods);
	const client = await connect({ ports: [helper.port] });
	t.after(async () => {
		client.close();
		await helper.stop();
	});
	return { helper, client };
}

const DER = new Uint8Array([0x30, 0x03, 0x02, 0x01, 0xff]);

test("base64 of any length, both ways", () => {
	for (const length of [0, 1, 2, 3, 100_000]) {
		const bytes = Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff);
		assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
		assert.equal(toBase64(bytes), Buffer.from(bytes).toString("base64"));
	}
});

test("[H2] every wrapper sends the shape of the protocol and reads its answer", async (t) => {
	const b64 = toBase64(DER);
	const signed = { signature: b64, algorithm: "ES256", certificate: b64 };
	const { helper, client } = await session(t, {
		"agent.status": () => ({ checks: [{ code: "pinentry", ok: true }] }),
		"site.request": () => ({ allowed: true }),
		"token.list": () => ({ tokens: [] }),
		"token.login": () => ({ loggedIn: true }),
		"token.logout": () => ({}),
		"token.prepare": () => ({ token: "t2", serial: "S", label: "L" }),
		"certificate.list": () => ({ certificates: [{ id: "c", certificate: b64 }], hidden: 2 }),
		"certificate.install": () => ({ certificate: "c" }),
		"pin.change": () => ({ changed: true }),
		"pin.unlock": () => ({ unlocked: true, certificate: "c", receipt: { signature: b64, algorithm: "ES256", certificate: b64 } }),
		"signature.create": () => signed,
		"login.create": () => signed,
		"key.generate": () => ({ key: "0a", publicKey: b64 }),
		"request.create": () => ({ request: b64 }),
		"agent.channel": () => ({ channel: { kty: "EC" }, thumbprint: "x" }),
	});
	const want = { signature: DER, algorithm: "ES256", certificate: DER };

	assert.deepEqual(await client.agent.status(), [{ code: "pinentry", ok: true }]);
	await client.site.request();
	assert.equal(client.hello.site.allowed, true);
	assert.deepEqual(await client.token.list(), []);
	await client.token.login("t");
	await client.token.logout("t");
	assert.equal((await client.token.prepare("t", "jwe")).token, "t2");
	assert.deepEqual(await client.certificate.list(), {
		certificates: [{ id: "c", certificate: DER }],
		hidden: 2,
	});
	const encryption = { certificate: DER, envelopedKey: DER, format: "gbt35276" };
	assert.equal(await client.certificate.install({ token: "t", certificate: DER, chain: [DER], encryption }), "c");
	assert.equal(await client.pin.change("t"), undefined);
	const unlocked = await client.pin.unlock("t", "jwe");
	assert.equal(unlocked.certificate, "c");
	assert.deepEqual(unlocked.receipt, { signature: DER, algorithm: "ES256", certificate: DER });
	assert.deepEqual(
		await client.signature.create({ certificate: "c", data: "中", format: "raw" }),
		want,
	);
	const login = { certificate: "c", audience: "a", nonce: "n", expires: 9 };
	assert.deepEqual(await client.login.create(login), want);
	const generate = { token: "t", algorithm: "p-256" };
	assert.deepEqual(await client.key.generate(generate), { key: "0a", publicKey: DER });
	const request = { token: "t", key: "0a", subject: { commonName: "N" } };
	assert.deepEqual(await client.certificateRequest.create(request), DER);
	assert.equal((await client.agent.channel("production")).thumbprint, "x");

	const sent = Object.fromEntries(helper.seen.map(({ method, params }) => [method, params]));
	assert.deepEqual(sent["token.prepare"], { token: "t", ticket: "jwe" });
	assert.deepEqual(sent["certificate.list"], {});
	assert.deepEqual(sent["certificate.install"], {
		token: "t",
		certificate: b64,
		chain: [b64],
		encryption: { certificate: b64, envelopedKey: b64, format: "gbt35276" },
	});
	assert.deepEqual(sent["pin.change"], { token: "t" });
	assert.deepEqual(sent["pin.unlock"], { token: "t", ticket: "jwe" });
	assert.deepEqual(sent["signature.create"], {
		certificate: "c",
		data: Buffer.from("中").toString("base64"),
		format: "raw",
	});
	assert.deepEqual(sent["login.create"], login);
	assert.deepEqual(sent["key.generate"], generate);
	assert.deepEqual(sent["request.create"], request);
	assert.deepEqual(sent["agent.channel"], { purpose: "production" });
});

test("[H2] insert and remove events reach the listener, until it ends", async (t) => {
	const { helper, client } = await session(t, {});
	const event = { event: "inserted", token: { id: "t" } };
	const heard = once(client, "token");
	helper.notify(event);
	assert.deepEqual(await heard, event);
});

test("a refusal carries reason, tries left and field", async (t) => {
	const { client } = await session(t, {
		"token.login": () =>
			new Refusal({ reason: "pin-wrong", triesLeft: 2, field: "token", retry: false }, "no"),
	});
	await assert.rejects(client.token.login("t"), (error) => {
		assert.ok(error instanceof UkeyError);
		assert.deepEqual(
			[error.reason, error.triesLeft, error.field, error.retry, error.message],
			["pin-wrong", 2, "token", false, "no"],
		);
		return true;
	});
});

test("timeout, abort before and after, and the late answer is ignored", async (t) => {
	const late = (params, socket) => {
		setTimeout(() => socket.send('{"jsonrpc":"2.0","id":2,"result":{"tokens":[]}}'), 80);
	};
	const { client } = await session(t, { "token.list": late });
	await assert.rejects(client.token.list({ timeout: 20 }), { reason: "timeout" });
	await assert.rejects(client.token.list({ signal: AbortSignal.abort() }), { reason: "aborted" });
	await assert.rejects(client.token.list({ signal: AbortSignal.timeout(20) }), { reason: "aborted" });
	await new Promise((resolve) => setTimeout(resolve, 120));
});

test("the helper dies under a request: helper-lost, may be sent again", async (t) => {
	const { client } = await session(t, {
		"token.list": (params, socket) => {
			socket.terminate();
		},
	});
	await assert.rejects(client.token.list(), (error) => error.reason === "helper-lost" && error.retry);
});

test("what is too large for a message is not sent", async (t) => {
	const { helper, client } = await session(t, {});
	const title = "x".repeat(512 * 1024);
	await assert.rejects(
		client.signature.create({ certificate: "c", data: "", format: "raw", title }),
		{ reason: "too-large" },
	);
	assert.equal(helper.seen.length, 1);
});

function store() {
	const kept = new Map();
	return {
		kept,
		put: ({ data = String(kept.size + 1), chunk }) => {
			const before = kept.get(data) ?? Buffer.alloc(0);
			kept.set(data, Buffer.concat([before, Buffer.from(chunk, "base64")]));
			return { data, received: kept.get(data).length };
		},
	};
}

test("large data goes in pieces, whatever it comes as, and tells how far it is", async (t) => {
	const { kept, put } = store();
	const b64 = toBase64(DER);
	const { helper, client } = await session(t, {
		"data.put": put,
		"signature.create": () => ({ signature: b64, algorithm: "ES256", certificate: b64 }),
	});
	const bytes = Uint8Array.from({ length: 700_001 }, (_, at) => (at * 31) & 0xff);
	const odd = [0, 1, 300_000, 300_007, 700_001];
	const stream = new ReadableStream({
		start(to) {
			odd.slice(1).forEach((end, i) => to.enqueue(bytes.subarray(odd[i], end)));
			to.close();
		},
	});
	for (const data of [bytes, bytes.buffer, new Blob([bytes]), stream]) {
		const heard = [];
		await client.signature.create(
			{ certificate: "c", data, format: "cms-detached" },
			{ onProgress: (received, total) => heard.push([received, total]) },
		);
		const { params } = helper.seen.at(-1);
		assert.deepEqual(Object.keys(params).sort(), ["certificate", "dataId", "format"]);
		assert.ok(kept.get(params.dataId).equals(bytes));
		assert.deepEqual(heard.at(-1), [700_001, data === stream ? undefined : 700_001]);
		assert.ok(heard.length >= 3);
	}
	await client.signature.create({ certificate: "c", data: new Blob(["small"]), format: "raw" });
	assert.equal(helper.seen.at(-1).params.data, Buffer.from("small").toString("base64"));
});

test("who signs is said with the first piece only", async (t) => {
	const { put } = store();
	const b64 = toBase64(DER);
	const { helper, client } = await session(t, {
		"data.put": put,
		"signature.create": () => ({ signature: b64, algorithm: "SM2-SM3", certificate: b64 }),
	});
	await client.signature.create({ certificate: "c", data: new Uint8Array(300_000), format: "der" });
	const pieces = helper.seen.filter(({ method }) => method === "data.put");
	assert.deepEqual(
		pieces.map(({ params }) => params.certificate),
		["c", undefined, undefined],
	);
});

test("a profile goes with a signature, an envelope comes back opened", async (t) => {
	const b64 = toBase64(DER);
	const { helper, client } = await session(t, {
		"signature.create": () => ({ signature: b64, algorithm: "SM2-SM3", certificate: b64 }),
		"envelope.open": () => ({ data: toBase64(Buffer.from("text")), contentType: "1.2.840.113549.1.7.1" }),
	});
	const profile = { arc: "rfc", signatureOid: "501", attributes: true };
	await client.signature.create({ certificate: "c", data: "", format: "cms-attached", profile });
	assert.deepEqual(helper.seen.at(-1).params.profile, profile);
	const opened = await client.envelope.open({ certificate: "c", envelope: DER });
	assert.deepEqual(helper.seen.at(-1).params, { certificate: "c", envelope: b64 });
	assert.equal(Buffer.from(opened.data).toString(), "text");
	assert.equal(opened.contentType, "1.2.840.113549.1.7.1");
});

test("a piece that is refused ends it, and the stream with it", async (t) => {
	const { client } = await session(t, {
		"data.put": () => new Refusal({ reason: "too-many-data" }),
	});
	let cancelled = false;
	const data = new ReadableStream({
		pull: (to) => to.enqueue(new Uint8Array(300_000)),
		cancel: () => {
			cancelled = true;
		},
	});
	await assert.rejects(client.signature.create({ certificate: "c", data, format: "raw" }), {
		reason: "too-many-data",
	});
	assert.ok(cancelled);
});

test("a batch: progress, a result in pieces, and why it stopped", async (t) => {
	const b64 = toBase64(DER);
	const text = JSON.stringify([b64, b64]);
	const answer = { done: 2, algorithm: "ES256", certificate: b64 };
	let again = false;
	const { helper, client } = await session(t, {
		"signature.batch": (params, socket) => {
			if (again)
				return { ...answer, signatures: [b64, b64], stopped: { data: { reason: "token-removed" } } };
			for (const id of [2, 99]) // one of them is another's
				socket.send(JSON.stringify({ method: "signature.progress", params: { id, done: 1, of: 2 } }));
			return { ...answer, signaturesData: { data: "9", size: text.length } };
		},
		"data.get": ({ offset }) => {
			const part = text.slice(offset, offset + 10);
			return { chunk: toBase64(Buffer.from(part)), last: offset + 10 >= text.length };
		},
	});
	const heard = [];
	const params = { certificate: "c", items: ["a", "b"], format: "raw" };
	const done = await client.signature.batch(params, { onProgress: (...on) => heard.push(on) });
	assert.deepEqual(done, { signatures: [DER, DER], algorithm: "ES256", certificate: DER });
	assert.deepEqual(heard, [[1, 2]]);
	assert.deepEqual(helper.seen[1].params.items, [{ data: "YQ==" }, { data: "Yg==" }]);
	again = true;
	assert.equal((await client.signature.batch(params)).stopped.reason, "token-removed");
});

test("what is not an answer is ignored", async (t) => {
	const { client } = await session(t, {
		"token.list": (params, socket) => {
			for (const text of ["", "null", "[]", '{"id":99,"result":1}']) socket.send(text);
			return { tokens: [] };
		},
	});
	assert.deepEqual(await client.token.list(), []);
});

test("the single file gives the global ukey without a bundler", async () => {
	const context = vm.createContext({ TextEncoder });
	vm.runInContext(await readFile(new URL("../dist/ukey.js", import.meta.url), "utf8"), context);
	assert.deepEqual(vm.runInContext("[typeof ukey.connect, typeof ukey.UkeyError]", context).join(), "function,function");
});
