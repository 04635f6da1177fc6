import { get, post, put, upload } from "./http";
import type {
	CodeSent,
	DocumentType,
	IdentityRequest,
	Order,
	OrderKind,
	QueryKind,
	Site,
	UnitForm,
} from "./types";

const at = (id: string, rest = "") => `/api/orders/${encodeURIComponent(id)}${rest}`;

export const site = () => get<Site>("/api/site");

export const create = (kind: OrderKind, form: UnitForm) => post<Order>("/api/orders", { kind, form });
export const load = (id: string) => get<Order>(at(id));
export const edit = ({ id, version }: Order, form: UnitForm) =>
	put<Order>(at(id, "/form"), { version, form });
export const identity = ({ id }: Order, request: IdentityRequest) =>
	post<Order>(at(id, "/identity"), request);
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

export const cancel = ({ id, version }: Order) => post<Order>(at(id, "/cancel"), { version });
export const refund = ({ id, version }: Order) => post<Order>(at(id, "/refund"), { version });

export const queryCode = (kind: QueryKind, number: string) =>
	post<{ sent: true }>("/api/query/code", { kind, number });
export const query = (kind: QueryKind, number: string, code: string) =>
	post<{ orders: Order[] }>("/api/query", { kind, number, code });
export const queried = () => get<{ orders: Order[] }>("/api/query");
