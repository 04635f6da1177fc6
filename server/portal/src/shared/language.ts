import { computed, ref, shallowRef, type ComputedRef } from "vue";

export type Language = "zh-CN" | "en";

const STORED = "ukey.language";

export const language = ref<Language>("zh-CN");

const loaders: (() => Promise<void>)[] = [];
/** English that pages which were loaded later are still waiting for. */
const pending: Promise<void>[] = [];

/**
 * A table of texts, Chinese at hand and English loaded when first asked for. The Chinese one gives
 * the type, so a text that lacks its English does not compile.
 */
export function textTable<T extends object>(
	zh: T,
	loadEnglish: () => Promise<{ default: T }>,
): () => ComputedRef<T> {
	const english = shallowRef<T>(zh);
	const load = async () => {
		english.value = (await loadEnglish()).default;
	};
	loaders.push(load);
	if (language.value === "en") pending.push(load().catch(() => undefined));
	const current = computed(() => (language.value === "en" ? english.value : zh));
	return () => current;
}

/** Before a page is shown: its texts may have come with it. */
export async function textsReady(): Promise<void> {
	await Promise.all(pending.splice(0));
}

export async function setLanguage(to: Language): Promise<void> {
	if (to === "en") await Promise.all(loaders.map((load) => load()));
	language.value = to;
	document.documentElement.lang = to;
	localStorage.setItem(STORED, to);
}

export async function restoreLanguage(): Promise<void> {
	if (localStorage.getItem(STORED) === "en") await setLanguage("en");
}
