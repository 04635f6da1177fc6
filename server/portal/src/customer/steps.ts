import type { Order, OrderAction, OrderState } from "../api/types";

/** The steps of a new certificate, in the order of the steps bar. */
export const STEPS = [
	"form",
	"identity",
	"confirm",
	"documents",
	"signature",
	"payment",
	"review",
	"delivery",
] as const;
export type Step = (typeof STEPS)[number];

/** The steps in which it is the applicant's turn; each has a page of its own. */
export type PageStep = Exclude<Step, "review" | "delivery">;

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
};

export function stepOf(order: Order): Step {
	return STEP_OF_STATE[order.state];
}

/** The page on which the order goes on; null when it is not the applicant's turn. */
export function nextPage(order: Order): PageStep | null {
	const step = stepOf(order);
	return step === "review" || step === "delivery" ? null : step;
}

export function isOver(order: Order): boolean {
	return ["cancelled", "expired", "refunding", "refunded", "refund-by-hand"].includes(order.state);
}

/** May the order be on this page now? The server says what its owner may do. */
export function mayShow(page: PageStep, order: Order): boolean {
	if (page === "identity" && order.state === "identity-checking") return true;
	return ACTIONS_OF_STEP[page].some((action) => order.actions.includes(action));
}
