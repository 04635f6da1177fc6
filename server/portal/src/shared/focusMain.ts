import { nextTick } from "vue";
import type { Router } from "vue-router";

/** After a change of page the keyboard and the screen reader go on in it, not at the old place. */
export function focusMain(router: Router): void {
	router.afterEach(async (to, from) => {
		if (from.matched.length === 0 || to.path === from.path) return;
		await nextTick();
		document.getElementById("main")?.focus({ preventScroll: true });
	});
}
