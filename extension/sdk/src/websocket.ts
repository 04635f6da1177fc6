import { UkeyError } from "./errors.js";
import type { Transport } from "./transport.js";

export const DEFAULT_PORTS: readonly number[] = [21071, 21072, 21073, 21074, 21075];

/** The loopback WebSocket of the helper on one port. */
export class WebSocketTransport implements Transport {
	readonly road = "websocket";
	onmessage: ((text: string) => void) | null = null;
	onclose: ((reason?: string) => void) | null = null;
	private socket: WebSocket | null = null;

	constructor(private readonly port: number) {}

	open(): Promise<void> {
		return new Promise((resolve, reject) => {
			const socket = new WebSocket(`ws://127.0.0.1:${this.port}/ukey/1`, "ukey.1");
			this.socket = socket;
			socket.onopen = () => resolve();
			socket.onmessage = (event: MessageEvent) => {
				if (typeof event.data === "string") this.onmessage?.(event.data);
			};
			socket.onclose = () => {
				reject(new UkeyError("helper-missing", { retry: true }));
				if (this.socket === socket) this.onclose?.();
			};
		});
	}

	send(text: string): void {
		if (this.socket?.readyState !== WebSocket.OPEN)
			throw new UkeyError("helper-lost", { retry: true });
		this.socket.send(text);
	}

	close(): void {
		const socket = this.socket;
		this.socket = null;
		socket?.close();
	}
}
