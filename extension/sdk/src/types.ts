import type { UkeyError } from "./errors.js";

export type Algorithm = "p-256" | "p-384" | "rsa-2048" | "rsa-3072" | "sm2";
export type SignatureAlgorithm = "ES256" | "ES384" | "RS256" | "SM2-SM3";

export interface Hello {
	name: string;
	version: string;
	protocol: number;
	features: string[];
	site: { origin: string; allowed: boolean };
	/** The tokens that are in, and what each can be asked for; told to allowed sites. */
	tokens?: { id: string; algorithms: Algorithm[]; can: Ability[] }[];
}

/** `encryption-key`: an enveloped key pair can be put on it. */
export type Ability = "signature" | "request" | "envelope" | "encryption-key" | "prepare";

export interface Check {
	code: string;
	ok: boolean;
}

export interface Token {
	/** Names the token in other calls, until it is pulled out. */
	id: string;
	serial: string;
	label: string;
	model: string;
	manufacturer: string;
	/** Of the module that drives it. */
	kind: "pkcs11" | "skf";
	state: "ready" | "blank" | "pin-locked";
	loggedIn: boolean;
	/** Only where the token tells; 1 is the last try. */
	triesLeft?: number;
	triesLow?: true;
	/** Tries left of the CA's own PIN, where the token tells. */
	soTriesLeft?: number;
	/** The PIN is the one that the CA set, and must be changed at the first use. */
	pinInitial?: true;
	/** No hardware guards the keys. */
	software: boolean;
	algorithms: Algorithm[];
}

/** A blank token that has been made: its new id, logged in. */
export interface PreparedToken {
	token: string;
	serial: string;
	label: string;
}

export interface TokenEvent {
	event: "inserted" | "removed" | "changed";
	token: Token;
}

export interface Certificate {
	/** SHA-256 of the DER, hexadecimal. */
	id: string;
	/** Id of the token it is on. */
	token: string;
	label: string;
	subject: string;
	issuer: string;
	commonName: string;
	serial: string;
	/** Unix seconds. */
	notBefore: number;
	/** Unix seconds. */
	notAfter: number;
	usage: ("sign" | "encrypt")[];
	algorithm: Algorithm;
	hasKey: boolean;
	/** DER. */
	certificate: Uint8Array;
}

export interface CertificateList {
	certificates: Certificate[];
	/** How many are on the tokens that the user has not granted to this site. */
	hidden: number;
}

export interface Signature {
	/** raw: r||s or PKCS#1; der: SEQUENCE of r and s; cms-*: DER of the ContentInfo. */
	signature: Uint8Array;
	algorithm: SignatureAlgorithm;
	/** DER of the signer's certificate. */
	certificate: Uint8Array;
}

/** What can be signed.  Text is signed as UTF-8; a File is a Blob. */
export type Data = Uint8Array | ArrayBuffer | string | Blob | ReadableStream<Uint8Array>;

/** `der` is of EC and SM2 keys. */
export type Format = "raw" | "der" | "cms-attached" | "cms-detached";

/** How an SM2 key's CMS is made; verifiers differ.  Refused with other keys. */
export interface Profile {
	/** Content types of GM/T 0010 (the default) or of RFC 5652. */
	arc?: "gm" | "rfc";
	/** The end of the signature algorithm's identifier 1.2.156.10197.1; default 301.1. */
	signatureOid?: "301.1" | "501";
	/** Signed attributes, with the time among them; default none. */
	attributes?: boolean;
}

/** Bytes that the helper has received, and how many there are where that is known. */
export type DataProgress = (received: number, total?: number) => void;

export interface SignatureParams {
	/** Certificate id. */
	certificate: string;
	/** More than 256 KiB goes in pieces and can't be attached. */
	data: Data;
	format: Format;
	profile?: Profile;
	/** At most 80 characters; shown to the user as this site's words. */
	title?: string;
}

export interface BatchParams {
	certificate: string;
	/** 1 to 1000; together, what is not in pieces has to fit into a message (512 KiB of base64). */
	items: Data[];
	format: Format;
	profile?: Profile;
	title?: string;
}

export interface BatchResult {
	/** In the order of the items; fewer than those when it stopped. */
	signatures: Uint8Array[];
	algorithm: SignatureAlgorithm;
	/** DER of the signer's certificate. */
	certificate: Uint8Array;
	/** Why it stopped before the end. */
	stopped?: UkeyError;
}

export interface EnvelopeParams {
	/** Certificate id; its key is on a token. */
	certificate: string;
	/** CMS, DER or BER, at most 256 KiB. */
	envelope: Uint8Array;
}

export interface OpenedEnvelope {
	data: Uint8Array;
	/** What the sender says that the data is: a dotted object identifier. */
	contentType: string;
}

export interface LoginParams {
	certificate: string;
	audience: string;
	/** The site's fresh challenge. */
	nonce: string;
	/** Unix seconds. */
	expires: number;
}

export interface Channel {
	channel: JsonWebKey;
	thumbprint: string;
	/** Compact JWS by the station key; purpose "production" on an enrolled station. */
	vouch?: string;
	/**
	 * Purpose "unlock" on the WebSocket: four digits that the page has to show while the helper's
	 * window shows them, so that the user can compare.
	 */
	code?: string;
}

/** The key is open with its new PIN; the receipt is for the CA that gave the ticket. */
export interface Unlocked {
	/** Id of the certificate whose key signed the receipt. */
	certificate: string;
	receipt: Signature;
}

/** The second half of a dual certificate (SM2). */
export interface EncryptionParams {
	/** DER. */
	certificate: Uint8Array;
	/** The key pair under envelope to the signing key. */
	envelopedKey: Uint8Array;
	/** SM2EnvelopedKey (GB/T 35276), or ENVELOPEDKEYBLOB (GM/T 0016). */
	format: "gbt35276" | "skf";
}

export interface InstallParams {
	token: string;
	key?: string;
	/** DER. */
	certificate: Uint8Array;
	chain?: Uint8Array[];
	/** Id of the certificate that leaves the token once the new one works. */
	replaces?: string;
	/** Both certificates count, or none: the same call again completes what was cut off. */
	encryption?: EncryptionParams;
}
