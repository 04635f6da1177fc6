import type { Certificate } from "@ukey/client";
import { computed, shallowRef, watch, type ComputedRef } from "vue";

import { useAction, type Action } from "../useAction";
import { gateOf, withKeys, type Gate } from "./gate";
import { helper, key, requestSite, startKey } from "./key";

export interface KeyGate {
	gate: ComputedRef<Gate>;
	/** Reads the certificates anew; by itself whenever the keys that are in have changed. */
	list: Action<[]>;
	/** Asks the user to let this site see them. */
	ask: Action<[]>;
}

interface Read {
	token: string;
	certificates: Certificate[];
	hidden: number;
}

/** Watches what is in until it is exactly one key with a certificate. */
export function useGate(): KeyGate {
	const read = shallowRef<Read | null>(null);
	const one = computed(() => {
		const [token, ...others] = key.allowed ? withKeys(key.tokens) : [];
		return token && others.length === 0 ? token : null;
	});

	/** The key may be changed while it is read: what counts is the one that is in at the end. */
	async function readCertificates(): Promise<void> {
		for (;;) {
			const token = one.value;
			if (!token) return;
			try {
				const found = await helper().certificate.list(token.id);
				read.value = { token: token.id, ...found };
			} catch (error) {
				if (one.value?.id === token.id) throw error;
			}
			if (one.value?.id === token.id) return;
		}
	}

	const list = useAction(readCertificates);
	const ask = useAction(async () => {
		await requestSite();
		await list.start();
	});

	watch(
		() => [one.value?.id, one.value?.state],
		() => void list.start(),
		{ immediate: true },
	);
	void startKey();

	const gate = computed(() => {
		const known = read.value?.token === one.value?.id ? read.value : null;
		return gateOf({ ...key, certificates: known?.certificates ?? null, hidden: known?.hidden ?? 0 });
	});
	return { gate, list, ask };
}
