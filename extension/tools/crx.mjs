// CRX3: a zip archive behind a signed header (crx3.proto of Chromium).
import { createHash, createPublicKey, sign } from "node:crypto";

export function publicKey(key) {
	return createPublicKey(key).export({ type: "spki", format: "der" });
}

function idBytes(key) {
	return createHash("sha256").update(publicKey(key)).digest().subarray(0, 16);
}

/** The extension's id: 128 bits as letters a to p. */
export function extensionId(key) {
	return idBytes(key)
		.toString("hex")
		.replace(/./g, (digit) => "abcdefghijklmnop"[Number.parseInt(digit, 16)]);
}

function varint(value) {
	const out = [];
	for (; value > 0x7f; value >>>= 7) out.push((value & 0x7f) | 0x80);
	return Buffer.from([...out, value]);
}

/** A length-delimited field of a protocol buffer. */
function field(number, data) {
	return Buffer.concat([varint((number << 3) | 2), varint(data.length), data]);
}

function uint32(value) {
	const out = Buffer.alloc(4);
	out.writeUInt32LE(value);
	return out;
}

export function crx(archive, key) {
	const signedData = field(1, idBytes(key));
	const signature = sign(
		"sha256",
		Buffer.concat([
			Buffer.from("CRX3 SignedData\0", "latin1"),
			uint32(signedData.length),
			signedData,
			archive,
		]),
		key,
	);
	const proof = Buffer.concat([field(1, publicKey(key)), field(2, signature)]);
	const header = Buffer.concat([field(2, proof), field(10000, signedData)]);
	return Buffer.concat([Buffer.from("Cr24"), uint32(3), uint32(header.length), header, archive]);
}
