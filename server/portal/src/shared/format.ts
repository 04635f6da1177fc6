import { language } from "./language";

const ZONE = "Asia/Shanghai";

export function dateTime(seconds: number): string {
	return new Intl.DateTimeFormat(language.value, {
		timeZone: ZONE,
		dateStyle: "medium",
		timeStyle: "short",
	}).format(seconds * 1000);
}

export function date(seconds: number): string {
	return new Intl.DateTimeFormat(language.value, { timeZone: ZONE, dateStyle: "long" }).format(
		seconds * 1000,
	);
}

export function money(fen: number): string {
	return `¥${(fen / 100).toFixed(2)}`;
}
