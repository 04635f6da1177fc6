import { reactive } from "vue";

import { ApiError } from "../api/http";

export interface Action<A extends unknown[]> {
	busy: boolean;
	error: ApiError | null;
	/** Starts it; while it runs a second start does nothing (a double click). */
	start(...args: A): Promise<void>;
}

/** The key helper's refusals name their reason as the server's do, and are shown alike. */
export function toApiError(error: unknown): ApiError {
	if (error instanceof ApiError) return error;
	const { reason, field, triesLeft } = error as { reason?: unknown; field?: string; triesLeft?: number };
	if (typeof reason !== "string") throw error;
	return new ApiError(0, {
		reason,
		...(field === undefined ? {} : { field }),
		...(triesLeft === undefined ? {} : { attemptsLeft: triesLeft }),
	});
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
				action.error = toApiError(error);
			} finally {
				action.busy = false;
			}
		},
	}) as Action<A>;
	return action;
}
