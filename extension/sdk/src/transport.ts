/**
 * A way to the helper: carries whole JSON texts, knows nothing of their meaning.  One transport is
 * one connection; a broken one is thrown away.
 */
export interface Transport {
	/** Resolves once texts can be sent; rejects if the other side can't be reached. */
	open(): Promise<void>;
	send(text: string): void;
	/** Ends the connection; `onclose` is not called for one's own close. */
	close(): void;
	onmessage: ((text: string) => void) | null;
	onclose: (() => void) | null;
}
