import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.js";

const { gateOf } = await load("../src/shared/key/gate.ts");
const { isRightKey } = await load("../src/customer/key/rightKey.ts");
const { useProgress } = await load("../src/shared/progress.ts");

const token = (id, state = "ready") => ({ id, state, serial: `S${id}` });
const certificate = (serial, more = {}) => ({
	id: serial,
	serial,
	hasKey: true,
	usage: ["sign"],
	notBefore: 10,
	notAfter: 100,
	...more,
});
const there = { helper: "there", allowed: true, listed: true, hidden: 0 };

test("[R4] exactly one key: what is missing is said, step by step", () => {
	const say = (seen) => gateOf({ ...there, tokens: [], certificates: null, ...seen }).is;
	assert.equal(say({ helper: "searching" }), "waiting");
	assert.equal(say({ helper: "missing" }), "waiting");
	assert.equal(say({ allowed: false }), "site");
	assert.equal(say({ listed: false }), "reading");
	assert.equal(say({}), "none");
	assert.equal(say({ tokens: [token(1), token(2)] }), "several");
	assert.equal(say({ tokens: [token(1, "blank")] }), "blank");
	assert.equal(say({ tokens: [token(1, "blank"), token(2)], certificates: [certificate("a")] }), "ready");
	assert.equal(say({ tokens: [token(1)] }), "reading");
	assert.equal(say({ tokens: [token(1)], certificates: [] }), "no-certificate");
	assert.equal(say({ tokens: [token(1)], certificates: [], hidden: 1 }), "hidden");
	assert.equal(say({ tokens: [token(1)], certificates: [certificate("a")] }), "ready");
	assert.equal(say({ tokens: [token(1, "pin-locked")], certificates: [certificate("a")] }), "locked");
});

test("[R6] certificates that can sign, the newest first", () => {
	const gate = gateOf({
		...there,
		tokens: [token(1)],
		certificates: [
			certificate("old", { notBefore: 5 }),
			certificate("encryption", { usage: ["encrypt"] }),
			certificate("foreign", { hasKey: false }),
			certificate("new"),
		],
	});
	assert.deepEqual(gate.certificates.map((one) => one.serial), ["new", "old"]);
});

test("[R5] the key of another certificate is refused; the old and the new one are right", () => {
	const order = { about: { serial: "0A1B" }, certificate: {} };
	assert.ok(isRightKey(order, [certificate("a1b")]));
	assert.ok(!isRightKey(order, [certificate("a1c")]));
	assert.ok(isRightKey({ ...order, certificate: { serial: "FF" } }, [certificate("ff")]));
});

test("[R5] steps stop at the first that fails and go on from there", async () => {
	const progress = useProgress(["key", "issue", "write"]);
	let failing = true;
	const work = () =>
		progress.run(async () => {
			progress.doneUntil("issue");
			await progress.step("issue", async () => {
				if (failing) throw Object.assign(new Error("pulled"), { reason: "token-removed" });
			});
			await progress.step("write", async () => undefined);
		});
	await work();
	assert.deepEqual({ ...progress.steps }, { key: "done", issue: "failed", write: "waiting" });
	assert.equal(progress.error.reason, "token-removed");
	failing = false;
	await work();
	assert.deepEqual({ ...progress.steps }, { key: "done", issue: "done", write: "done" });
	assert.equal(progress.error, null);
});

test("a double click starts once", async () => {
	const progress = useProgress(["key"]);
	let times = 0;
	const work = () => progress.run(() => progress.step("key", async () => void (times += 1)));
	await Promise.all([work(), work()]);
	assert.equal(times, 1);
});
