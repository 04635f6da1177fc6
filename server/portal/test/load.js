import { fileURLToPath } from "node:url";

import { build } from "vite";

/** A TypeScript module that imports nothing of the browser's, as the pages get it. */
export async function load(path) {
	const entry = fileURLToPath(new URL(path, import.meta.url));
	const { output } = await build({
		configFile: false,
		logLevel: "silent",
		build: { ssr: entry, write: false },
	});
	return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
}
