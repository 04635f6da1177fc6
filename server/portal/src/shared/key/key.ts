import { UkeyClient, UkeyError, type Token } from "@ukey/client";
import { shallowReactive } from "vue";

import { site } from "../../api/orders";

interface KeyState {
	helper: "searching" | "missing" | "no-host" | "host-blocked" | "blocked" | "refused" | "there";
	/** How the helper is reached, and why not by the extension. */
	road: string | null;
	detour: string | null;
	/** Has the user allowed this site? */
	allowed: boolean;
	/** Has it been asked which keys are in? */
	listed: boolean;
	tokens: Token[];
}

export const key: KeyState = shallowReactive({
	helper: "searching",
	road: null,
	detour: null,
	allowed: false,
	listed: false,
	tokens: [],
});

let connected: UkeyClient | null = null;

/** The client; rejects as the helper's calls do while there is none. */
export function helper(): UkeyClient {
	if (!connected) throw new UkeyError("helper-missing");
	return connected;
}

let started = false;

/** Looks for the helper for as long as the page is open. */
export async function startKey(): Promise<void> {
	if (started) return;
	started = true;
	const ports = await site().then(
		(answer) => answer.ports,
		() => undefined,
	);
	const client = new UkeyClient(ports ? { ports } : {});
	connected = client;
	client.on("connect", (hello) => {
		key.helper = "there";
		key.road = client.road;
		key.detour = client.detour;
		key.allowed = hello.site.allowed;
		if (key.allowed) void watchTokens(client);
	});
	client.on("disconnect", () => {
		key.helper = "searching";
		key.listed = false;
		key.tokens = [];
	});
	client.on("token", () => void refreshTokens(client));
	await client.connect().catch((error: unknown) => {
		key.helper = why(error);
	});
}

function why(error: unknown): KeyState["helper"] {
	if (!(error instanceof UkeyError)) return "missing";
	if (error.reason === "helper-blocked") return "blocked";
	if (error.reason === "host-missing") return "no-host";
	if (error.reason === "host-blocked") return "host-blocked";
	return error.reason === "helper-missing" || error.reason === "timeout" ? "missing" : "refused";
}

async function refreshTokens(client: UkeyClient): Promise<void> {
	try {
		key.tokens = await client.token.list();
		key.listed = true;
	} catch (error) {
		if (!(error instanceof UkeyError)) throw error;
		// A lost helper is told by "disconnect".
		if (error.reason === "site-not-allowed") key.allowed = false;
	}
}

async function watchTokens(client: UkeyClient): Promise<void> {
	await client.token.watch().catch(() => undefined); // without events: the list still shows what is in
	await refreshTokens(client);
}

/** Asks the user to let this site use the key, and the certificates now on it. */
export async function requestSite(): Promise<void> {
	const client = helper();
	await client.site.request();
	key.allowed = true;
	await watchTokens(client);
}

export function tokenName(token: Token): string {
	return [token.label, token.serial].filter(Boolean).join(" · ") || token.model;
}
