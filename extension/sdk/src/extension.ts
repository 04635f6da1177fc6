import { UkeyError } from "./errors.js";
import type { Transport } from "./transport.js";

/** A content script that is there has answered by then: it lives in this very page. */
const PROBE_TIMEOUT = 200;
/** Firefox ends the scripts of an extension that goes without a word: so it is asked now and then. */
const PULSE = 2000;
const PULSES_MISSED = 2;

type Said =
	| { kind: "here"; version: string }
	| { kind: "text"; text: string }
	| { kind: "close"; reason?: string };

/** Hears what the extension's content script says of one link; returns the function that ends it. */
function listen(link: string, hear: (said: Said) => void): () => void {
	const listener = (event: MessageEvent) => {
		const said = event.data as ({ ukey?: unknown; link?: unknown } & Said) | null;
		if (event.source === window && said?.ukey === "extension" && said.link === link) hear(said);
	};
	window.addEventListener("message", listener);
	return () => window.removeEventListener("message", listener);
}

function say(link: string, kind: "probe" | "open" | "text" | "close", text?: string): void {
	window.postMessage({ ukey: "page", link, kind, text }, window.location.origin);
}

function newLink(): string {
	return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
		byte.toString(16).padStart(2, "0"),
	).join("");
}

/** The version of the extension in this page; null: there is none. */
export function findExtension(): Promise<string | null> {
	if (typeof window === "undefined") return Promise.resolve(null);
	return new Promise((resolve) => {
		const link = newLink();
		const done = (version: string | null) => {
			clearTimeout(timer);
			stop();
			resolve(version);
		};
		const stop = listen(link, (said) => {
			if (said.kind === "here") done(said.version);
		});
		const timer = setTimeout(() => done(null), PROBE_TIMEOUT);
		say(link, "probe");
	});
}

/** By the browser extension: no port, no permission of the page. */
export class ExtensionTransport implements Transport {
	readonly road = "extension";
	onmessage: ((text: string) => void) | null = null;
	onclose: ((reason?: string) => void) | null = null;
	private link: string | null = null;
	private stop: (() => void) | undefined;
	private pulse: ReturnType<typeof setInterval> | undefined;
	private missed = 0;

	async open(): Promise<void> {
		if ((await findExtension()) === null)
			throw new UkeyError("extension-missing", { retry: true });
		const link = newLink();
		this.link = link;
		this.stop = listen(link, (said) => {
			this.missed = 0;
			if (said.kind === "text") this.onmessage?.(said.text);
			else if (said.kind === "close") this.lose(said.reason);
		});
		this.pulse = setInterval(() => {
			if (this.missed++ < PULSES_MISSED) say(link, "probe");
			else this.lose("extension-lost");
		}, PULSE);
		say(link, "open");
	}

	send(text: string): void {
		if (this.link === null) throw new UkeyError("helper-lost", { retry: true });
		say(this.link, "text", text);
	}

	close(): void {
		const { link } = this;
		if (link !== null && this.end()) say(link, "close");
	}

	private lose(reason?: string): void {
		if (this.end()) this.onclose?.(reason);
	}

	/** True: it was open until now. */
	private end(): boolean {
		const was = this.link !== null;
		this.link = null;
		clearInterval(this.pulse);
		this.stop?.();
		return was;
	}
}
