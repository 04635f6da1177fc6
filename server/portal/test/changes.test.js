import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.js";

const { changesOf } = await load("../src/shared/changes.ts");

const unit = {
	organisation: "甲公司",
	creditCode: "91350100M000100Y43",
	legalPersonName: "王",
	legalPersonId: "1",
	agentName: "李",
	agentId: "2",
	agentPhone: "13900000001",
	agentEmail: "a@example.com",
	recipient: "李",
	recipientPhone: "13900000001",
	address: "某路 1 号",
	invoiceType: "general",
	photoConsent: true,
	agreement: true,
};

test("[V4] [R7] what was changed, and how much it weighs", () => {
	assert.deepEqual(changesOf(unit, { ...unit, photoConsent: false, postcode: "" }), []);
	assert.deepEqual(changesOf(unit, { ...unit, organisation: " 甲公司 " }), []);
	const weights = Object.fromEntries(
		changesOf(unit, { ...unit, organisation: "乙公司", agentPhone: "13900000002", address: "某路 2 号" }).map(
			({ name, weight }) => [name, weight],
		),
	);
	assert.deepEqual(weights, { organisation: "certified", agentPhone: "phone", address: "other" });
});

test("[V4] of persons", () => {
	const person = { name: "王", idNumber: "1", phone: "13900000001", email: "a@example.com", recipient: "王",
		recipientPhone: "13900000001", address: "某路 1 号", invoiceType: "general", photoConsent: true, agreement: true };
	assert.deepEqual(
		changesOf(person, { ...person, name: "汪", phone: "13900000002", invoiceType: "special" }).map((one) => one.weight),
		["certified", "phone", "other"],
	);
});
