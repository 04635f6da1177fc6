import { nextTick, reactive, watch } from "vue";

import type { ApiError } from "../api/http";
import type { Rule } from "./rules";

interface Check {
	rule: Rule;
	/** Length at which the value is whole, so that it is judged while still typing. */
	whole?: number;
}

export interface FieldState {
	name: string;
	/** The name of what is wrong, once it may be said. */
	error: string | null;
	onBlur(): void;
}

/** Checks the fields of `model`: after leaving them, when they are whole, and all on `validate`. */
export function useForm<T extends object>(model: T, checks: { [K in keyof T]?: Check }) {
	type Name = keyof T & string;
	const touched = reactive(new Set<string>());
	const refused = reactive(new Map<string, string>());
	const text = (name: Name) => String(model[name] ?? "");

	for (const name of Object.keys(checks) as Name[])
		watch(
			() => model[name],
			() => refused.delete(name),
		);

	function wrong(name: Name): string | null {
		return checks[name]?.rule(text(name)) ?? null;
	}

	function field(name: Name): FieldState {
		const whole = checks[name]?.whole ?? Infinity;
		const shown = touched.has(name) || text(name).length >= whole;
		return {
			name,
			error: refused.get(name) ?? (shown ? wrong(name) : null),
			onBlur: () => {
				if (text(name) !== "") touched.add(name);
			},
		};
	}

	function focus(name: string): void {
		void nextTick(() => document.querySelector<HTMLElement>(`[data-field="${name}"] input`)?.focus());
	}

	/** Shows all that is wrong and goes to the first. */
	function validate(): boolean {
		const names = Object.keys(checks) as Name[];
		for (const name of names) touched.add(name);
		const first = names.find((name) => wrong(name) !== null);
		if (first) focus(first);
		return first === undefined;
	}

	/** Puts the server's refusal at its field; false if it names none of ours. */
	function refuse(error: ApiError): boolean {
		const name = error.body.field as Name | undefined;
		if (name === undefined || !(name in checks)) return false;
		refused.set(name, error.reason);
		focus(name);
		return true;
	}

	/** As before anything was entered; the values are the caller's. */
	function reset(): void {
		touched.clear();
		refused.clear();
	}

	return { field, validate, refuse, reset };
}
