// What a customer does with a key in: log in, and download a new certificate.

/** The site is allowed first where that is needed; then the certificate's name is there. */
export async function showKey(page) {
	const allow = page.getByRole("button", { name: /允许本网站使用 KEY|允许使用这些证书/ });
	const enter = page.getByRole("button", { name: "登录", exact: true });
	const inside = page.getByRole("heading", { name: "当前证书" });
	await allow.or(enter).or(inside).first().waitFor();
	if (await allow.isVisible()) await allow.click();
	await enter.or(inside).first().waitFor();
}

export async function logIn(page) {
	await showKey(page);
	const enter = page.getByRole("button", { name: "登录", exact: true });
	if (await enter.isVisible()) await enter.click();
	await page.getByRole("heading", { name: "当前证书" }).waitFor({ timeout: 60_000 });
}

export async function download(page) {
	await page.getByRole("button", { name: /开始下载|继续下载/ }).click();
	await page.getByRole("heading", { name: "下载成功" }).waitFor({ timeout: 120_000 });
}

/** On the first page of the unlock: the site is allowed where that is needed. */
export async function showUnlock(page) {
	const allow = page.getByRole("button", { name: /允许本网站使用 KEY|允许使用这些证书/ });
	const begin = page.getByRole("button", { name: "开始解锁" });
	await allow.or(begin).first().waitFor();
	if (await allow.isVisible()) await allow.click();
	await begin.waitFor();
}
