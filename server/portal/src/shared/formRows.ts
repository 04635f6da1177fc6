import type { Form } from "../api/types";
import type { CommonText } from "../text/common.zh";
import { holderOf, isUnit } from "./kinds";

type Row = [string, string | undefined];

export interface FormGroup {
	name: "unit" | "agent" | "person" | "mailing" | "invoice";
	rows: Row[];
}

/** The form's data in groups, as the applicant entered them. */
export function formGroups(form: Form, c: CommonText): FormGroup[] {
	const rows = <F extends Form>(from: F, ...names: (keyof F & keyof CommonText["fields"])[]): Row[] =>
		names.map((name) => [c.fields[name], from[name] as string | undefined]);
	const holder: FormGroup[] = isUnit(form)
		? [
				{ name: "unit", rows: rows(form, "organisation", "creditCode", "legalPersonName", "legalPersonId") },
				{ name: "agent", rows: rows(form, "agentName", "agentId", "agentPhone", "agentEmail") },
			]
		: [{ name: "person", rows: rows(form, "name", "idNumber", "phone", "email") }];
	return [
		...holder,
		{ name: "mailing", rows: rows(form, "recipient", "recipientPhone", "address", "postcode") },
		{
			name: "invoice",
			rows: [
				[c.fields.invoiceTitle, holderOf(form)],
				[c.fields.invoiceType, c.invoices[form.invoiceType]],
			],
		},
	];
}
