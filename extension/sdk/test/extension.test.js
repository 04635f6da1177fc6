import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, findExtension, UkeyClient } from "../dist/index.js";
import { freePort, HELLO, once, startHelper } from "./helper.js";

/** A page's window, and a content script in it that answers from a table of methods. */
function startPage(script) {
	const target = new EventTarget();
	const page = {
		location: { origin: "https://ca.example" },
		addEventListener: target.addEventListener.bind(target),
		removeEventListener: target.removeEventListener.bind(target),
		postMessage(data) {
			setImmediate(() =>
				target.dispatchEvent(Object.assign(new Event("message"), { data, source: page })),
			);
		},
	};
	globalThis.window = page;
	const tell = (link, rest) => page.postMessage({ ukey: "extension", link, ...rest });
	const heard = [];
	page.addEventListener("message", ({ data }) => {
		if (data.ukey !== "page") return;
		heard.push(data);
		if (data.kind === "probe") tell(data.link, { kind: "here", version: "0.1.0" });
		else script(data, (rest) => tell(data.link, rest));
	});
	return { page, heard, tell };
}

function answering(data, tell) {
	if (data.kind !== "text") return;
	const { id } = JSON.parse(data.text);
	tell({ kind: "text", text: JSON.stringify({ jsonrpc: "2.0", id, result: HELLO }) });
}

const ending = (reason) => (data, tell) => {
	if (data.kind === "text") tell({ kind: "close", reason });
};

test("the extension is preferred, and the page can see that", async (t) => {
	startPage(answering);
	const helper = await startHelper();
	t.after(() => helper.stop());
	assert.equal(await findExtension(), "0.1.0");
	const client = await connect({ ports: [helper.port] });
	t.after(() => client.close());
	assert.equal(client.road, "extension");
	assert.equal(client.detour, null);
	assert.equal(helper.seen.length, 0);
});

for (const reason of ["host-missing", "host-blocked", "helper-missing"])
	test(`extension, but ${reason}: by the WebSocket, and why`, async (t) => {
		startPage(ending(reason));
		const helper = await startHelper();
		t.after(() => helper.stop());
		const client = await connect({ ports: [helper.port] });
		t.after(() => client.close());
		assert.equal(client.road, "websocket");
		assert.equal(client.detour, reason);
	});

test("no road at all: the reason of the extension says more", async () => {
	startPage(ending("host-missing"));
	await assert.rejects(
		connect({ ports: [await freePort()] }),
		(error) => error.reason === "host-missing" && error.retry,
	);
});

test("no extension: extension-missing is the detour, helper-missing the error", async (t) => {
	delete globalThis.window;
	const helper = await startHelper();
	t.after(() => helper.stop());
	const client = await connect({ ports: [helper.port] });
	t.after(() => client.close());
	assert.equal(client.road, "websocket");
	assert.equal(client.detour, "extension-missing");
	const is = (reason) => (error) => error.reason === reason;
	await assert.rejects(connect({ ports: [await freePort()] }), is("helper-missing"));
	await assert.rejects(connect({ roads: ["extension"] }), is("extension-missing"));
});

test("the host names why it can't go on", async () => {
	startPage((data, tell) => {
		if (data.kind !== "text") return;
		const error = { code: -32011, message: "unavailable", data: { reason: "ukeyd-not-running" } };
		tell({ kind: "text", text: JSON.stringify({ jsonrpc: "2.0", id: null, error }) });
		tell({ kind: "close", reason: "helper-lost" });
	});
	await assert.rejects(
		connect({ roads: ["extension"] }),
		(error) => error.reason === "helper-missing" && error.retry,
	);
});

test("the extension goes while it is used: told, and another road is taken", async (t) => {
	const { heard, tell, page } = startPage(answering);
	const helper = await startHelper();
	t.after(() => helper.stop());
	const client = new UkeyClient({ ports: [helper.port] });
	t.after(() => client.close());
	await client.connect();
	const lost = once(client, "disconnect");
	const back = once(client, "connect");
	const { link } = heard.find((one) => one.kind === "open");
	tell(link, { kind: "close", reason: "extension-lost" });
	assert.equal((await lost).reason, "extension-lost");
	page.postMessage = () => undefined; // nobody is there any more
	await back;
	assert.equal(client.road, "websocket");
});

test("an extension that goes without a word is missed, a quiet one is not", async (t) => {
	const { page } = startPage(answering);
	const client = new UkeyClient({ roads: ["extension"], reconnect: false });
	t.after(() => client.close());
	await client.connect();
	const lost = once(client, "disconnect");
	await new Promise((resolve) => setTimeout(resolve, 7000));
	assert.equal(client.road, "extension");
	page.postMessage = () => undefined;
	assert.equal((await lost).reason, "extension-lost");
});

test("what another window says is not the extension's", async () => {
	const { page } = startPage(() => undefined);
	const post = page.postMessage;
	page.postMessage = (data) =>
		post.call(page, data.ukey === "extension" ? { ...data, ukey: "other" } : data);
	assert.equal(await findExtension(), null);
});
