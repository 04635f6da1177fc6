/**
 * A way to the helper: carries whole JSON texts, knows nothing of their meaning.  One transport is
 * one connection; a broken one is thrown away.
 */
export interface Transport {
	/** Which kind of way it is; told to the page as `client.road`. */
	readonly road: string;
	/** Resolves once texts can be sent; rejects if the other side can't be reached. */
	open(): Promise<void>;
	send(text: string): void;
	/** Ends the connection; `onclose` is not called for one's own close. */
	close(): void;
	onmessage: ((text: string) => void) | null;
	/** `reason`: where the way knows why it broke. */
	onclose: ((reason?: string) => void) | null;
}
