import { fromBase64, toBase64 } from "./bytes.js";
import { findHelper, type Link } from "./connect.js";
import { type Call, dataToWire, fetchResult } from "./data.js";
import { errorFromWire, UkeyError } from "./errors.js";
import { Emitter } from "./events.js";
import { ExtensionTransport } from "./extension.js";
import type { RequestOptions } from "./rpc.js";
import type { Transport } from "./transport.js";
import type {
	Algorithm,
	BatchParams,
	BatchResult,
	Certificate,
	CertificateList,
	Channel,
	Check,
	DataProgress,
	EncryptionParams,
	EnvelopeParams,
	Hello,
	InstallParams,
	LoginParams,
	OpenedEnvelope,
	PreparedToken,
	Signature,
	SignatureParams,
	Token,
	TokenEvent,
	Unlocked,
} from "./types.js";
import { DEFAULT_PORTS, WebSocketTransport } from "./websocket.js";

export type Road = "extension" | "websocket";

export interface ClientOptions {
	/** Ways to the helper, in the order in which they are tried. Default: both, the extension first. */
	roads?: readonly Road[];
	/** Loopback ports to look for the helper on. */
	ports?: readonly number[];
	/** Ways to the helper, made anew for every attempt; instead of `roads` and `ports`. */
	transports?: () => Transport[];
	/** Go on looking after a failed or lost connection. Default true. */
	reconnect?: boolean;
	/** Milliseconds that connect() waits; the browser may be asking the user. Default 60 s. */
	connectTimeout?: number;
}

interface ClientEvents {
	connect: Hello;
	disconnect: UkeyError;
	token: TokenEvent;
}

/** Milliseconds; calls that ask the user wait for the user. */
const QUICK = 30_000;
const ASKS_THE_USER = 300_000;
const ROADS: readonly Road[] = ["extension", "websocket"];
const RETRY_DELAYS = [1000, 2000, 5000];

type Wire<T> = { [K in keyof T]: T[K] extends Uint8Array ? string : T[K] };

interface BatchWire {
	done: number;
	signatures?: string[];
	signaturesData?: { data: string; size: number };
	algorithm: BatchResult["algorithm"];
	certificate: string;
	stopped?: object;
}

/** One connection to the helper, kept up. */
export class UkeyClient extends Emitter<ClientEvents> {
	private link: Link | null = null;
	private attempt: Promise<Hello> | null = null;
	private stop = new AbortController();
	private retryTimer: ReturnType<typeof setTimeout> | undefined;
	private retries = 0;
	private watching = false;
	private readonly batches = new Set<(params: unknown) => void>();

	constructor(private readonly options: ClientOptions = {}) {
		super();
	}

	/** What the helper said when it was found; null while there is none. */
	get hello(): Hello | null {
		return this.link?.hello ?? null;
	}

	/** The way that was found: "extension", "websocket" or a transport's own name; null without. */
	get road(): string | null {
		return this.link?.transport.road ?? null;
	}

	/** Why a road before this one was not taken, as "extension-missing"; null: it is the first. */
	get detour(): string | null {
		return this.link?.detour?.reason ?? null;
	}

	/**
	 * Resolves when a helper answers.  Rejects when none does; with `reconnect` the client goes on
	 * looking and emits "connect" once there is one.
	 */
	connect(): Promise<Hello> {
		if (this.link) return Promise.resolve(this.link.hello);
		clearTimeout(this.retryTimer);
		if (this.stop.signal.aborted) this.stop = new AbortController();
		this.attempt ??= this.look().finally(() => {
			this.attempt = null;
		});
		return this.attempt;
	}

	/** Ends the connection and stops looking. */
	close(): void {
		this.stop.abort(new UkeyError("aborted"));
		clearTimeout(this.retryTimer);
		this.link?.rpc.close();
		this.link = null;
	}

	/** Any method by its name, parameters and result as on the wire. */
	request(method: string, params: object = {}, options: RequestOptions = {}): Promise<unknown> {
		if (!this.link) return Promise.reject(new UkeyError("helper-missing", { retry: true }));
		return this.link.rpc.request(method, params, { timeout: QUICK, ...options });
	}

	readonly agent = {
		hello: async (options?: RequestOptions): Promise<Hello> => {
			const hello = (await this.request("agent.hello", {}, options)) as Hello;
			if (this.link) this.link.hello = hello;
			return hello;
		},
		status: async (options?: RequestOptions): Promise<Check[]> =>
			((await this.request("agent.status", {}, options)) as { checks: Check[] }).checks,
		channel: (purpose: "production" | "unlock", options?: RequestOptions): Promise<Channel> =>
			this.request("agent.channel", { purpose }, options) as Promise<Channel>,
	};

