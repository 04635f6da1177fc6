import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";

import { connect, UkeyClient, UkeyError } from "../dist/index.js";
import { freePort, HELLO, once, Refusal, startHelper } from "./helper.js";

const reason = (name) => (error) => error instanceof UkeyError && error.reason === name;

test("[H1] finds the helper among ports where nobody listens", async (t) => {
	const helper = await startHelper();
	t.after(() => helper.stop());
	const client = await connect({ ports: [await freePort(), helper.port, await freePort()] });
	t.after(() => client.close());
	assert.deepEqual(client.hello, HELLO);
	assert.equal(helper.seen[0].method, "agent.hello");
});

test("[H1] keeps one connection when several helpers answer", async (t) => {
	const helpers = [await startHelper(), await startHelper()];
	t.after(() => Promise.all(helpers.map((one) => one.stop())));
	const client = await connect({ ports: helpers.map((one) => one.port) });
	t.after(() => client.close());
	await new Promise((resolve) => setTimeout(resolve, 100));
	assert.equal(helpers[0].connections() + helpers[1].connections(), 1);
});

test("nobody answers: helper-missing, may be tried again", async () => {
	await assert.rejects(
		connect({ ports: [await freePort()] }),
		(error) => error.reason === "helper-missing" && error.retry,
	);
});

test("a helper that refuses this site says why", async (t) => {
	const helper = await startHelper({ "agent.hello": () => new Refusal({ reason: "origin-refused" }) });
	t.after(() => helper.stop());
	await assert.rejects(connect({ ports: [helper.port] }), reason("origin-refused"));
});

test("another program's WebSocket is not taken for the helper", async (t) => {
	const helper = await startHelper({ "agent.hello": () => ({ name: "other", protocol: 1 }) });
	t.after(() => helper.stop());
	await assert.rejects(connect({ ports: [helper.port] }), reason("helper-missing"));
});

test("a port that accepts and stays silent does not hang connect()", async (t) => {
	const silent = createServer(() => {}).listen(0, "127.0.0.1");
	await new Promise((resolve) => silent.once("listening", resolve));
	t.after(() => silent.close());
	await assert.rejects(
		connect({ ports: [silent.address().port], connectTimeout: 100 }),
		reason("timeout"),
	);
});

test("comes back after the helper was lost, and watches tokens again", async (t) => {
	const watching = { "token.watch": () => ({ watching: true }) };
	const first = await startHelper(watching);
	const client = await connect({ ports: [first.port] });
	t.after(() => client.close());
	await client.token.watch();

	const lost = once(client, "disconnect");
	await first.stop();
	assert.equal((await lost).reason, "helper-lost");
	assert.equal(client.hello, null);

	const back = once(client, "connect");
	const second = await startHelper(watching, first.port);
	t.after(() => second.stop());
	await back;
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.ok(second.seen.some((one) => one.method === "token.watch"));
});

test("finds a helper that starts later", async (t) => {
	const port = await freePort();
	const client = new UkeyClient({ ports: [port] });
	t.after(() => client.close());
	const connected = once(client, "connect");
	await assert.rejects(client.connect(), reason("helper-missing"));
	const helper = await startHelper({}, port);
	t.after(() => helper.stop());
	assert.deepEqual(await connected, HELLO);
});

test("reconnect: false gives up; close() stops looking", async () => {
	const port = await freePort();
	const client = new UkeyClient({ ports: [port], reconnect: false });
	await assert.rejects(client.connect(), reason("helper-missing"));
	await assert.rejects(client.token.list(), reason("helper-missing"));

	const waiting = new UkeyClient({ ports: [port] });
	await assert.rejects(waiting.connect(), reason("helper-missing"));
	waiting.close(); // the process could not end if a timer were left
});
