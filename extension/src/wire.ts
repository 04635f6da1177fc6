// What passes between page, content script and background; README.md says it in full.

/** The name of the native messaging host. */
export const HOST = "cn.ukey.agent";

/** UK_MESSAGE_MAX of the helper, in bytes of UTF-8. */
export const MESSAGE_MAX = 512 * 1024;

/** Why a link ended; without: the page or the helper ended it. */
export type Reason =
	| "host-missing" // the browser knows no native messaging host of our name
	| "host-blocked" // it knows one and may not start it
	| "helper-missing" // the host ended before ukeyd said anything
	| "helper-lost" // it ended later
	| "extension-lost" // the extension was reloaded, disabled or removed
	| "too-large"
	| "too-many-requests";

/** From the page, by window.postMessage. */
export type FromPage =
	| { ukey: "page"; link: string; kind: "probe" | "open" | "close" }
	| { ukey: "page"; link: string; kind: "text"; text: string };

/** To the page, by window.postMessage. */
export type ToPage =
	| { ukey: "extension"; link: string; kind: "here"; version: string }
	| { ukey: "extension"; link: string; kind: "text"; text: string }
	| { ukey: "extension"; link: string; kind: "close"; reason?: Reason };

/** From the background to the content script; the other way it is the text alone. */
export type ToContent = { text: string } | { reason: Reason };

export function tooLarge(text: string): boolean {
	return (
		text.length > MESSAGE_MAX ||
		(text.length > MESSAGE_MAX / 3 && new TextEncoder().encode(text).length > MESSAGE_MAX)
	);
}

/** Why the host's port ended: the browsers have English sentences for it, no codes. */
export function whyEnded(port: chrome.runtime.Port & { error?: Error }, heard: boolean): Reason {
	const said = chrome.runtime.lastError?.message ?? port.error?.message ?? "";
	if (/not found|No such native application/i.test(said)) return "host-missing";
	if (/forbidden|disabled by the system administrator/i.test(said)) return "host-blocked";
	return heard ? "helper-lost" : "helper-missing";
}
