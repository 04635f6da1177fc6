// Every name that the server, the key helper or these pages can give for a refusal, a state or an
// event has its words, in both languages.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { load } from "./load.js";

const root = new URL("../../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf8");
const files = (folder, ending) =>
	readdirSync(new URL(folder, root), { recursive: true })
		.filter((name) => name.endsWith(ending))
		.map((name) => `${folder}/${name}`);
const all = (text, pattern) => [...text.matchAll(pattern)].map((match) => match[1]);

const languages = Object.fromEntries(
	await Promise.all(
		["common.zh", "common.en", "staff.zh", "staff.en"].map(async (name) => [
			name,
			(await load(`../src/text/${name}.ts`)).default,
		]),
	),
);

/** What answers a request; the rest of the server tells its log or its command line. */
const ANSWERING = [
	...files("server/api", ".c"),
	...files("server/http", ".c"),
	...["engine", "facts", "guards", "actions"].map((name) => `server/workflow/${name}.c`),
	"server/documents/photo.c",
	...["login", "name", "profile", "request"].map((name) => `server/ca/${name}.c`),
	...["json", "pubkey", "rc", "x509"].map((name) => `include/src/${name}.c`),
];
/** Of the server's start, and names of the same form that are none. */
const NO_REASONS = ["csp-too-long", "http-start", "listen", "listen-address", "no-pages", "pages-unreadable",
	"password-late", "route-malformed", "route-twice", "service-unavailable"];

const REASON_IN_C = [
	/\buk_fail\s*\([^,;]+,\s*[^,;]+,\s*"([a-z0-9-]+)"/g,
	/\buk_fail_field\s*\([^;]*?,\s*"([a-z0-9-]+)"\s*\)/g,
	/\brefuse\s*\([^;]*?,\s*\d{3},\s*"([a-z0-9-]+)"\s*\)/g,
	/\bUK_E_\w+,\s*"([a-z0-9-]+)" \}/g,
	/\[UK_E_\w+\] = \{ "([a-z0-9-]+)"/g,
	/"(too-many-[a-z]+|[a-z-]+-(?:early|exhausted|expired|invalid|late|malformed|missing|refused|unavailable|unknown|wrong))"/g,
];
const ofServer = () =>
	ANSWERING.map(read)
		.flatMap((text) => REASON_IN_C.flatMap((pattern) => all(text, pattern)))
		.filter((name) => !NO_REASONS.includes(name));
function ofOpenapi() {
	const text = read("server/openapi.yaml");
	const list = /\breason:\n\s+description:[^]*?enum:\n((?:\s+- [a-z-]+\n)+)/.exec(text)?.[1] ?? "";
	return [...all(list, /- ([a-z-]+)/g), ...all(text, /\b4\d\d `([a-z-]+)`/g), ...all(text, /`((?:code|photo)-[a-z-]+)`/g)];
}
function ofHelper() {
	const section = /## 6 Errors[^]*?(?=\n## )/.exec(read("daemon/PROTOCOL.md"))[0];
	return section.split("\n").filter((line) => /^\| `[a-z-]+` \| −/.test(line)).flatMap((line) => all(line, /`([a-z-]+)`/g));
}
const ofLibrary = () => all(read("extension/sdk/src/errors.ts"), /^\t\| "([a-z-]+)"/gm);
const ofPages = () =>
	[...files("server/portal/src", ".ts"), ...files("server/portal/src", ".vue")].map(read).flatMap((text) => [
		...all(text, /\breason: "([a-z-]+)"/g),
		...all(text, /\b(?:refuse|UkeyError)\("([a-z-]+)"\)/g),
		...all(text, /\bmatches\([^\n]*"([a-z-]+)"\)/g),
		...all(text, /\? "([a-z-]+)" : null|null : "[a-z-]+"/g).filter(Boolean),
	]);

const SOURCES = { server: ofServer, "openapi.yaml": ofOpenapi, "PROTOCOL.md": ofHelper, library: ofLibrary, pages: ofPages };
for (const [source, find] of Object.entries(SOURCES))
	test(`words for every reason: ${source}`, () => {
		const names = [...new Set(find())].sort();
		assert.ok(names.length > 4, `only ${names}`);
		for (const language of ["common.zh", "common.en"])
			assert.deepEqual(names.filter((name) => !(name in languages[language].reasons)), [], language);
	});

test("words for every state and event of an order", () => {
	const table = read("server/workflow/table.c");
	const states = all(table, /\[ST_\w+\]\s*= \{ "([a-z-]+)"/g);
	const events = all(table, /\[EV_\w+\] = \{ "([a-z-]+)"/g);
	assert.ok(states.length > 15 && events.length > 20);
	for (const tag of ["zh", "en"]) {
		assert.deepEqual(states.filter((name) => !(name in languages[`common.${tag}`].states)), [], tag);
		assert.deepEqual(events.filter((name) => !(name in languages[`staff.${tag}`].detail.events)), [], tag);
	}
});

// That English has every name, the type check says.
test("nothing in Chinese in the English texts", () => {
	const names = files("server/portal/src/text", ".en.ts");
	assert.ok(names.length > 3);
	for (const name of names) assert.doesNotMatch(read(name), /[\u4e00-\u9fff]/, name);
});
