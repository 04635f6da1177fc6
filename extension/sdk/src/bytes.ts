const encoder = new TextEncoder();

/** Standard, padded base64, as on the wire. */
export function toBase64(bytes: Uint8Array): string {
	let text = "";
	for (let at = 0; at < bytes.length; at += 0x8000)
		text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
	return btoa(text);
}

export function fromBase64(text: string): Uint8Array {
	return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** Text is taken as UTF-8. */
export function toBytes(data: Uint8Array | ArrayBuffer | string): Uint8Array {
	if (typeof data === "string") return encoder.encode(data);
	return data instanceof Uint8Array ? data : new Uint8Array(data);
}
