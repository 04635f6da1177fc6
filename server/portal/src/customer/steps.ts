import type { Flow, Order, OrderAction, OrderKind, OrderNeed, OrderState } from "../api/types";
import { flowOf } from "../shared/kinds";

export type Step =
	| "form"
	| "identity"
	| "confirm"
	| "documents"
	| "signature"
	| "payment"
	| "review"
	| "delivery"
	| "download"
	| "code"
	| "unlock";

/** The steps in which it is the applicant's turn; each has a page of its own. */
export type PageStep = Exclude<Step, "review" | "delivery">;

/** The steps of each flow, in the order of the steps bar; an order has those that it needs. */
const SEQUENCE: Record<Flow, readonly Step[]> = {
	new: ["form", "identity", "confirm", "documents", "signature", "payment", "review", "delivery"],
	renewal: ["form", "identity", "confirm", "documents", "signature", "payment", "review", "download"],
	change: ["form", "identity", "confirm", "documents", "signature", "review", "download"],
	replacement: ["form", "identity", "confirm", "documents", "signature", "payment", "review", "delivery"],
	unlock: ["identity", "code", "unlock"],
};

/** Steps that only some orders of a flow have. */
const OPTIONAL: Partial<Record<Step, OrderNeed>> = {
	identity: "identity",
	documents: "documents",
	signature: "signature",
	payment: "payment",
	review: "review",
};

const STEP_OF_STATE: Record<OrderState, Step> = {
	identity: "identity",
	"identity-checking": "identity",
	confirm: "confirm",
	documents: "documents",
	signature: "signature",
	payment: "payment",
	review: "review",
	rejected: "review",
	delivering: "delivery",
	production: "delivery",
	producing: "delivery",
	issuing: "delivery",
	proving: "delivery",
	shipping: "delivery",
	code: "code",
	unlocking: "unlock",
	download: "download",
	installing: "download",
	done: "delivery",
	cancelled: "review",
	expired: "review",
	refunding: "review",
	refunded: "review",
	"refund-by-hand": "review",
	"delivery-failed": "delivery",
};

const ACTIONS_OF_STEP: Record<PageStep, OrderAction[]> = {
	form: ["edit"],
	identity: ["identity"],
	confirm: ["confirm"],
	documents: ["documents", "submit"],
	signature: ["sign"],
	payment: ["pay"],
	download: ["request", "proof"],
	code: ["unlock"],
	unlock: ["ticket"],
};

/** States in which a page of the applicant's shows what the system is doing, or that all is done. */
const WORKING: Partial<Record<PageStep, OrderState[]>> = {
	identity: ["identity-checking"],
	download: ["download", "issuing", "installing", "done"],
	code: ["delivering", "code"],
	unlock: ["unlocking", "done"],
};

/** A step that was taken shows it, whether or not the server still names it. */
function taken(step: Step, order: Order): boolean {
	switch (step) {
		case "identity":
			return order.identity.status === "passed";
		case "documents":
			return order.documentsNeeded.length > 0;
		case "signature":
			return order.signature.signedAt !== undefined;
		case "payment":
			return order.payment.status !== "none" && order.payment.method !== "remittance";
		case "review":
			return order.review.decidedAt !== undefined || order.review.dueAt !== undefined;
		default:
			return true;
	}
}

/** What comes before an order is made: all that it may come to. */
export function stepsAhead(kind: OrderKind, without: readonly Step[] = []): Step[] {
	return SEQUENCE[flowOf(kind)].filter((step) => !without.includes(step));
}

export function stepsOf(order: Order): Step[] {
	return SEQUENCE[flowOf(order.kind)].filter((step) => {
		const need = OPTIONAL[step];
		return !need || !order.needs || order.needs.includes(need) || taken(step, order);
	});
}

export function stepOf(order: Order): Step {
	const step = STEP_OF_STATE[order.state];
	const flow = flowOf(order.kind);
	// What is delivered is the password of a key, or the code that unlocks one.
	if (flow === "unlock" && order.state === "delivering") return "code";
	// "issuing" and "done" end every flow, each in its own last step.
	return step === "delivery" ? SEQUENCE[flow].at(-1)! : step;
}

/** The page on which the order goes on; null when it is not the applicant's turn. */
export function nextPage(order: Order): PageStep | null {
	if (order.state === "done") return null;
	const step = stepOf(order);
	// A remittance is the bank's affair, and then the finance desk's.
	if (step === "payment" && order.payment.method === "remittance") return null;
	return step === "review" || step === "delivery" ? null : step;
}

export function isOver(order: Order): boolean {
	return ["cancelled", "expired", "refunding", "refunded", "refund-by-hand"].includes(order.state);
}

/** May the order be on this page now? The server says what its owner may do. */
export function mayShow(page: PageStep, order: Order): boolean {
	if (WORKING[page]?.includes(order.state) && stepOf(order) === page) return true;
	return ACTIONS_OF_STEP[page].some((action) => order.actions.includes(action));
}
