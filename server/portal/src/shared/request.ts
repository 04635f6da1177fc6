import type { Form } from "../api/types";
import { isUnit } from "./kinds";

/** The subject of a certificate request; what the certificate will say is the CA's own. */
export function subjectOfRequest(form: Form): { commonName: string; organization?: string; country: string } {
	if (!isUnit(form)) return { commonName: form.name, country: "CN" };
	return { commonName: form.organisation, organization: form.organisation, country: "CN" };
}
