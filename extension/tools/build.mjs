// One source, two browsers: dist/{chromium,firefox}, and the packages ukey.crx, ukey.xpi, ukey.zip.
import { createPrivateKey } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { crx, extensionId, publicKey } from "./crx.mjs";
import { drawIcon } from "./icon.mjs";
import { zip } from "./zip.mjs";

const ICON_SIZES = [16, 32, 48, 128];
const GECKO_ID = "ukey@ukey.example";

const here = (...parts) => path.join(fileURLToPath(new URL("..", import.meta.url)), ...parts);

async function scripts() {
	const { outputFiles } = await build({
		entryPoints: ["background", "content", "options"].map((name) => here("src", `${name}.ts`)),
		bundle: true,
		format: "iife",
		target: "es2022",
		outdir: "/",
		write: false,
		charset: "utf8",
		legalComments: "none",
	});
	return outputFiles.map((file) => [path.basename(file.path), Buffer.from(file.contents)]);
}

async function locales() {
	const names = await readdir(here("_locales"));
	return Promise.all(
		names.map(async (name) => {
			const file = `_locales/${name}/messages.json`;
			return [file, await readFile(here(file))];
		}),
	);
}

async function shared() {
	const pages = ["options.html", "options.css"].map(async (name) => [
		name,
		await readFile(here("src", name)),
	]);
	const icons = ICON_SIZES.map((size) => [`icon-${size}.png`, drawIcon(size)]);
	return Object.fromEntries([
		...(await scripts()),
		...(await locales()),
		...(await Promise.all(pages)),
		...icons,
	]);
}

async function manifest(more) {
	const base = JSON.parse(await readFile(here("manifest.json"), "utf8"));
	const { version } = JSON.parse(await readFile(here("package.json"), "utf8"));
	const icons = Object.fromEntries(ICON_SIZES.map((size) => [size, `icon-${size}.png`]));
	return Buffer.from(`${JSON.stringify({ ...base, version, icons, ...more }, null, 2)}\n`);
}

function chromium(more) {
	return manifest({
		background: { service_worker: "background.js" },
		minimum_chrome_version: "116",
		...more,
	});
}

function firefox() {
	return manifest({
		background: { scripts: ["background.js"] },
		browser_specific_settings: {
			gecko: {
				id: GECKO_ID,
				strict_min_version: "140.0",
				data_collection_permissions: { required: ["none"] },
			},
		},
	});
}

async function writeFolder(folder, files) {
	for (const [name, data] of Object.entries(files)) {
		const file = here("dist", folder, name);
		await mkdir(path.dirname(file), { recursive: true });
		await writeFile(file, data);
	}
}

const key = createPrivateKey(
	await readFile(process.env.UKEY_EXTENSION_KEY || here("development-key.pem")),
);
const files = await shared();
const forChromium = {
	...files,
	"manifest.json": await chromium({ key: publicKey(key).toString("base64") }),
};
const forFirefox = { ...files, "manifest.json": await firefox() };

await rm(here("dist"), { recursive: true, force: true });
await writeFolder("chromium", forChromium);
await writeFolder("firefox", forFirefox);
await writeFolder(".", {
	"ukey.crx": crx(zip(forChromium), key),
	"ukey.xpi": zip(forFirefox),
	// For the store, which signs with a key of its own and refuses one in the manifest.
	"ukey.zip": zip({ ...files, "manifest.json": await chromium({}) }),
	"ukey.id": Buffer.from(`${extensionId(key)}\n`),
});
