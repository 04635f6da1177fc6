import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import vue from "@vitejs/plugin-vue";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import components from "unplugin-vue-components/vite";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A .gz beside every text file, so that the server need not compress. */
function precompress(): Plugin {
	return {
		name: "precompress",
		apply: "build",
		closeBundle() {
			for (const entry of readdirSync(here("dist"), { recursive: true, withFileTypes: true })) {
				if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue;
				const path = join(entry.parentPath, entry.name);
				writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
			}
		},
	};
}

export default defineConfig({
	plugins: [
		vue(),
		components({ dirs: [], dts: false, resolvers: [ElementPlusResolver()] }),
		precompress(),
	],
	resolve: { alias: { "@ukey/client": here("../../extension/sdk/src/index.ts") } },
	build: {
		target: "es2022",
		// A data: address would need a hole in the Content-Security-Policy.
		assetsInlineLimit: 0,
		rollupOptions: { input: { portal: here("index.html"), staff: here("staff/index.html") } },
	},
});