	readonly site = {
		/** Asks the user to allow this site, and to grant it the certificates now present. */
		request: async (options?: RequestOptions): Promise<void> => {
			await this.ask("site.request", {}, options);
			if (this.link) this.link.hello.site.allowed = true;
		},
	};

	readonly token = {
		list: async (options?: RequestOptions): Promise<Token[]> =>
			((await this.request("token.list", {}, options)) as { tokens: Token[] }).tokens,
		/** "token" events from now on, also after a reconnection. */
		watch: async (options?: RequestOptions): Promise<void> => {
			await this.request("token.watch", {}, options);
			this.watching = true;
		},
		login: async (token: string, options?: RequestOptions): Promise<void> => {
			await this.ask("token.login", { token }, options);
		},
		logout: async (token: string, options?: RequestOptions): Promise<void> => {
			await this.request("token.logout", { token }, options);
		},
		/** Makes a blank token from a production ticket; its id changes. */
		prepare: (
			token: string,
			ticket: string,
			options?: RequestOptions,
		): Promise<PreparedToken> =>
			this.ask("token.prepare", { token, ticket }, options) as Promise<PreparedToken>,
	};

	readonly certificate = {
		list: async (token?: string, options?: RequestOptions): Promise<CertificateList> => {
			const answer = (await this.request("certificate.list", token ? { token } : {}, options)) as {
				certificates: Wire<Certificate>[];
				hidden: number;
			};
			return {
				hidden: answer.hidden,
				certificates: answer.certificates.map((one) => ({
					...one,
					certificate: fromBase64(one.certificate),
				})),
			};
		},
		/** Resolves to the certificate's id, once it works on the token. */
		install: async (params: InstallParams, options?: RequestOptions): Promise<string> => {
			const { certificate, chain, encryption, ...rest } = params;
			const wire = {
				...rest,
				certificate: toBase64(certificate),
				...(chain ? { chain: chain.map(toBase64) } : {}),
				...(encryption ? { encryption: encryptionToWire(encryption) } : {}),
			};
			const answer = await this.ask("certificate.install", wire, options);
			return (answer as { certificate: string }).certificate;
		},
	};

	readonly signature = {
		/** `onProgress`: how much of the data is over; small data goes without. */
		create: async (
			params: SignatureParams,
			options: RequestOptions & { onProgress?: DataProgress } = {},
		): Promise<Signature> => {
			const { onProgress, ...rest } = options;
			const { data, ...other } = params;
			const wire = { ...other, ...(await this.put(data, params.certificate, rest, onProgress)) };
			return signatureFromWire(await this.ask("signature.create", wire, rest));
		},
		/** Many by one consent.  `onProgress`: how many are signed. */
		batch: async (
			params: BatchParams,
			options: RequestOptions & { onProgress?: (done: number, of: number) => void } = {},
		): Promise<BatchResult> => {
			const { onProgress, ...rest } = options;
			const items = [];
			for (const one of params.items) items.push(await this.put(one, params.certificate, rest));
			const rpc = this.link?.rpc;
			const heard = (on: unknown) => {
				const { id, done, of } = on as { id: number; done: number; of: number };
				if (rpc !== undefined && id === asked) onProgress?.(done, of);
			};
			let asked = 0;
			this.batches.add(heard);
			try {
				const answer = this.ask("signature.batch", { ...params, items }, rest);
				asked = rpc?.lastRequest ?? 0;
				return await this.batchFromWire((await answer) as BatchWire, rest);
			} finally {
				this.batches.delete(heard);
			}
		},
	};

	readonly envelope = {
		/** Opens what was encrypted to the certificate. */
		open: async (params: EnvelopeParams, options?: RequestOptions): Promise<OpenedEnvelope> => {
			const wire = { ...params, envelope: toBase64(params.envelope) };
			const answer = (await this.ask("envelope.open", wire, options)) as Wire<OpenedEnvelope>;
			return { data: fromBase64(answer.data), contentType: answer.contentType };
		},
	};

	readonly login = {
		/** Signs this site's challenge; the browser's origin is signed with it. */
		create: async (params: LoginParams, options?: RequestOptions): Promise<Signature> =>
			signatureFromWire(await this.ask("login.create", params, options)),
	};

	readonly key = {
		generate: async (
			params: { token: string; algorithm: Algorithm; label?: string },
			options?: RequestOptions,
		): Promise<{ key: string; publicKey: Uint8Array }> => {
			const answer = (await this.ask("key.generate", params, options)) as {
				key: string;
				publicKey: string;
			};
			return { key: answer.key, publicKey: fromBase64(answer.publicKey) };
		},
	};

