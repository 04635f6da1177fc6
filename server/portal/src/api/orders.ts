import { get, post, put, upload } from "./http";
import type {
	CodeSent,
	DocumentType,
	Form,
	Found,
	IdentityRequest,
	KeyProof,
	Order,
	OrderKind,
	Site,
	Subject,
} from "./types";

const at = (id: string, rest = "") => `/api/orders/${encodeURIComponent(id)}${rest}`;

export const site = () => get<Site>("/api/site");

/** `certificate`: serial of the one that is renewed, changed or replaced. */
export const create = (kind: OrderKind, form: Form, certificate?: string) =>
	post<Order>("/api/orders", { kind, form, ...(certificate ? { certificate } : {}) });
export const load = (id: string) => get<Order>(at(id));
export const edit = ({ id, version }: Order, form: Form) =>
	put<Order>(at(id, "/form"), { version, form });
export const identity = ({ id }: Order, request: IdentityRequest) =>
	post<Order>(at(id, "/identity"), request);
/** A review by the staff instead of an automatic match [V4]. */
export const manual = ({ id, version }: Order) => post<Order>(at(id, "/manual"), { version });
export const confirm = ({ id, version }: Order) => post<Order>(at(id, "/confirm"), { version });

export const documentAddress = (id: string, type: DocumentType, uploadedAt: number) =>
	`${at(id, `/documents/${type}`)}?v=${uploadedAt}`;
export const uploadDocument = (
	{ id }: Order,
	type: DocumentType,
	file: Blob,
	progress: (share: number) => void,
) => upload<Order>(at(id, `/documents/${type}`), file, progress);
export const submit = ({ id, version }: Order) => post<Order>(at(id, "/submit"), { version });

export const sendCode = ({ id }: Order) => post<CodeSent>(at(id, "/signature/code"));
export const sign = ({ id }: Order, code: string) => post<Order>(at(id, "/signature"), { code });

export const pay = ({ id }: Order) => post<{ url: string }>(at(id, "/payment"));
export const checkPayment = ({ id }: Order) => post<Order>(at(id, "/payment/check"));

/** The certificate request of a key pair made on the customer's own key; base64 of the DER. */
export const request = ({ id }: Order, made: { token: string; request: string }) =>
	post<Order>(at(id, "/request"), made);
export const proof = ({ id }: Order, signed: Omit<KeyProof, "nonce">) => post<Order>(at(id, "/proof"), signed);

export const cancel = ({ id, version }: Order) => post<Order>(at(id, "/cancel"), { version });
export const refund = ({ id, version }: Order) => post<Order>(at(id, "/refund"), { version });

export const queryCode = (kind: Subject, number: string) =>
	post<{ sent: true }>("/api/query/code", { kind, number });
export const query = (kind: Subject, number: string, code: string) =>
	post<Found>("/api/query", { kind, number, code });
export const queried = () => get<Found>("/api/query");

export type Paper = "details" | "application" | "invoice";
export const paperAddress = (id: string, paper: Paper) => at(id, `/papers/${paper}.pdf`);
