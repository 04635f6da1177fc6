import { reactive, watch } from "vue";

import type { UnitForm } from "../api/types";

const STORED = "ukey.unit-new";

/** Never written to the browser's storage. */
const SENSITIVE = ["legalPersonId", "agentId", "photoConsent", "agreement"] as const;

export function emptyUnitForm(): UnitForm {
	return {
		organisation: "",
		creditCode: "",
		legalPersonName: "",
		legalPersonId: "",
		agentName: "",
		agentId: "",
		agentPhone: "",
		agentEmail: "",
		recipient: "",
		recipientPhone: "",
		address: "",
		postcode: "",
		invoiceType: "general",
		photoConsent: false,
		agreement: false,
	};
}

const draft = reactive(emptyUnitForm());
let restored = false;
let watched = false;

/**
 * The application that is being written: whole in memory while the page lives, and without the
 * identity numbers in sessionStorage, so that a reload does not lose the rest.
 */
export function useDraft(): { form: UnitForm; restored: boolean; clear(): void } {
	if (!watched) {
		watched = true;
		restored = restore();
		watch(draft, store);
	}
	return { form: draft, restored, clear };
}

function store(): void {
	const kept: Partial<UnitForm> = { ...draft };
	for (const name of SENSITIVE) delete kept[name];
	sessionStorage.setItem(STORED, JSON.stringify(kept));
}

function restore(): boolean {
	try {
		const kept: unknown = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
		if (typeof kept !== "object" || kept === null) return false;
		Object.assign(draft, kept);
		return draft.organisation !== "" || draft.agentName !== "";
	} catch {
		return false;
	}
}

function clear(): void {
	Object.assign(draft, emptyUnitForm());
	restored = false;
	sessionStorage.removeItem(STORED);
}
