import { reactive } from "vue";

import type { ApiError } from "../api/http";
import { toApiError } from "./useAction";

export type StepState = "waiting" | "running" | "done" | "failed";

/** A row of steps that stops at the first that fails, and can go on from there. */
export interface Progress<S extends string> {
	steps: Record<S, StepState>;
	error: ApiError | null;
	busy: boolean;
	/** Begun at all, on this page. */
	begun: boolean;
	step<T>(name: S, act: () => Promise<T>): Promise<T>;
	/** Those before `end` were done earlier. */
	doneUntil(end: S): void;
	/** Runs the whole; a second start while it runs does nothing. */
	run(act: () => Promise<void>): Promise<void>;
}

export function useProgress<S extends string>(names: readonly S[]): Progress<S> {
	const progress: Progress<S> = reactive({
		steps: Object.fromEntries(names.map((name) => [name, "waiting"])) as Record<S, StepState>,
		error: null,
		busy: false,
		begun: false,
		async step<T>(name: S, act: () => Promise<T>): Promise<T> {
			set(name, "running");
			try {
				const result = await act();
				set(name, "done");
				return result;
			} catch (error) {
				set(name, "failed");
				throw error;
			}
		},
		doneUntil(end: S) {
			for (const name of names.slice(0, names.indexOf(end))) set(name, "done");
		},
		async run(act: () => Promise<void>) {
			if (progress.busy) return;
			progress.busy = true;
			progress.begun = true;
			progress.error = null;
			for (const name of names) set(name, "waiting");
			try {
				await act();
			} catch (error) {
				progress.error = toApiError(error);
			} finally {
				progress.busy = false;
			}
		},
	}) as Progress<S>;
	const set = (name: S, state: StepState) => {
		(progress.steps as Record<S, StepState>)[name] = state;
	};
	return progress;
}
