import { onBeforeUnmount } from "vue";

import { ApiError } from "../api/http";

/** Calls `step` again and again while it says true; a lost network does not end it. */
export function usePolling(step: () => Promise<boolean>, every: number): { start(): void; stop(): void } {
	let timer: ReturnType<typeof setTimeout> | undefined;
	let running = false;

	async function next(): Promise<void> {
		let goOn = true;
		try {
			goOn = await step();
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			goOn = error.reason === "network" || error.reason === "unavailable" || error.status === 429;
		}
		if (running && goOn) timer = setTimeout(next, every);
		else running = false;
	}

	function start(): void {
		if (running) return;
		running = true;
		timer = setTimeout(next, every);
	}

	function stop(): void {
		running = false;
		clearTimeout(timer);
	}

	onBeforeUnmount(stop);
	return { start, stop };
}
