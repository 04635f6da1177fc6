import { reactive } from "vue";

import { ApiError } from "../api/http";

export interface Action<A extends unknown[]> {
	busy: boolean;
	error: ApiError | null;
	/** Starts it; while it runs a second start does nothing (a double click). */
	start(...args: A): Promise<void>;
}

export function useAction<A extends unknown[]>(run: (...args: A) => Promise<void>): Action<A> {
	const action: Action<A> = reactive({
		busy: false,
		error: null,
		async start(...args: A) {
			if (action.busy) return;
			action.busy = true;
			action.error = null;
			try {
				await run(...args);
			} catch (error) {
				if (!(error instanceof ApiError)) throw error;
				action.error = error;
			} finally {
				action.busy = false;
			}
		},
	}) as Action<A>;
	return action;
}
