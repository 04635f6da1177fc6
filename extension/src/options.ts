// What works on this machine and what does not, in words: host, ukeyd, the sites, the doctor's codes.
import { UkeyError } from "../sdk/src/errors";
import { Rpc } from "../sdk/src/rpc";
import type { Transport } from "../sdk/src/transport";
import type { Check, Hello } from "../sdk/src/types";
import { HOST, whyEnded } from "./wire";

const TIMEOUT = 10_000;
const SITES = { origins: ["https://*/*", "http://localhost/*", "http://127.0.0.1/*"] };

/** The host, as the background reaches it for a page; this page's origin is the extension's own. */
class HostTransport implements Transport {
	readonly road = "extension";
	onmessage: ((text: string) => void) | null = null;
	onclose: ((reason?: string) => void) | null = null;
	private port: chrome.runtime.Port | null = null;

	async open(): Promise<void> {
		const port = chrome.runtime.connectNative(HOST);
		let heard = false;
		this.port = port;
		port.onMessage.addListener((message: unknown) => {
			heard = true;
			this.onmessage?.(JSON.stringify(message));
		});
		port.onDisconnect.addListener((ended) => this.onclose?.(whyEnded(ended, heard)));
		port.postMessage({
			jsonrpc: "2.0",
			method: "agent.origin",
			params: { origin: window.location.origin },
		});
	}

	send(text: string): void {
		this.port?.postMessage(JSON.parse(text) as object);
	}

	close(): void {
		this.port?.disconnect();
	}
}

interface Part {
	state: "good" | "bad" | "waiting";
	what: string;
	more?: string;
}

function text(name: string, ...values: string[]): string {
	return chrome.i18n.getMessage(name.replace(/-/g, "_"), values);
}

/** A code in words; one that is newer than this extension stays a code. */
function said(kind: "check" | "reason", code: string): string {
	return text(`${kind}_${code}`) || code;
}

async function sites(): Promise<Part> {
	const all = await chrome.permissions.contains(SITES);
	return all
		? { state: "good", what: text("sites_all") }
		: { state: "bad", what: text("sites_some"), more: text("sites_hint") };
}

async function helper(): Promise<Part[]> {
	const transport = new HostTransport();
	const rpc = new Rpc(transport);
	try {
		await transport.open();
		const hello = (await rpc.request("agent.hello", {}, { timeout: TIMEOUT })) as Hello;
		const { checks } = (await rpc.request("agent.status", {}, { timeout: TIMEOUT })) as {
			checks: Check[];
		};
		return [
			{ state: "good", what: text("host_found") },
			{ state: "good", what: text("helper_version", hello.version) },
			...checks.map(
				({ code, ok }): Part => ({
					state: ok ? "good" : "bad",
					what: said("check", code),
					...(ok ? {} : { more: code }),
				}),
			),
		];
	} catch (error) {
		const reason = error instanceof UkeyError ? error.reason : "internal";
		return [{ state: "bad", what: said("reason", reason), more: reason }];
	} finally {
		rpc.close();
	}
}

function show(parts: Part[]): void {
	const rows = parts.map(({ state, what, more }) => {
		const row = document.createElement("li");
		row.className = state;
		row.append(what);
		if (more) row.append(Object.assign(document.createElement("small"), { textContent: more }));
		return row;
	});
	document.getElementById("parts")!.replaceChildren(...rows);
}

async function look(): Promise<void> {
	const version: Part = {
		state: "good",
		what: text("extension_version", chrome.runtime.getManifest().version),
	};
	show([version, { state: "waiting", what: text("looking") }]);
	show([version, await sites(), ...(await helper())]);
}

document.documentElement.lang = chrome.i18n.getUILanguage();
for (const element of document.querySelectorAll<HTMLElement>("[data-text]"))
	element.textContent = text(element.dataset["text"]!);
document.getElementById("again")!.addEventListener("click", () => void look());
void look();
