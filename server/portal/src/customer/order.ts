import { inject, provide, type InjectionKey, type ShallowRef } from "vue";

import type { Order } from "../api/types";

export interface OrderContext {
	order: ShallowRef<Order>;
	/** Takes the server's newest state; a page that may no longer be shown gives way. */
	take(order: Order): void;
	/**
	 * Runs what needs the order in its state. If it has meanwhile moved on (another window, the back
	 * button), its newest state is loaded before the error is shown.
	 */
	attempt<T>(run: (order: Order) => Promise<T>): Promise<T>;
	/** The same for a change, and goes where the order then stands. */
	change(run: (order: Order) => Promise<Order>): Promise<void>;
}

const KEY: InjectionKey<OrderContext> = Symbol("order");

export const provideOrder = (context: OrderContext): void => provide(KEY, context);

export function useOrder(): OrderContext {
	const context = inject(KEY);
	if (!context) throw new Error("outside an order's page");
	return context;
}
