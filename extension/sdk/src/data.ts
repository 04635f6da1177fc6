import { fromBase64, toBase64, toBytes } from "./bytes.js";
import { UkeyError } from "./errors.js";
import type { Data, DataProgress } from "./types.js";

/** Most that one message carries, in bytes before base64. */
export const CHUNK = 256 * 1024;

/** Milliseconds; the helper counts a site's calls by the minute. */
const WHEN_RATED = 5000;

export type Call = (method: string, params: object) => Promise<unknown>;

/** `data` of a request, or `dataId` where it is more than one message carries. */
export type Wire = { data: string } | { dataId: string };

export async function dataToWire(
	data: Data,
	certificate: string,
	call: Call,
	onProgress?: DataProgress,
	signal?: AbortSignal,
): Promise<Wire> {
	const blob = typeof Blob !== "undefined" && data instanceof Blob;
	if (!blob && !(typeof ReadableStream !== "undefined" && data instanceof ReadableStream)) {
		const bytes = toBytes(data as Uint8Array | ArrayBuffer | string);
		if (bytes.length <= CHUNK) return { data: toBase64(bytes) };
		return send(pieces(bytes), bytes.length, certificate, call, onProgress, signal);
	}
	if (blob && data.size <= CHUNK) return { data: toBase64(new Uint8Array(await data.arrayBuffer())) };
	const stream = blob ? (data.stream() as ReadableStream<Uint8Array>) : (data as ReadableStream<Uint8Array>);
	return send(read(stream), blob ? data.size : undefined, certificate, call, onProgress, signal);
}

/** The bytes of a result that the helper keeps. */
export async function fetchResult(id: string, call: Call): Promise<Uint8Array[]> {
	const parts: Uint8Array[] = [];
	for (let offset = 0; ; ) {
		const answer = (await call("data.get", { data: id, offset, length: CHUNK })) as {
			chunk: string;
			last: boolean;
		};
		const part = fromBase64(answer.chunk);
		parts.push(part);
		offset += part.length;
		if (answer.last) return parts;
	}
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

/** A stream's own pieces are of any size: gathered and cut to what a message carries. */
async function* read(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
	const reader = stream.getReader();
	const room = new Uint8Array(CHUNK);
	let used = 0;
	let whole = false;
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) break;
			for (let at = 0; at < value.length; ) {
				const part = value.subarray(at, at + CHUNK - used);
				room.set(part, used);
				at += part.length;
				used += part.length;
				if (used < CHUNK) continue;
				yield room;
				used = 0;
			}
		}
		whole = true;
	} finally {
		if (!whole) await reader.cancel().catch(() => undefined);
		reader.releaseLock();
	}
	if (used > 0) yield room.subarray(0, used);
}

async function send(
	parts: AsyncGenerator<Uint8Array>,
	total: number | undefined,
	certificate: string,
	call: Call,
	onProgress?: DataProgress,
	signal?: AbortSignal,
): Promise<Wire> {
	let dataId: string | undefined;
	const put = async (chunk: string, last: boolean): Promise<void> => {
		for (;;)
			try {
				const answer = (await call("data.put", {
					// SM2 hashes a part of the key before the data: who signs is said first.
					...(dataId === undefined ? { certificate } : { data: dataId }),
					chunk,
					...(last ? { last } : {}),
				})) as { data: string; received: number };
				dataId = answer.data;
				onProgress?.(answer.received, total);
				return;
			} catch (error) {
				if (!(error instanceof UkeyError && error.reason === "rate-limited")) throw error;
				await pause(signal);
			}
	};
	for await (const part of parts) await put(toBase64(part), false);
	await put("", true);
	return { dataId: dataId! };
}

function pause(signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		const stop = () => {
			clearTimeout(timer);
			reject(new UkeyError("aborted"));
		};
		const timer = setTimeout(() => {
			signal?.removeEventListener("abort", stop);
			resolve();
		}, WHEN_RATED);
		if (signal?.aborted) stop();
		else signal?.addEventListener("abort", stop, { once: true });
	});
}
