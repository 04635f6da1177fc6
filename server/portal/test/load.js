import { fileURLToPath } from "node:url";

import { build } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A TypeScript module and all it imports, as the pages get it. */
export async function load(path) {
	const { output } = await build({
		configFile: false,
		logLevel: "silent",
		resolve: { alias: { "@ukey/client": here("../../../extension/sdk/src/index.ts") } },
		ssr: { noExternal: true },
		build: { ssr: here(path), write: false, rollupOptions: { output: { codeSplitting: false } } },
	});
	return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
}
