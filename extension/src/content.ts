// In every frame: carries a page's texts to the background and back, and reads none of them.  What
// the page says is not trusted; whose it is, the browser tells the background itself.
import { tooLarge, type FromPage, type Reason, type ToContent, type ToPage } from "./wire";

const LINKS_MAX = 8;
const LINK_NAME = /^[\w-]{1,64}$/;

const links = new Map<string, chrome.runtime.Port>();

function tell(message: ToPage): void {
	window.postMessage(message, window.location.origin);
}

function end(link: string, reason?: Reason): void {
	const port = links.get(link);
	if (!port) return;
	links.delete(link);
	port.disconnect();
	tell({ ukey: "extension", link, kind: "close", ...(reason && { reason }) });
}

function open(link: string): void {
	if (links.has(link)) return;
	if (links.size >= LINKS_MAX) {
		tell({ ukey: "extension", link, kind: "close", reason: "too-many-requests" });
		return;
	}
	const port = chrome.runtime.connect({ name: "ukey" });
	links.set(link, port);
	port.onMessage.addListener((message: ToContent) => {
		if ("reason" in message) end(link, message.reason);
		else tell({ ukey: "extension", link, kind: "text", text: message.text });
	});
	port.onDisconnect.addListener(() => end(link, "extension-lost"));
}

function send(link: string, text: unknown): void {
	const port = links.get(link);
	if (!port || typeof text !== "string") return;
	if (tooLarge(text)) end(link, "too-large");
	else port.postMessage(text);
}

function receive(message: FromPage): void {
	const { link, kind } = message;
	if (kind === "probe")
		tell({ ukey: "extension", link, kind: "here", version: chrome.runtime.getManifest().version });
	else if (kind === "open") open(link);
	else if (kind === "text") send(link, message.text);
	else if (kind === "close") end(link);
}

window.addEventListener("message", (event) => {
	const message = event.data as FromPage | undefined;
	// A script that outlived its extension (reloaded, removed) is silent, as if it were not there.
	if (event.source !== window || message?.ukey !== "page" || !chrome.runtime?.id) return;
	if (typeof message.link === "string" && LINK_NAME.test(message.link)) receive(message);
});

// A page kept for "back" uses no key meanwhile, and looks for the helper anew.
window.addEventListener("pagehide", () => {
	for (const link of [...links.keys()]) end(link);
});
