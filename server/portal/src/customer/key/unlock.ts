import { toBase64, type Token } from "@ukey/client";
import { ref, type Ref } from "vue";

import * as api from "../../api/unlock";
import type { Order } from "../../api/types";
import { helper } from "../../shared/key/key";
import { useProgress, type Progress } from "../../shared/progress";

export const UNLOCK_STEPS = ["channel", "ticket", "unlock", "receipt"] as const;
export type UnlockStep = (typeof UNLOCK_STEPS)[number];

export interface KeyUnlock {
	progress: Progress<UnlockStep>;
	/** What the helper's window must show too; only where the page reaches it by the local port. */
	code: Ref<string | null>;
	start(order: Order, token: Token): Promise<void>;
}

/** A sealed ticket from the CA to the helper; the user enters the new PIN in the helper's window [U2]. */
export function useUnlock(take: (order: Order) => void): KeyUnlock {
	const progress = useProgress(UNLOCK_STEPS);
	const { step } = progress;
	const code = ref<string | null>(null);

	async function unlock(order: Order, token: Token): Promise<void> {
		try {
			const channel = await step("channel", () => helper().agent.channel("unlock"));
			code.value = channel.code ?? null;
			const { ticket } = await step("ticket", () =>
				api.ticket(order, { token: token.serial, channel: channel.channel }),
			);
			const { receipt } = await step("unlock", () => helper().pin.unlock(token.id, ticket));
			const signed = { signature: toBase64(receipt.signature), certificate: toBase64(receipt.certificate) };
			await step("receipt", async () => take(await api.receipt(order, signed)));
		} finally {
			code.value = null;
		}
	}

	return { progress, code, start: (order, token) => progress.run(() => unlock(order, token)) };
}
