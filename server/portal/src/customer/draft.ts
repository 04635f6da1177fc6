import { reactive, watch } from "vue";

import type { CommonForm, Form, PersonForm, Subject, UnitForm } from "../api/types";

/** Never written to the browser's storage. */
const SENSITIVE = ["legalPersonId", "agentId", "idNumber", "photoConsent", "agreement"];

const COMMON: CommonForm = {
	recipient: "",
	recipientPhone: "",
	address: "",
	postcode: "",
	invoiceType: "general",
	photoConsent: false,
	agreement: false,
};
const UNIT: UnitForm = {
	organisation: "",
	creditCode: "",
	legalPersonName: "",
	legalPersonId: "",
	agentName: "",
	agentId: "",
	agentPhone: "",
	agentEmail: "",
	...COMMON,
};
const PERSON: PersonForm = { name: "", idNumber: "", phone: "", email: "", ...COMMON };

export function emptyForm(subject: Subject): Form {
	return { ...(subject === "unit" ? UNIT : PERSON) };
}

export interface Draft {
	form: Form;
	/** Was something there from before? */
	restored: boolean;
	clear(): void;
}

const drafts = new Map<string, Draft>();

/**
 * An application that is being written, by its name: whole in memory while the page lives, and
 * without the identity numbers in sessionStorage, so that neither a reload nor a long pause loses
 * the rest [C13]. `start` is what stands in it at first.
 */
export function useDraft(name: string, start: Form): Draft {
	const known = drafts.get(name);
	if (known) return known;
	const stored = `ukey.draft.${name}`;
	const kept = restore(stored, start);
	const form = reactive({ ...start, ...kept });
	const draft: Draft = {
		form,
		restored: Object.values(kept).some((value) => value !== "" && value !== "general"),
		clear() {
			drafts.delete(name);
			stop();
			sessionStorage.removeItem(stored);
		},
	};
	const stop = watch(form, () => store(stored, form));
	drafts.set(name, draft);
	return draft;
}

function store(name: string, form: Form): void {
	const kept: Record<string, unknown> = { ...form };
	for (const member of SENSITIVE) delete kept[member];
	sessionStorage.setItem(name, JSON.stringify(kept));
}

/** Only members that the form has: an older version of the page may have stored others. */
function restore(name: string, start: Form): Partial<Form> {
	try {
		const kept: unknown = JSON.parse(sessionStorage.getItem(name) ?? "null");
		if (typeof kept !== "object" || kept === null) return {};
		return Object.fromEntries(
			Object.entries(kept).filter(([member, value]) => member in start && typeof value === "string"),
		) as Partial<Form>;
	} catch {
		return {};
	}
}
