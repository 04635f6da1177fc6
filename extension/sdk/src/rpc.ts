import { errorFromWire, farewellFromWire, UkeyError } from "./errors.js";
import type { Transport } from "./transport.js";

/** UK_MESSAGE_MAX of the helper, in bytes of UTF-8. */
const MESSAGE_MAX = 512 * 1024;

export interface RequestOptions {
	signal?: AbortSignal;
	/** Milliseconds; 0: none. */
	timeout?: number;
}

interface Pending {
	resolve(result: unknown): void;
	reject(error: UkeyError): void;
}

/** JSON-RPC 2.0 over one transport. */
export class Rpc {
	onnotify: ((method: string, params: unknown) => void) | null = null;
	onclose: ((error: UkeyError) => void) | null = null;
	private readonly pending = new Map<number, Pending>();
	private lastId = 0;
	/** What the other side said of the connection itself, before it ends it. */
	private farewell: UkeyError | null = null;

	constructor(private readonly transport: Transport) {
		transport.onmessage = (text) => this.receive(text);
		transport.onclose = (reason) => {
			const error = this.farewell ?? new UkeyError(reason ?? "helper-lost", { retry: true });
			this.rejectAll(error);
			this.onclose?.(error);
		};
	}

	/** The id that the last request() went out with: notifications may name it. */
	get lastRequest(): number {
		return this.lastId;
	}

	request(method: string, params: object, options: RequestOptions = {}): Promise<unknown> {
		const { signal, timeout = 0 } = options;
		if (signal?.aborted) return Promise.reject(new UkeyError("aborted"));

		const id = ++this.lastId;
		const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
		if (new TextEncoder().encode(text).length > MESSAGE_MAX)
			return Promise.reject(new UkeyError("too-large"));

		return new Promise((resolve, reject) => {
			const giveUp = (reason: "timeout" | "aborted") => settle(() => reject(new UkeyError(reason)));
			const onAbort = () => giveUp("aborted");
			const timer = timeout > 0 ? setTimeout(() => giveUp("timeout"), timeout) : undefined;
			const settle = (finish: () => void) => {
				this.pending.delete(id);
				clearTimeout(timer);
				signal?.removeEventListener("abort", onAbort);
				finish();
			};
			signal?.addEventListener("abort", onAbort);
			this.pending.set(id, {
				resolve: (result) => settle(() => resolve(result)),
				reject: (error) => settle(() => reject(error)),
			});
			try {
				this.transport.send(text);
			} catch (error) {
				settle(() => reject(error as UkeyError));
			}
		});
	}

	close(): void {
		this.transport.close();
		this.rejectAll(new UkeyError("aborted"));
	}

	private rejectAll(error: UkeyError): void {
		for (const one of [...this.pending.values()]) one.reject(error);
	}

	private receive(text: string): void {
		let message: { id?: unknown; method?: unknown; params?: unknown; result?: unknown; error?: object };
		try {
			message = JSON.parse(text) as typeof message;
		} catch {
			return;
		}
		if (typeof message !== "object" || message === null) return;
		if (typeof message.method === "string") {
			this.onnotify?.(message.method, message.params);
			return;
		}
		if (message.id === null && message.error) {
			this.farewell = farewellFromWire(message.error);
			return;
		}
		this.farewell = null;
		const waiting = typeof message.id === "number" ? this.pending.get(message.id) : undefined;
		if (waiting === undefined) return; // an answer to a request that was given up
		if (message.error) waiting.reject(errorFromWire(message.error));
		else if ("result" in message) waiting.resolve(message.result);
		else waiting.reject(new UkeyError("bad-answer"));
	}
}
