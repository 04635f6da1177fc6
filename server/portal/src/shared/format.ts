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

/** The day that ends before this moment: a term "until midnight" ends the day before. */
export function lastDay(seconds: number): string {
	return date(seconds - 1);
}

export function money(fen: number): string {
	return `¥${(fen / 100).toFixed(2)}`;
}

/** What a distinguished name calls its holder. */
export function commonName(name: string): string {
	return /(?:^|,\s*)CN=([^,]+)/.exec(name)?.[1] ?? name;
}
