import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { crx, extensionId, publicKey } from "../tools/crx.mjs";
import { zip } from "../tools/zip.mjs";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path) => readFileSync(here(path));
const key = read("development-key.pem");

test("the development key gives the id that ukeyd knows", () => {
	assert.equal(extensionId(key), read("development.id").toString().trim());
	assert.equal(read("dist/ukey.id").toString(), read("development.id").toString());
	const manifest = JSON.parse(read("dist/chromium/manifest.json"));
	assert.equal(manifest.key, publicKey(key).toString("base64"));
});

test("a crx is the archive behind a header that its key signed", () => {
	const archive = zip({ "a.txt": Buffer.from("a") });
	const made = crx(archive, key);
	const length = made.readUInt32LE(8);
	const header = made.subarray(12, 12 + length);
	assert.deepEqual(made.subarray(12 + length), archive);
	const signature = header.subarray(-(256 + 18 + 4), -(18 + 4)); // before field 10000
	const signedData = header.subarray(-18);
	const signed = Buffer.concat([
		Buffer.from("CRX3 SignedData\0\x12\0\0\0", "latin1"),
		signedData,
		archive,
	]);
	assert.ok(verify("sha256", signed, createPublicKey(key), signature));
});

test("a second build gives the same bytes", () => {
	const packages = ["ukey.crx", "ukey.xpi", "ukey.zip"].map((name) => `dist/${name}`);
	const before = packages.map(read);
	execFileSync(process.execPath, [here("tools/build.mjs")]);
	assert.deepEqual(packages.map(read), before);
});

test("permissions are the one that is needed", () => {
	for (const browser of ["chromium", "firefox"]) {
		const manifest = JSON.parse(read(`dist/${browser}/manifest.json`));
		assert.deepEqual(manifest.permissions, ["nativeMessaging"]);
		assert.equal(manifest.host_permissions, undefined);
		assert.equal(manifest.externally_connectable, undefined);
	}
});

test("every language has every text, and the page asks for no other", () => {
	const names = (locale) => Object.keys(JSON.parse(read(`_locales/${locale}/messages.json`)));
	assert.deepEqual(names("en"), names("zh_CN"));
	for (const [, name] of read("src/options.html").toString().matchAll(/data-text="(\w+)"/g))
		assert.ok(names("en").includes(name), name);
});
