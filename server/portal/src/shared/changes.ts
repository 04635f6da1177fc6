import type { Form, PersonForm, UnitForm } from "../api/types";
import { isUnit } from "./kinds";

type Name = Exclude<keyof UnitForm | keyof PersonForm, "photoConsent" | "agreement">;

export interface Change {
	name: Name;
	from: string;
	to: string;
	/** Who or what stands in the certificate; the phone that gets the codes; anything else [V4]. */
	weight: "certified" | "phone" | "other";
}

const CERTIFIED: Name[] = ["organisation", "creditCode", "name", "idNumber"];
const PHONES: Name[] = ["agentPhone", "phone"];

/** What was changed against the old data; spaces at the ends are none. */
export function changesOf(old: Form, now: Form): Change[] {
	const before = old as unknown as Record<string, string | undefined>;
	const after = now as unknown as Record<string, string | undefined>;
	return namesOf(now).flatMap((name) => {
		const [from, to] = [before[name]?.trim() ?? "", after[name]?.trim() ?? ""];
		if (from === to) return [];
		const weight = CERTIFIED.includes(name) ? "certified" : PHONES.includes(name) ? "phone" : "other";
		return [{ name, from, to, weight }];
	});
}

function namesOf(form: Form): Name[] {
	const holder: Name[] = isUnit(form)
		? [
				"organisation",
				"creditCode",
				"legalPersonName",
				"legalPersonId",
				"agentName",
				"agentId",
				"agentPhone",
				"agentEmail",
			]
		: ["name", "idNumber", "phone", "email"];
	return [...holder, "recipient", "recipientPhone", "address", "postcode", "invoiceType"];
}
