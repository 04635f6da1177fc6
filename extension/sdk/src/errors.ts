/** Reasons that this library finds by itself; all others come from the helper. */
export type LocalReason =
	| "helper-missing" // nobody answers: not installed, not started, or refused by the browser
	| "helper-blocked" // the browser does not let this page reach programs on this machine
	| "helper-lost" // the connection broke while the answer was awaited
	| "extension-missing" // no extension in this browser, or not for this page
	| "extension-lost" // it was reloaded, disabled or removed
	| "host-missing" // the extension is there, its native messaging host is not
	| "host-blocked" // the browser may not start the host
	| "timeout"
	| "aborted"
	| "too-large"
	| "bad-answer";

export interface UkeyErrorDetails {
	/** PIN tries left; 1 is the last one. */
	triesLeft?: number;
	/** The member of params that is at fault. */
	field?: string;
	/** May the same request be sent again as it is? */
	retry?: boolean;
	message?: string;
}

export class UkeyError extends Error {
	/** Stable name: decide by this, never by `message`. */
	readonly reason: LocalReason | (string & {});
	readonly triesLeft?: number;
	readonly field?: string;
	readonly retry: boolean;

	constructor(reason: LocalReason | (string & {}), details: UkeyErrorDetails = {}) {
		super(details.message ?? reason);
		this.name = "UkeyError";
		this.reason = reason;
		this.retry = details.retry ?? false;
		if (details.triesLeft !== undefined) this.triesLeft = details.triesLeft;
		if (details.field !== undefined) this.field = details.field;
	}
}

interface WireError {
	message?: unknown;
	data?: { reason?: unknown; triesLeft?: unknown; field?: unknown; retry?: unknown };
}

/** The `error` member of a JSON-RPC answer as a UkeyError. */
export function errorFromWire(wire: WireError): UkeyError {
	const data = wire.data ?? {};
	const details: UkeyErrorDetails = { retry: data.retry === true };
	if (typeof wire.message === "string") details.message = wire.message;
	if (typeof data.triesLeft === "number") details.triesLeft = data.triesLeft;
	if (typeof data.field === "string") details.field = data.field;
	return new UkeyError(typeof data.reason === "string" ? data.reason : "internal", details);
}

/** An error without an id is about the connection; the native messaging host has names of its own. */
export function farewellFromWire(wire: WireError): UkeyError {
	const error = errorFromWire(wire);
	if (error.reason === "ukeyd-not-running") return new UkeyError("helper-missing", { retry: true });
	if (error.reason === "ukeyd-gone") return new UkeyError("helper-lost", { retry: true });
	return error;
}
