import type { Certificate, Token } from "@ukey/client";

/** What stands between the page and the one certificate that it is about [R4]. */
export type Gate =
	| { is: "waiting" | "site" | "none" | "blank" | "reading" | "hidden" | "no-certificate" }
	| { is: "several"; tokens: Token[] }
	| { is: "locked" | "ready"; token: Token; certificates: Certificate[] };

export interface Seen {
	helper: string;
	allowed: boolean;
	/** Is it known which keys are in? */
	listed: boolean;
	tokens: readonly Token[];
	/** Of the one token; null while they are read. */
	certificates: readonly Certificate[] | null;
	/** Certificates that the site may not see yet. */
	hidden: number;
}

/**
 * Those that a customer can log in with, the newest first: a key that can't part with a certificate
 * keeps the old one beside it.
 */
export function usable(certificates: readonly Certificate[]): Certificate[] {
	return certificates
		.filter((one) => one.hasKey && one.usage.includes("sign"))
		.sort((a, b) => b.notBefore - a.notBefore || b.notAfter - a.notAfter);
}

/** A blank one is in nobody's way. */
export function withKeys(tokens: readonly Token[]): Token[] {
	return tokens.filter(({ state }) => state !== "blank");
}

export function gateOf(seen: Seen): Gate {
	if (seen.helper !== "there") return { is: "waiting" };
	if (!seen.allowed) return { is: "site" };
	if (!seen.listed) return { is: "reading" };
	const [token, ...others] = withKeys(seen.tokens);
	if (!token) return { is: seen.tokens.length > 0 ? "blank" : "none" };
	if (others.length > 0) return { is: "several", tokens: [token, ...others] };
	if (!seen.certificates) return { is: "reading" };
	const certificates = usable(seen.certificates);
	if (certificates.length === 0) return { is: seen.hidden > 0 ? "hidden" : "no-certificate" };
	return { is: token.state === "pin-locked" ? "locked" : "ready", token, certificates };
}
