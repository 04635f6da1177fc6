// Starts a person's own browser, with the extension where that is the road to the helper.
import { chown, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { chromium, firefox } from "playwright-core";

const HOST = "cn.ukey.agent";
export const CHROMIUM_ARGS = [
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
	"--no-sandbox",
];
// An add-on that lies in the profile and that nobody has signed.
const FIREFOX_PREFS = {
	"xpinstall.signatures.required": false,
	"extensions.autoDisableScopes": 0,
	"extensions.startupScanScopes": 15,
};
const PERSON = {
	headless: true,
	locale: "zh-CN",
	timezoneId: "Asia/Shanghai",
	viewport: { width: 1280, height: 900 },
};

/** The file by which a browser finds the host, and who may start it. */
async function registerHost(folder, host, allowed) {
	await mkdir(folder, { recursive: true });
	const manifest = { name: HOST, description: "UKEY", path: host, type: "stdio", ...allowed };
	await writeFile(join(folder, `${HOST}.json`), JSON.stringify(manifest));
}

const BROWSERS = {
	chromium: {
		start: (profile, executablePath, road) =>
			chromium.launchPersistentContext(profile, {
				...PERSON,
				executablePath,
				ignoreDefaultArgs: ["--disable-extensions"],
				args: [
					...CHROMIUM_ARGS,
					...(road.name === "extension" ? [`--load-extension=${road.extension.chromium}`] : []),
				],
			}),
		prepare: (profile, person, { extension, host }) =>
			registerHost(join(profile, "NativeMessagingHosts"), host, {
				allowed_origins: [`chrome-extension://${extension.id}/`],
			}),
	},
	firefox: {
		// "moz-firefox" is Firefox as Debian has it, driven by WebDriver BiDi.
		start: (profile, executablePath) =>
			firefox.launchPersistentContext(profile, {
				...PERSON,
				channel: "moz-firefox",
				executablePath,
				firefoxUserPrefs: FIREFOX_PREFS,
			}),
		prepare: async (profile, person, { extension, host }) => {
			const addons = join(profile, "extensions");
			await mkdir(addons);
			await chown(addons, person.uid, person.uid);
			await copyFile(extension.firefox, join(addons, `${extension.geckoId}.xpi`));
			await registerHost(join(person.home, ".mozilla/native-messaging-hosts"), host, {
				allowed_extensions: [extension.geckoId],
			});
		},
	},
};

/**
 * A new profile.  road: {name: "extension" | "websocket", browser: "chromium" | "firefox", extension,
 * host}; the extension's files and the host's path are those of demo.json.
 */
export async function prepareProfile(person, road) {
	const profile = await mkdtemp(join(person.home, "browser-"));
	await chown(profile, person.uid, person.uid);
	if (road.name === "extension") await BROWSERS[road.browser].prepare(profile, person, road);
	return profile;
}

/** With a new profile, or the one that another left. */
export async function startBrowser(person, road, profile = undefined) {
	profile ??= await prepareProfile(person, road);
	const context = await BROWSERS[road.browser].start(profile, person.browsers[road.browser], road);
	context.setDefaultTimeout(30_000);
	return {
		context,
		profile,
		async end() {
			// One that was killed is gone, though the driver may only notice it now.
			await context.close().catch((error) => {
				if (!/has been closed/.test(error.message)) throw error;
			});
			await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
		},
	};
}
