import { get, post, sendText } from "./http";
import type {
	Challenge,
	DocumentType,
	OrderDetail,
	Queue,
	QueueRow,
	RejectReason,
	Remitted,
	StaffCertificate,
	StaffMember,
	Task,
} from "./types";

const at = (id: string, rest = "") => `/api/staff/orders/${encodeURIComponent(id)}${rest}`;

export const challenge = () => post<Challenge>("/api/staff/challenge");
export const login = (proof: { nonce: string; certificate: string; signature: string }) =>
	post<StaffMember>("/api/staff/login", proof);
export const me = () => get<StaffMember>("/api/staff/me");
export const logout = () => post<object>("/api/staff/logout");

export const list = (queue: Queue, after?: string) => {
	const query = new URLSearchParams({ queue, ...(after ? { after } : {}) });
	return get<{ orders: QueueRow[]; next?: string }>(`/api/staff/orders?${query}`);
};
export const load = (id: string) => get<OrderDetail>(at(id));
export const documentAddress = (id: string, type: DocumentType, uploadedAt: number) =>
	`${at(id, `/documents/${type}`)}?v=${uploadedAt}`;
export const labelAddress = (id: string) => at(id, "/label");

export const approve = ({ id, version }: OrderDetail, note: string) =>
	post<OrderDetail>(at(id, "/approve"), { version, ...(note ? { note } : {}) });
export const reject = ({ id, version }: OrderDetail, reason: RejectReason, note: string) =>
	post<OrderDetail>(at(id, "/reject"), { version, reason, note });

export const redeliver = ({ id, version }: OrderDetail) =>
	post<OrderDetail>(at(id, "/redeliver"), { version });
export const refund = ({ id, version }: OrderDetail) => post<OrderDetail>(at(id, "/refund"), { version });
export const refunded = ({ id, version }: OrderDetail, payment: string, note: string) =>
	post<OrderDetail>(at(id, "/refunded"), { version, payment, note });

export const claim = ({ id, version }: OrderDetail) => post<OrderDetail>(at(id, "/claim"), { version });
export const release = ({ id, version }: OrderDetail) =>
	post<OrderDetail>(at(id, "/release"), { version });
export const ticket = (id: string, channel: { token: string; channel: JsonWebKey; vouch: string }) =>
	post<{ ticket: string }>(at(id, "/ticket"), channel);
export const request = (id: string, made: { token: string; request: string }) =>
	post<OrderDetail>(at(id, "/request"), made);
export const proof = (id: string, signed: { signature: string; certificate: string }) =>
	post<OrderDetail>(at(id, "/proof"), signed);
export const ship = ({ id, version }: OrderDetail, carrier: string, tracking: string) =>
	post<OrderDetail>(at(id, "/shipment"), { version, carrier, tracking });

export const remittances = () => get<{ remittances: Remitted[] }>("/api/staff/remittances");
export const enterRemittance = (remitted: Omit<Remitted, "id" | "order" | "suggested">) =>
	post<{ entered: number; known: number }>("/api/staff/remittances", remitted);
/** A file of the bank's records; those that are known already are no error. */
export const importRemittances = (file: Blob) =>
	sendText<{ entered: number; known: number }>("/api/staff/remittances/import", "text/csv", file);
export const matchRemittance = (id: string, { id: order, version }: OrderDetail) =>
	post<object>(`/api/staff/remittances/${encodeURIComponent(id)}/match`, { order, version });

export const tasks = () => get<{ tasks: Task[] }>("/api/staff/tasks");
export const taskDone = (id: string) => post<{ tasks: Task[] }>("/api/staff/tasks/done", { id });

type Certificates = { certificates: StaffCertificate[] };
/** By the serial of the certificate or of its key, or by its order. */
export const findCertificates = (by: "serial" | "token" | "order", value: string) =>
	get<Certificates>(`/api/staff/certificates?${new URLSearchParams({ [by]: value })}`);
/** By the holder's document number, which has no place in an address. */
export const searchCertificates = (number: string) =>
	post<Certificates>("/api/staff/certificates/search", { number });
const certificateAt = (serial: string, rest: string) =>
	`/api/staff/certificates/${encodeURIComponent(serial)}/${rest}`;
export const suspend = (serial: string) => post<StaffCertificate>(certificateAt(serial, "suspend"));
export const resume = (serial: string) => post<StaffCertificate>(certificateAt(serial, "resume"));
export const revoke = (serial: string, reason: string) =>
	post<StaffCertificate>(certificateAt(serial, "revoke"), { reason });
