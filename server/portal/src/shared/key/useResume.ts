import { watch } from "vue";

import type { Progress } from "../progress";

/** The key or the helper went away under the work. */
const GONE = ["token-removed", "token-not-found", "helper-lost", "helper-missing", "not-logged-in"];

export function isGone(progress: Progress<string>): boolean {
	return GONE.includes(progress.error?.reason ?? "");
}

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
