/** What a value must be; the answer is the name of what is wrong with it, or null. */
export type Rule = (value: string) => string | null;

const ID_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const ID_CHECKS = "10X98765432";
const CREDIT_CHARS = "0123456789ABCDEFGHJKLMNPQRTUWXY";

export const required: Rule = (value) => (value.trim() === "" ? "required" : null);

export const atLeast =
	(length: number): Rule =>
	(value) =>
		required(value) ?? (value.trim().length < length ? "too-short" : null);

export const optional =
	(rule: Rule): Rule =>
	(value) =>
		value === "" ? null : rule(value);

export const matches =
	(pattern: RegExp, reason: string): Rule =>
	(value) =>
		required(value) ?? (pattern.test(value) ? null : reason);

export const phone = matches(/^1[3-9]\d{9}$/, "phone-invalid");
export const email = matches(/^[^\s@]+@[^\s@]+\.[^\s@.]+$/, "email-invalid");
export const postcode = matches(/^\d{6}$/, "postcode-invalid");
export const code = matches(/^\d{6}$/, "code-format");
export const bankCard = matches(/^\d{12,19}$/, "card-invalid");
export const bankAccount = matches(/^\d{8,30}$/, "account-invalid");
export const orderNumber = matches(/^UK[0-9A-Z]{14}$/, "order-number-invalid");
export const amount = matches(/^\d{1,7}(\.\d{1,2})?$/, "amount-invalid");
export const day = matches(/^20\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, "day-invalid");
export const creditCode = matches(/^[0-9A-HJ-NPQRTUWXY]{18}$/, "credit-code-invalid");

/** GB 11643-1999: digits, a date of birth that can be, and the check digit. */
export const idNumber: Rule = (value) => {
	const missing = required(value);
	if (missing) return missing;
	if (!/^\d{17}[\dX]$/.test(value) || !isDate(value.slice(6, 14))) return "id-number-invalid";
	const sum = ID_WEIGHTS.reduce((total, weight, at) => total + weight * Number(value[at]), 0);
	return ID_CHECKS[sum % 11] === value[17] ? null : "id-number-invalid";
};

function isDate(digits: string): boolean {
	const [year, month, day] = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6)].map(Number);
	const date = new Date(Date.UTC(year!, month! - 1, day));
	return (
		year! >= 1900 &&
		date.getUTCMonth() === month! - 1 &&
		date.getUTCDate() === day &&
		date.getTime() < Date.now()
	);
}

/** GB 32100-2015. Some old codes in use have a wrong check digit: a warning, not a refusal. */
export function creditCodeCheckDigitWrong(value: string): boolean {
	if (creditCode(value) !== null) return false;
	let sum = 0;
	for (let at = 0, weight = 1; at < 17; at++, weight = (weight * 3) % 31)
		sum += CREDIT_CHARS.indexOf(value[at]!) * weight;
	return CREDIT_CHARS[(31 - (sum % 31)) % 31] !== value[17];
}
