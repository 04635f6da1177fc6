import type { UnitForm } from "../api/types";
import type { CommonText } from "../text/common.zh";

type Row = [string, string | undefined];

/** The form's data in groups, as the applicant entered them. */
export function formGroups(form: UnitForm, c: CommonText): Row[][] {
	const row = (name: Exclude<keyof CommonText["fields"], "invoiceTitle" | "invoiceType">): Row => [
		c.fields[name],
		form[name],
	];
	return [
		[row("organisation"), row("creditCode"), row("legalPersonName"), row("legalPersonId")],
		[row("agentName"), row("agentId"), row("agentPhone"), row("agentEmail")],
		[row("recipient"), row("recipientPhone"), row("address"), row("postcode")],
		[
			[c.fields.invoiceTitle, form.organisation],
			[c.fields.invoiceType, c.invoices[form.invoiceType]],
		],
	];
}