	readonly pin = {
		/** The user types the old one, and twice the new one, in the helper's window. */
		change: async (token: string, options?: RequestOptions): Promise<void> => {
			await this.ask("pin.change", { token }, options);
		},
		/** Opens a ticket that was sealed to agent.channel("unlock"); the user types the new PIN. */
		unlock: async (token: string, ticket: string, options?: RequestOptions): Promise<Unlocked> => {
			const answer = (await this.ask("pin.unlock", { token, ticket }, options)) as {
				certificate: string;
				receipt: unknown;
			};
			return { certificate: answer.certificate, receipt: signatureFromWire(answer.receipt) };
		},
	};

	/** A PKCS#10 request (named so because `request` is the generic call). */
	readonly certificateRequest = {
		create: async (
			params: {
				token: string;
				key: string;
				subject: { commonName: string; organization?: string; country?: string };
			},
			options?: RequestOptions,
		): Promise<Uint8Array> => {
			const answer = await this.ask("request.create", params, options);
			return fromBase64((answer as { request: string }).request);
		},
	};

	private call(options: RequestOptions): Call {
		return (method, params) => this.request(method, params, options);
	}

	private put(
		data: SignatureParams["data"],
		certificate: string,
		options: RequestOptions,
		onProgress?: DataProgress,
	) {
		// Each piece has the usual time; the caller's limit is for the signature.
		const { timeout: _, ...rest } = options;
		return dataToWire(data, certificate, this.call(rest), onProgress, options.signal);
	}

	private async batchFromWire(wire: BatchWire, options: RequestOptions): Promise<BatchResult> {
		let list = wire.signatures;
		if (wire.signaturesData) {
			const parts = await fetchResult(wire.signaturesData.data, this.call(options));
			list = JSON.parse(await new Blob(parts as BlobPart[]).text()) as string[];
		}
		if (!list || list.length !== wire.done) throw new UkeyError("bad-answer");
		return {
			signatures: list.map(fromBase64),
			algorithm: wire.algorithm,
			certificate: fromBase64(wire.certificate),
			...(wire.stopped ? { stopped: errorFromWire(wire.stopped) } : {}),
		};
	}

	private ask(method: string, params: object, options?: RequestOptions): Promise<unknown> {
		return this.request(method, params, { timeout: ASKS_THE_USER, ...options });
	}

	private async look(): Promise<Hello> {
		const limit = new AbortController();
		const abort = () => limit.abort(this.stop.signal.reason);
		const timer = setTimeout(
			() => limit.abort(new UkeyError("timeout", { retry: true })),
			this.options.connectTimeout ?? 60_000,
		);
		this.stop.signal.addEventListener("abort", abort);
		try {
			return this.adopt(await findHelper(this.roads(), limit.signal));
		} catch (error) {
			this.lookLater();
			throw error;
		} finally {
			clearTimeout(timer);
			this.stop.signal.removeEventListener("abort", abort);
		}
	}

	private roads(): Transport[][] {
		if (this.options.transports) return [this.options.transports()];
		return (this.options.roads ?? ROADS).map((road) =>
			road === "extension"
				? [new ExtensionTransport()]
				: (this.options.ports ?? DEFAULT_PORTS).map((port) => new WebSocketTransport(port)),
		);
	}

	private adopt(link: Link): Hello {
		this.link = link;
		this.retries = 0;
		link.rpc.onnotify = (method, params) => {
			if (method === "token.changed") this.emit("token", params as TokenEvent);
			if (method === "signature.progress") for (const heard of [...this.batches]) heard(params);
		};
		link.rpc.onclose = (error) => {
			this.link = null;
			this.emit("disconnect", error);
			this.lookLater();
		};
		if (this.watching) this.token.watch().catch(() => undefined); // a lost link is looked for again
		this.emit("connect", link.hello);
		return link.hello;
	}

	private lookLater(): void {
		if (this.options.reconnect === false || this.stop.signal.aborted) return;
		const delay = RETRY_DELAYS[Math.min(this.retries++, RETRY_DELAYS.length - 1)];
		this.retryTimer = setTimeout(() => {
			this.connect().catch(() => undefined); // looks again by itself
		}, delay);
	}
}

function signatureFromWire(answer: unknown): Signature {
	const wire = answer as Wire<Signature>;
	return {
		signature: fromBase64(wire.signature),
		algorithm: wire.algorithm,
		certificate: fromBase64(wire.certificate),
	};
}

function encryptionToWire(encryption: EncryptionParams): Wire<EncryptionParams> {
	return {
		certificate: toBase64(encryption.certificate),
		envelopedKey: toBase64(encryption.envelopedKey),
		format: encryption.format,
	};
}

/** A connected client that keeps its connection up; close() it when done. */
export async function connect(options: ClientOptions = {}): Promise<UkeyClient> {
	const client = new UkeyClient(options);
	try {
		await client.connect();
		return client;
	} catch (error) {
		client.close();
		throw error;
	}
}
