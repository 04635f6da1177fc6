import type { Flow, Form, OrderKind, Subject, UnitForm } from "../api/types";

export function subjectOf(kind: OrderKind): Subject {
	return kind.startsWith("unit-") ? "unit" : "person";
}

export function flowOf(kind: OrderKind): Flow {
	return kind.slice(kind.indexOf("-") + 1) as Flow;
}

export function isUnit(form: Form): form is UnitForm {
	return "organisation" in form;
}

/** Whom the certificate is for. */
export function holderOf(form: Form): string {
	return isUnit(form) ? form.organisation : form.name;
}

/** Who gets the codes. */
export function phoneOf(form: Form): string {
	return isUnit(form) ? form.agentPhone : form.phone;
}
