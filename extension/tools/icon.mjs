// The icon: a white USB key on a blue tile, drawn as PNG without any library.
import { crc32, deflateSync } from "node:zlib";

const BLUE = [0x1f, 0x5f, 0xa8];
const WHITE = [0xff, 0xff, 0xff];
const SAMPLES = 4;

/** Is the point in the box with round corners? */
function inBox(x, y, left, top, right, bottom, radius) {
	const dx = Math.max(left + radius - x, 0, x - (right - radius));
	const dy = Math.max(top + radius - y, 0, y - (bottom - radius));
	return x >= left && x <= right && y >= top && y <= bottom && dx * dx + dy * dy <= radius * radius;
}

/** The colour at a point of the unit square; null: nothing. */
function colourAt(x, y) {
	if (!inBox(x, y, 0.02, 0.02, 0.98, 0.98, 0.2)) return null;
	const contact = (left) => inBox(x, y, left, 0.21, left + 0.07, 0.28, 0.01);
	if (contact(0.4) || contact(0.53)) return BLUE;
	if (inBox(x, y, 0.35, 0.15, 0.65, 0.38, 0.03)) return WHITE;
	if (Math.hypot(x - 0.5, y - 0.68) < 0.07) return BLUE;
	return inBox(x, y, 0.28, 0.36, 0.72, 0.86, 0.1) ? WHITE : BLUE;
}

function pixel(column, row, size) {
	const sum = [0, 0, 0];
	let hits = 0;
	for (let at = 0; at < SAMPLES * SAMPLES; at++) {
		const x = (column + ((at % SAMPLES) + 0.5) / SAMPLES) / size;
		const y = (row + (Math.floor(at / SAMPLES) + 0.5) / SAMPLES) / size;
		const colour = colourAt(x, y);
		if (!colour) continue;
		hits++;
		for (const part of [0, 1, 2]) sum[part] += colour[part];
	}
	const alpha = Math.round((255 * hits) / (SAMPLES * SAMPLES));
	return [...sum.map((part) => Math.round(part / Math.max(hits, 1))), alpha];
}

function chunk(type, data) {
	const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
	const out = Buffer.alloc(body.length + 8);
	out.writeUInt32BE(data.length, 0);
	body.copy(out, 4);
	out.writeUInt32BE(crc32(body), body.length + 4);
	return out;
}

export function drawIcon(size) {
	const head = Buffer.alloc(13);
	head.writeUInt32BE(size, 0);
	head.writeUInt32BE(size, 4);
	head.set([8, 6, 0, 0, 0], 8); // eight bits, RGBA
	const rows = [];
	for (let row = 0; row < size; row++) {
		rows.push(0); // no filter
		for (let column = 0; column < size; column++) rows.push(...pixel(column, row, size));
	}
	return Buffer.concat([
		Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
		chunk("IHDR", head),
		chunk("IDAT", deflateSync(Buffer.from(rows), { level: 9 })),
		chunk("IEND", Buffer.alloc(0)),
	]);
}
