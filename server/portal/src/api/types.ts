/** The shapes of /api; server/openapi.yaml is their reference. Money in fen, times in Unix seconds. */

export type OrderKind = "unit-new" | "person-new";
export type InvoiceType = "general" | "special";
export type IdentityMethod = "mobile" | "bank-card" | "account";
export type IdentityFailure = "mismatch" | "no-record" | "service-unavailable" | "too-many-attempts";

export type OrderState =
	| "identity"
	| "identity-checking"
	| "confirm"
	| "documents"
	| "signature"
	| "payment"
	| "review"
	| "rejected"
	| "delivering"
	| "production"
	| "producing"
	| "issuing"
	| "proving"
	| "shipping"
	| "done"
	| "cancelled"
	| "expired"
	| "refunding"
	| "refunded"
	| "refund-by-hand"
	| "delivery-failed";

export type OrderAction =
	| "edit"
	| "identity"
	| "confirm"
	| "documents"
	| "submit"
	| "sign"
	| "pay"
	| "cancel"
	| "refund";

export type DocumentType =
	| "business-licence"
	| "legal-person-front"
	| "legal-person-back"
	| "agent-front"
	| "agent-back"
	| "holder-front"
	| "holder-back";

export type RejectReason = "document-unclear" | "document-mismatch" | "data-mismatch" | "other";

export interface Site {
	name: string;
	servicePhone: string;
	prices: Partial<Record<OrderKind, number>>;
	development: boolean;
	ports: number[];
	reviewDays: number;
}

export interface UnitForm {
	organisation: string;
	creditCode: string;
	legalPersonName: string;
	legalPersonId: string;
	agentName: string;
	agentId: string;
	agentPhone: string;
	agentEmail: string;
	recipient: string;
	recipientPhone: string;
	address: string;
	postcode?: string;
	invoiceType: InvoiceType;
	photoConsent: boolean;
	agreement: boolean;
}

export type IdentityRequest =
	| { method: "mobile"; phone: string }
	| { method: "bank-card"; card: string; phone: string }
	| { method: "account"; account: string; bank: string };

export interface Order {
	id: string;
	kind: OrderKind;
	state: OrderState;
	version: number;
	createdAt: number;
	updatedAt: number;
	form: UnitForm;
	warnings: string[];
	identity: {
		method?: IdentityMethod;
		status: "none" | "checking" | "passed" | "failed";
		reason?: IdentityFailure;
		attemptsLeft: number;
	};
	documents: Partial<
		Record<DocumentType, { width: number; height: number; bytes: number; uploadedAt: number }>
	>;
	documentsNeeded: DocumentType[];
	signature: { phone: string; signedAt?: number };
	payment: {
		amount: number;
		status: "none" | "waiting" | "paid" | "refunding" | "refunded";
		paidAt?: number;
		tradeNo?: string;
	};
	review: {
		dueAt?: number;
		decidedAt?: number;
		result?: "approved" | "rejected";
		reason?: RejectReason;
		note?: string;
	};
	password: { channel?: "sms" | "remark"; sentTo?: string; sentAt?: number };
	shipping: { carrier?: string; tracking?: string; postedAt?: number };
	certificate: { serial?: string; subject?: string; notBefore?: number; notAfter?: number };
	actions: OrderAction[];
}

export interface CodeSent {
	sentTo: string;
	/** Seconds. */
	expiresIn: number;
	/** Seconds. */
	resendAfter: number;
}

export type QueryKind = "unit" | "person";

export type Role = "reviewer" | "producer" | "finance" | "auditor" | "administrator";

export interface StaffMember {
	name: string;
	roles: Role[];
}

export interface Challenge {
	nonce: string;
	audience: string;
	expires: number;
}

export type Queue = "review" | "production" | "shipping" | "all";
/** What a page lists: a queue of the server, or those of all orders that only staff can move. */
export type Listing = Queue | "attention";

export interface QueueRow {
	id: string;
	kind: OrderKind;
	state: OrderState;
	holder: string;
	createdAt: number;
	dueAt?: number;
	overdue: boolean;
}

export interface HistoryRow {
	at: number;
	event: string;
	by: string;
	from: string;
	to: string;
	note?: string;
}

export interface OrderDetail extends Order {
	history: HistoryRow[];
	evidence: { identity?: Record<string, unknown>; signature?: Record<string, unknown> };
	producer?: string;
	/** To be signed by the new key, in state "proving". */
	challenge?: Challenge;
	/** Base64 of the DER, from state "proving" on. */
	certificateDer?: string;
	/** The other certificate of an SM2 key, and its key under envelope, in state "proving". */
	encryption?: Encryption;
}

export interface Encryption {
	/** Base64, as is envelopedKey. */
	certificate: string;
	envelopedKey: string;
	format: "gbt35276" | "skf";
}
