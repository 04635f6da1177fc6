import type { OrderKind, OrderState } from "../api/types";
import { flowOf } from "../shared/kinds";
import { textTable } from "../shared/language";
import zh, { type CommonText } from "./common.zh";

export const useCommon = textTable(zh, () => import("./common.en"));

/** The words of a name that a table may lack: the name itself then. */
export const word = (table: Readonly<Record<string, string>>, name: string): string => table[name] ?? name;

/** How an order stands; the end of some flows is that the key has been posted. */
export function stateName(c: CommonText, { kind, state }: { kind: OrderKind; state: OrderState }): string {
	const posted = state === "done" && ["new", "replacement"].includes(flowOf(kind));
	return posted ? c.posted : c.states[state];
}

/** What stands for a reason without words of its own. */
const OF_STATUS: Record<number, keyof CommonText["reasons"]> = {
	400: "invalid-input",
	401: "login-required",
	403: "denied",
	404: "not-found",
	409: "conflict",
	413: "too-large",
	429: "too-many-attempts",
	501: "unsupported",
	503: "unavailable",
	504: "timeout",
};

export function reasonWords(c: CommonText, reason: string, status = 0): string {
	const words: Readonly<Record<string, string>> = c.reasons;
	return words[reason] ?? c.reasons[OF_STATUS[status] ?? "internal"];
}
