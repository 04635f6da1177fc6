// A zip archive that is the same whenever and wherever it is made: names sorted, one date.
import { crc32, deflateRawSync } from "node:zlib";

const DATE = (0 << 9) | (1 << 5) | 1; // 1980-01-01, the first that the format knows
const UTF8 = 1 << 11;
const DEFLATE = 8;

/** What the local header and the directory's entry have in common (APPNOTE 4.3.7, 4.3.12). */
function describe(name, data, packed) {
	const out = Buffer.alloc(26);
	out.writeUInt16LE(20, 0);
	out.writeUInt16LE(UTF8, 2);
	out.writeUInt16LE(DEFLATE, 4);
	out.writeUInt16LE(DATE, 8);
	out.writeUInt32LE(crc32(data), 10);
	out.writeUInt32LE(packed.length, 14);
	out.writeUInt32LE(data.length, 18);
	out.writeUInt16LE(name.length, 22);
	return out;
}

function directoryEntry(name, common, offset) {
	const head = Buffer.from("PK\x01\x02\x14\x03", "latin1"); // made by 2.0 on Unix
	const rest = Buffer.alloc(14);
	rest.writeUInt32LE((0o100644 << 16) >>> 0, 6);
	rest.writeUInt32LE(offset, 10);
	return Buffer.concat([head, common, rest, name]);
}

/** files: {name: Buffer} */
export function zip(files) {
	const parts = [];
	const directory = [];
	let offset = 0;
	for (const key of Object.keys(files).sort()) {
		const name = Buffer.from(key);
		const packed = deflateRawSync(files[key], { level: 9 });
		const common = describe(name, files[key], packed);
		const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, name, packed]);
		directory.push(directoryEntry(name, common, offset));
		parts.push(local);
		offset += local.length;
	}
	const entries = Buffer.concat(directory);
	const end = Buffer.alloc(22);
	end.write("PK\x05\x06", 0, "latin1");
	end.writeUInt16LE(directory.length, 8);
	end.writeUInt16LE(directory.length, 10);
	end.writeUInt32LE(entries.length, 12);
	end.writeUInt32LE(offset, 16);
	return Buffer.concat([...parts, entries, end]);
}
