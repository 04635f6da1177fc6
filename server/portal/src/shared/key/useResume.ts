import { watch } from "vue";

import type { Progress } from "../progress";

const PULLED = ["token-removed", "token-not-found"];
/** The key or the helper went away under the work. */
const GONE = [...PULLED, "helper-lost", "helper-missing", "not-logged-in"];

/** Does the key have to be put back? */
export const isPulled = (progress: Progress<string>): boolean => PULLED.includes(progress.error?.reason ?? "");
const isGone = (progress: Progress<string>): boolean => GONE.includes(progress.error?.reason ?? "");

/**
 * In what is shown while the right key is in: work that stopped because the key was gone goes on by
 * itself once it is back, one time for each time it comes back [R5].
 */
export function useResume(progress: Progress<string>, goOn: () => void): void {
	let resumed = false;
	watch(
		() => progress.busy,
		(busy) => {
			if (busy || resumed || !isGone(progress)) return;
			resumed = true;
			goOn();
		},
		{ immediate: true },
	);
}
