import { fromBase64, toBase64, UkeyError, type Certificate, type Token } from "@ukey/client";

import * as api from "../../api/orders";
import type { Download, Order } from "../../api/types";
import { encryptionOf } from "../../shared/key/encryption";
import { helper } from "../../shared/key/key";
import { useProgress, type Progress } from "../../shared/progress";
import { subjectOfRequest } from "../../shared/request";
import { sameSerial } from "../serial";
import * as memory from "./memory";
import { loginByKey, restoreHolder } from "./session";

export const DOWNLOAD_STEPS = ["login", "key", "issue", "write", "proof"] as const;
export type DownloadStep = (typeof DOWNLOAD_STEPS)[number];

/** Milliseconds between looks at the order while the CA issues, and how many looks. */
const ISSUE_WAIT = 1000;
const ISSUE_LOOKS = 90;

export interface KeyDownload {
	progress: Progress<DownloadStep>;
	/** From the key pair to the proof, or from where it stopped. */
	start(order: Order, token: Token, certificates: readonly Certificate[]): Promise<void>;
}

/**
 * The new certificate's way to the customer's own key [R5] [R9] [V3]. What the order and the key say
 * decides where to go on: a step that failed, a pulled key or a closed browser costs that step only.
 */
export function useDownload(take: (order: Order) => void): KeyDownload {
	const progress = useProgress(DOWNLOAD_STEPS);
	const { step, doneUntil } = progress;

	async function download(order: Order, token: Token, certificates: readonly Certificate[]): Promise<void> {
		let current = await api.load(order.id);
		take(current);
		if (current.state === "download") current = await requestCertificate(current, token, certificates);
		doneUntil("issue");
		if (current.state === "issuing") current = await step("issue", () => issued(current.id));
		if (current.state === "installing") await install(current, token);
	}

	async function requestCertificate(
		order: Order,
		token: Token,
		certificates: readonly Certificate[],
	): Promise<Order> {
		const old = certificates.find((one) => sameSerial(one.serial, order.about?.serial ?? ""));
		if (!old) throw new UkeyError("certificate-not-found");
		await step("login", async () => {
			if (!(await restoreHolder(old.serial))) await loginByKey(token, old);
		});
		const request = await step("key", () => makeRequest(order, token, old));
		return step("issue", async () => {
			const newest = await api.request(order, { token: token.serial, request });
			take(newest);
			return newest.state === "issuing" ? issued(order.id) : newest;
		});
	}

	async function issued(id: string): Promise<Order> {
		for (let look = 0; look < ISSUE_LOOKS; look++) {
			const newest = await api.load(id);
			take(newest);
			if (newest.state === "installing") return newest;
			if (newest.state !== "issuing") throw new UkeyError("issue-failed", { retry: true });
			await new Promise((resolve) => setTimeout(resolve, ISSUE_WAIT));
		}
		throw new UkeyError("timeout", { retry: true });
	}

	/** Writes the certificate, has the new key sign the CA's challenge, and shows that to the CA. */
	async function install(order: Order, token: Token): Promise<void> {
		const { download } = order;
		if (!download) throw new UkeyError("conflict");
		doneUntil("write");
		const certificate = await step("write", () => write(order.id, token, download));
		await step("proof", async () => {
			const { challenge } = (await api.load(order.id)).download ?? download;
			const signed = await helper().login.create({ certificate, ...challenge });
			const newest = await api.proof(order, {
				signature: toBase64(signed.signature),
				certificate: toBase64(signed.certificate),
			});
			memory.forget(order.id);
			take(newest);
		});
	}

	return { progress, start: (order, token, certificates) => progress.run(() => download(order, token, certificates)) };
}

/** The pair that was made for this order before, or a new one of the old certificate's kind. */
async function makeRequest(order: Order, token: Token, old: Certificate): Promise<string> {
	const create = (key: string) =>
		helper().certificateRequest.create({ token: token.id, key, subject: subjectOfRequest(order.form) });
	const kept = memory.recall(order.id);
	if (kept)
		try {
			return toBase64(await create(kept));
		} catch (error) {
			if (!(error instanceof UkeyError && error.reason === "key-not-found")) throw error;
		}
	const { key } = await helper().key.generate({ token: token.id, algorithm: old.algorithm });
	memory.remember(order.id, key);
	return toBase64(await create(key));
}

async function write(order: string, token: Token, download: Download): Promise<string> {
	const { certificates } = await helper().certificate.list(token.id);
	const key = memory.recall(order);
	const replaces = certificates.some((one) => one.id === download.replaces) ? download.replaces : undefined;
	return helper().certificate.install({
		token: token.id,
		...(key ? { key } : {}),
		certificate: fromBase64(download.certificate),
		chain: download.chain.map(fromBase64),
		...(replaces ? { replaces } : {}),
		...encryptionOf(download.encryption),
	});
}
