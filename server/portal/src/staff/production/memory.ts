/** What a reloaded page needs to go on with a key; nothing secret. */
export interface Work {
	serial?: string;
	/** CKA_ID of the new key pair. */
	key?: string;
}

const name = (order: string) => `ukey.production.${order}`;

export function recall(order: string): Work {
	return JSON.parse(sessionStorage.getItem(name(order)) ?? "{}") as Work;
}

export function remember(order: string, work: Work): void {
	sessionStorage.setItem(name(order), JSON.stringify(work));
}

export function forget(order: string): void {
	sessionStorage.removeItem(name(order));
}
