/** The shapes of /api; server/openapi.yaml is their reference. Money in fen, times in Unix seconds. */

export type Subject = "unit" | "person";
export type Flow = "new" | "renewal" | "unlock" | "replacement" | "change";
export type OrderKind = `${Subject}-${Flow}`;
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
	| "code"
	| "unlocking"
	| "download"
	| "installing"
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
	| "manual"
	| "code"
	| "other"
	| "unlock"
	| "ticket"
	| "request"
	| "proof"
	| "cancel"
	| "refund";

export type DocumentType =
	| "business-licence"
	| "legal-person-front"
	| "legal-person-back"
	| "agent-front"
	| "agent-back"
	| "holder-front"
	| "holder-back"
	| "payment-proof";

export type RejectReason = "document-unclear" | "document-mismatch" | "data-mismatch" | "other";

export interface Site {
	name: string;
	servicePhone: string;
	prices: Partial<Record<OrderKind, number>>;
	development: boolean;
	ports: number[];
	reviewDays: number;
	/** Where the fee of a unit's replacement is remitted to. */
	remittance?: { account: string; bank: string; name: string };
}

/** What the forms of all subjects have in common. */
export interface CommonForm {
	recipient: string;
	recipientPhone: string;
	address: string;
	postcode?: string;
	invoiceType: InvoiceType;
	photoConsent: boolean;
	agreement: boolean;
}

export interface UnitForm extends CommonForm {
	organisation: string;
	creditCode: string;
	legalPersonName: string;
	legalPersonId: string;
	agentName: string;
	agentId: string;
	agentPhone: string;
	agentEmail: string;
}

export interface PersonForm extends CommonForm {
	name: string;
	idNumber: string;
	phone: string;
	email: string;
}

export type Form = UnitForm | PersonForm;

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
	form: Form;
	warnings: string[];
	/** The certificate that is renewed, changed, replaced or unlocked. */
	about?: { serial: string; name: string; notAfter: number };
	/** The kinds of steps that this order has. */
	needs?: OrderNeed[];
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
	signature: { phone: string; holder: boolean; signedAt?: number };
	payment: {
		amount: number;
		status: "none" | "waiting" | "paid" | "refunding" | "refunded";
		paidAt?: number;
		tradeNo?: string;
		method?: "none" | "alipay" | "remittance";
		/** Where to remit the fee, and what to write in the remark. */
		remittance?: Remittance;
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
	/** In state "installing": the new certificate, and what to sign with it. */
	download?: Download;
	/** Of orders that unlock a key. */
	unlock?: {
		phone: string;
		first: boolean;
		way: "sms" | "identity";
		codeSent: boolean;
		triesLeft: number;
	};
	actions: OrderAction[];
}

export type OrderNeed = "identity" | "documents" | "signature" | "payment" | "review";

export interface Remittance {
	account: string;
	bank: string;
	name: string;
	amount: number;
	remark: string;
}

/** The encryption certificate and its enveloped key pair; base64. */
export interface Encryption {
	certificate: string;
	envelopedKey: string;
	format: "gbt35276" | "skf";
}

/** Binary as base64 of the DER. */
export interface Download {
	certificate: string;
	chain: string[];
	encryption?: Encryption;
	challenge: Challenge;
	/** Id of the certificate that leaves the key once the new one works. */
	replaces?: string;
	publicKey?: string;
}

export type CertificateStatus = "valid" | "suspended" | "revoked" | "expired";
export type RefusedRule = "too-early" | "revoked" | "suspended" | "order-open" | "expired" | "renewed" | "unknown";

/** May it be renewed, changed or replaced, and what would come of it? */
export interface Rule {
	possible: boolean;
	reason?: RefusedRule;
	/** From when on it is possible. */
	from?: number;
	review?: boolean;
	notBefore?: number | null;
	notAfter?: number | null;
	payment?: number;
	basis?: string;
}

/** Who is logged in with a customer's key. */
export interface KeyHolder {
	certificate: {
		serial: string;
		subject: string;
		name: string;
		kind: Subject;
		notBefore: number;
		notAfter: number;
		status: CertificateStatus;
	};
	renewal: Rule;
	change: Rule;
	form: Form;
	orders: Order[];
}

export interface FoundCertificate {
	serial: string;
	name: string;
	notBefore: number;
	notAfter: number;
	status: CertificateStatus;
	replacement: Rule;
	kind: Subject;
}

export interface Found {
	orders: Order[];
	certificates?: FoundCertificate[];
}

export interface KeyProof {
	nonce: string;
	/** Base64. */
	certificate: string;
	signature: string;
}

export interface CodeSent {
	sentTo: string;
	/** Seconds. */
	expiresIn: number;
	/** Seconds. */
	resendAfter: number;
}

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

export type Queue = "review" | "production" | "shipping" | "attention" | "finance" | "all";

/** What the system has asked the staff to look at. */
export interface Task {
	id: string;
	kind: string;
	role: Role;
	order?: string;
	detail: string;
	createdAt: number;
}

export interface StaffCertificate {
	serial: string;
	subject: string;
	usage: "sign" | "encrypt" | "both";
	algorithm: string;
	notBefore: number;
	notAfter: number;
	status: CertificateStatus;
	order?: string;
	token?: string;
	reason?: string;
}

export interface QueueRow {
	id: string;
	kind: OrderKind;
	state: OrderState;
	holder: string;
	createdAt: number;
	dueAt?: number;
	overdue: boolean;
	/** Why it is on a desk. */
	tasks?: Omit<Task, "order">[];
}

/** A payment that the bank's records show; `order`: of which order it is. */
export interface Remitted {
	id: string;
	reference: string;
	payer: string;
	account: string;
	remark: string;
	/** Fen. */
	amount: number;
	receivedAt: number;
	order?: string;
	/** The order that the remark names. */
	suggested?: string;
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
	/** The data of the certificate that is renewed, changed or replaced. */
	before?: Form;
	payments?: { id: string; amount: number; status: string; method: string }[];
	/** To be signed by the new key, in state "proving". */
	challenge?: Challenge;
	/** Base64 of the DER, from state "proving" on. */
	certificateDer?: string;
	/** The other certificate of an SM2 key, and its key under envelope, in state "proving". */
	encryption?: Encryption;
}
