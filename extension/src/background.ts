// One native port for each link of a page: first whose page it is, as the browser says, then the
// page's messages.  Holds nothing else, so it may be stopped whenever no link is open.
import { HOST, tooLarge, whyEnded, type ToContent } from "./wire";

const LINKS_MAX = 64;
const WEB_ORIGIN = /^(https:\/\/[^/]+|http:\/\/(localhost|127\.0\.0\.1)(:\d+)?)$/;
const NOT_JSON =
	'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"invalid-input","data":{"reason":"json-malformed","retry":false}}}';

let links = 0;

function relay(page: chrome.runtime.Port, origin: string): void {
	const host = chrome.runtime.connectNative(HOST);
	let heard = false;
	links++;
	host.postMessage({ jsonrpc: "2.0", method: "agent.origin", params: { origin } });

	const say = (message: ToContent) => page.postMessage(message);
	host.onMessage.addListener((message: unknown) => {
		heard = true;
		say({ text: JSON.stringify(message) });
	});
	host.onDisconnect.addListener((ended) => {
		links--;
		say({ reason: whyEnded(ended, heard) });
		page.disconnect();
	});
	page.onMessage.addListener((text: unknown) => {
		if (typeof text !== "string" || tooLarge(text)) return;
		let message: unknown;
		try {
			message = JSON.parse(text);
		} catch {
			say({ text: NOT_JSON });
			return;
		}
		host.postMessage(message as object);
	});
	page.onDisconnect.addListener(() => {
		links--;
		host.disconnect();
	});
}

chrome.runtime.onConnect.addListener((page) => {
	const { tab, origin } = page.sender ?? {};
	if (!tab || !origin || !WEB_ORIGIN.test(origin) || links >= LINKS_MAX) {
		page.postMessage({ reason: "too-many-requests" } satisfies ToContent);
		page.disconnect();
		return;
	}
	relay(page, origin);
});
