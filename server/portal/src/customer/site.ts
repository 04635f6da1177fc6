import { ref } from "vue";

import { site as load } from "../api/orders";
import type { Site } from "../api/types";

export const site = ref<Site | null>(null);

/** Prices and names; pages show themselves without them until they are there. */
export async function loadSite(): Promise<void> {
	try {
		site.value = await load();
	} catch {
		setTimeout(loadSite, 5000);
	}
}
