import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.js";

const rules = await load("../src/shared/rules.ts");

test("[N2] an identity number: length, date of birth and check digit", () => {
	assert.equal(rules.idNumber("11010519491231002X"), null);
	assert.equal(rules.idNumber(""), "required");
	for (const wrong of [
		"110105194912310021", // check digit
		"11010519491331002X", // month 13
		"11010519490229002X", // no leap year
		"1101051949123100", // short
		"11010520990101002X", // not born yet
	])
		assert.equal(rules.idNumber(wrong), "id-number-invalid", wrong);
});

test("[N2] a credit code: form refuses, check digit only warns", () => {
	const right = "91350100M000100Y43";
	assert.equal(rules.creditCode(right), null);
	assert.equal(rules.creditCodeCheckDigitWrong(right), false);
	assert.equal(rules.creditCode("91350100M000100Y44"), null);
	assert.equal(rules.creditCodeCheckDigitWrong("91350100M000100Y44"), true);
	assert.equal(rules.creditCode("91350100M000100Y4"), "credit-code-invalid");
	assert.equal(rules.creditCode("91350100I000100Y43"), "credit-code-invalid");
	assert.equal(rules.creditCodeCheckDigitWrong("9135"), false);
});

test("phone, e-mail, postcode, code, numbers of cards and accounts", () => {
	for (const [rule, right, wrong, reason] of [
		["phone", "13900000001", "12900000001", "phone-invalid"],
		["email", "a.b@example.com", "a@b", "email-invalid"],
		["postcode", "100080", "1000800", "postcode-invalid"],
		["code", "012345", "12345", "code-format"],
		["bankCard", "6222021234567890123", "62220212", "card-invalid"],
		["bankAccount", "11006077701817", "1100", "account-invalid"],
	]) {
		assert.equal(rules[rule](right), null, rule);
		assert.equal(rules[rule](wrong), reason, rule);
		assert.equal(rules[rule](" "), "required", rule);
	}
	assert.equal(rules.optional(rules.postcode)(""), null);
	assert.equal(rules.atLeast(5)("海淀区"), "too-short");
});
