/** What a page that is opened again needs to go on with the key; nothing secret. */
const name = (order: string) => `ukey.download.${order}`;

/** The key pair that was made for an order; null: none is known in this browser. */
export const recall = (order: string): string | null => localStorage.getItem(name(order));
export const remember = (order: string, keyPair: string): void => localStorage.setItem(name(order), keyPair);
export const forget = (order: string): void => localStorage.removeItem(name(order));
