import * as api from "../../api/staff";
import type { Listing, OrderState, QueueRow } from "../../api/types";

/** Nobody but staff can move these on, and no desk has them in its own queue. */
const STUCK: OrderState[] = ["delivery-failed", "refund-by-hand"];

/** Pages of all orders that are looked through at once for those that need attention. */
const LOOKS = 4;

export interface Page {
	rows: QueueRow[];
	next?: string;
}

const needsAttention = (row: QueueRow) => row.overdue || STUCK.includes(row.state);

export async function fetchPage(queue: Listing, after?: string): Promise<Page> {
	const page: Page = { rows: [] };
	let from = after;
	for (let look = queue === "attention" ? LOOKS : 1; look > 0; look--) {
		const { orders, next } = await api.list(queue === "attention" ? "all" : queue, from);
		page.rows.push(...(queue === "attention" ? orders.filter(needsAttention) : orders));
		from = next;
		if (!next) return page;
	}
	return { ...page, next: from! };
}
