import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.js";

const { isOver, mayShow, nextPage, stepOf, stepsAhead, stepsOf } = await load("../src/customer/steps.ts");

/** An order as the server tells it, with what a test is about. */
function order(kind, state, more = {}) {
	return {
		kind,
		state,
		actions: [],
		identity: { status: "none", attemptsLeft: 3 },
		documentsNeeded: [],
		signature: { phone: "" },
		payment: { amount: 0, status: "none" },
		review: {},
		...more,
	};
}

test("[N1]-[N9] [P1]-[P9] a new certificate has all steps", () => {
	const all = ["form", "identity", "confirm", "documents", "signature", "payment", "review", "delivery"];
	for (const kind of ["unit-new", "person-new"]) {
		assert.deepEqual(stepsAhead(kind), all);
		const needs = ["identity", "documents", "signature", "payment", "review"];
		assert.deepEqual(stepsOf(order(kind, "identity", { needs })), all);
	}
});

test("[R7] [R9] a renewal without review: form, confirm, payment, download", () => {
	const renewal = order("unit-renewal", "confirm", { needs: ["payment"] });
	assert.deepEqual(stepsOf(renewal), ["form", "confirm", "payment", "download"]);
});

test("[R8] an expired one has the steps of a new certificate, and is downloaded", () => {
	const needs = ["identity", "documents", "signature", "payment", "review"];
	const steps = stepsOf(order("person-renewal", "identity", { needs }));
	assert.deepEqual(steps.at(-1), "download");
	assert.equal(steps.length, 8);
});

test("a step that was taken stays on the bar, also where the server no longer names it", () => {
	const after = order("unit-renewal", "download", {
		needs: [],
		identity: { status: "passed", attemptsLeft: 3 },
		payment: { amount: 100, status: "paid" },
	});
	assert.deepEqual(stepsOf(after), ["form", "identity", "confirm", "payment", "download"]);
});

test("every state of every flow has its step on the bar and a page or none", () => {
	for (const [kind, state, step, page] of [
		["unit-new", "issuing", "delivery", null],
		["unit-new", "done", "delivery", null],
		["person-renewal", "issuing", "download", "download"],
		["person-renewal", "download", "download", "download"],
		["unit-change", "installing", "download", "download"],
		["unit-change", "done", "download", null],
		["unit-unlock", "delivering", "code", "code"],
		["unit-unlock", "code", "code", "code"],
		["unit-unlock", "unlocking", "unlock", "unlock"],
		["unit-unlock", "done", "unlock", null],
		["unit-replacement", "delivering", "delivery", null],
	]) {
		const at = order(kind, state);
		assert.equal(stepOf(at), step, `${kind} ${state}`);
		assert.equal(nextPage(at), page, `${kind} ${state}`);
		if (page) assert.ok(mayShow(page, at), `${kind} ${state}`);
	}
});

test("[L8] while a remittance is awaited it is not the applicant's turn", () => {
	const waiting = order("unit-replacement", "payment", { payment: { amount: 1, status: "waiting", method: "remittance" } });
	assert.equal(nextPage(waiting), null);
	assert.equal(nextPage(order("person-replacement", "payment", { actions: ["pay"] })), "payment");
});

test("a page that the order has left gives way", () => {
	const paid = order("unit-renewal", "download", { actions: ["request", "cancel"] });
	for (const page of ["form", "identity", "confirm", "documents", "signature", "payment", "unlock"])
		assert.equal(mayShow(page, paid), false, page);
	assert.equal(mayShow("download", paid), true);
	assert.ok(isOver(order("unit-renewal", "refunded")));
});
