// Numbers that hold by their own rules and belong to nobody, new for every run.
import { randomInt } from "node:crypto";

const CREDIT_CHARS = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const ID_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

const digits = (count) => Array.from({ length: count }, () => randomInt(10)).join("");

/** GB 32100-2015 */
export function creditCode() {
	const body = `91110108${digits(9)}`;
	let sum = 0;
	for (let at = 0, weight = 1; at < 17; at++, weight = (weight * 3) % 31)
		sum += CREDIT_CHARS.indexOf(body[at]) * weight;
	return body + CREDIT_CHARS[(31 - (sum % 31)) % 31];
}

/** GB 11643-1999 */
export function idNumber() {
	const body = `110108198${randomInt(10)}0${1 + randomInt(9)}1${randomInt(10)}${digits(3)}`;
	const sum = ID_WEIGHTS.reduce((total, weight, at) => total + weight * Number(body[at]), 0);
	return body + "10X98765432"[sum % 11];
}

/** The same with a wrong last digit. */
export function wrongId(right) {
	return right.slice(0, 17) + (right[17] === "1" ? "2" : "1");
}

/** The sandbox gives endings 0002 to 0004 a meaning: this one just matches. */
export function phone() {
	return `139${digits(4)}1${digits(3)}`;
}

/** A card and an account that just match; another ending is asked for by its meaning. */
export const cardNumber = () => `62220212${digits(7)}1${digits(3)}`;
export const accountNumber = (ending = `1${digits(3)}`) => `11006077${digits(6)}${ending}`;
