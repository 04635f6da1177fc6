import { fromBase64, toBase64, UkeyError, type Token } from "@ukey/client";
import * as api from "../../api/staff";
import type { OrderDetail } from "../../api/types";
import { useProgress, type Progress } from "../../shared/progress";
import { encryptionOf } from "../../shared/key/encryption";
import { subjectOfRequest } from "../../shared/request";
import { helper, key } from "../../shared/key/key";
import * as memory from "./memory";

export const MAKE_STEPS = [
	"channel",
	"ticket",
	"prepare",
	"key",
	"request",
	"issue",
	"install",
	"proof",
] as const;
export type MakeStep = (typeof MAKE_STEPS)[number];

/** Milliseconds between looks at the order while the CA issues, and how many looks. */
const ISSUE_WAIT = 1500;
const ISSUE_LOOKS = 60;

export interface Make {
	progress: Progress<MakeStep>;
	/** Makes the key, or goes on where it stopped. */
	start(order: OrderDetail, tokenId: string): Promise<void>;
}

/**
 * The making of one key. What the order and the token say decides where to go on, so a failed
 * step, a pulled key or a reloaded page costs no more than the step it hit.
 */
export function useMake(take: (order: OrderDetail) => void): Make {
	const progress = useProgress(MAKE_STEPS);
	const { step, doneUntil } = progress;

	async function makeKey(order: OrderDetail, tokenId: string): Promise<void> {
		let current = order;
		if (current.state === "producing") current = await requestCertificate(current, tokenId);
		doneUntil("issue");
		if (current.state === "issuing") current = await step("issue", () => issued(current));
		if (current.state === "proving") await prove(current, tokenId);
	}

	/** Blank token to certificate request at the CA. */
	async function requestCertificate(order: OrderDetail, tokenId: string): Promise<OrderDetail> {
		const token = find(tokenId);
		const made = isPrepared(order, token) ? token : await prepare(order, token);
		doneUntil("key");
		const keyId = await step("key", async () => {
			const kept = memory.recall(order.id).key;
			if (kept) return kept;
			const algorithm = token.algorithms.includes("sm2") ? "sm2" : "p-256";
			const pair = await helper().key.generate({ token: made.id, algorithm });
			memory.remember(order.id, { serial: made.serial, key: pair.key });
			return pair.key;
		});
		return step("request", async () => {
			const request = await helper().certificateRequest.create({
				token: made.id,
				key: keyId,
				subject: subjectOfRequest(order.form),
			});
			const newest = await api.request(order.id, { token: made.serial, request: toBase64(request) });
			take(newest);
			return newest;
		});
	}

	async function prepare(order: OrderDetail, token: Token): Promise<{ id: string; serial: string }> {
		memory.forget(order.id);
		const channel = await step("channel", () => helper().agent.channel("production"));
		const { ticket } = await step("ticket", async () => {
			if (!channel.vouch) throw new UkeyError("station-unknown");
			const { channel: jwk, vouch } = channel;
			return api.ticket(order.id, { token: token.serial, channel: jwk, vouch });
		});
		return step("prepare", async () => {
			const made = await helper().token.prepare(token.id, ticket);
			memory.remember(order.id, { serial: made.serial });
			return { id: made.token, serial: made.serial };
		});
	}

	async function issued(order: OrderDetail): Promise<OrderDetail> {
		for (let look = 0; look < ISSUE_LOOKS; look++) {
			const newest = await api.load(order.id);
			if (newest.state !== "issuing") {
				take(newest);
				return newest;
			}
			await new Promise((resolve) => setTimeout(resolve, ISSUE_WAIT));
		}
		throw new UkeyError("timeout");
	}

	/** Writes the certificate and has the new key sign the CA's challenge. */
	async function prove(order: OrderDetail, tokenId: string): Promise<void> {
		doneUntil("install");
		const { serial, key: keyId } = memory.recall(order.id);
		const token = key.tokens.find((one) => one.serial === serial) ?? find(tokenId);
		const certificate = await step("install", () => install(order, token, keyId));
		await step("proof", async () => {
			const { challenge } = await api.load(order.id);
			if (!challenge) throw new UkeyError("conflict");
			const signed = await helper().login.create({ certificate, ...challenge });
			const newest = await api.proof(order.id, {
				signature: toBase64(signed.signature),
				certificate: toBase64(signed.certificate),
			});
			memory.forget(order.id);
			take(newest);
		});
	}

	return { progress, start: (order, tokenId) => progress.run(() => makeKey(order, tokenId)) };
}

async function install(order: OrderDetail, token: Token, keyId: string | undefined): Promise<string> {
	const { certificateDer: der, encryption } = order;
	if (!der) throw new UkeyError("conflict");
	const { certificates } = await helper().certificate.list(token.id);
	const there = certificates.find((one) => toBase64(one.certificate) === der);
	// Of a pair the signing certificate is not the whole; installing both again completes it.
	if (there && !encryption) return there.id;
	return helper().certificate.install({
		token: token.id,
		...(keyId ? { key: keyId } : {}),
		certificate: fromBase64(der),
		...encryptionOf(encryption),
	});
}

function find(tokenId: string): Token {
	const token = key.tokens.find((one) => one.id === tokenId);
	if (!token) throw new UkeyError("token-choice");
	return token;
}

/** Made for this order already, and still logged in with the PIN that nobody knows. */
function isPrepared(order: OrderDetail, token: Token): boolean {
	return token.loggedIn && token.serial === memory.recall(order.id).serial;
}
