// The page in English and back: the same page, its language said, and nothing left in Chinese but
// what people entered or are called.
import assert from "node:assert/strict";

const CHINESE = /[\u4e00-\u9fff]+/g;

export async function readInEnglish(page, names) {
	const before = page.url();
	await page.getByRole("button", { name: "English" }).click();
	await page.getByRole("button", { name: "中文" }).waitFor();
	assert.equal(page.url(), before);
	assert.equal(await page.locator("html").getAttribute("lang"), "en");
	const said = await page.evaluate(() => {
		const labels = [...document.querySelectorAll("[aria-label], [placeholder], img[alt]")].flatMap((one) => [
			one.getAttribute("aria-label"),
			one.getAttribute("placeholder"),
			one.getAttribute("alt"),
		]);
		return [document.title, document.body.innerText, ...labels].join("\n");
	});
	const left = names.reduce((text, name) => text.replaceAll(name, ""), said).match(CHINESE) ?? [];
	assert.deepEqual(left, [], `still Chinese on ${before}`);
	await page.getByRole("button", { name: "中文" }).click();
	await page.getByRole("button", { name: "English" }).waitFor();
	assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
}
