// What every member of staff does.

/** Logs in with the person's own key: the site is allowed first where that is needed. */
export async function login(page, demo, person) {
	await page.goto(demo.console);
	await page.getByRole("heading", { name: "工作人员登录" }).waitFor();
	const ask = page.getByRole("button", { name: "申请授权" });
	const enter = page.getByRole("button", { name: "登录", exact: true });
	await ask.or(enter).waitFor();
	if (await ask.isVisible()) await ask.click();
	const { certificate } = demo.persons[person] ?? {};
	if (certificate) await page.getByRole("radio", { name: certificate }).check();
	await enter.click();
	await page.getByRole("button", { name: "退出" }).waitFor({ timeout: 60_000 });
}

/** Opens an order from a queue by its row. */
export async function openOrder(page, queue, order, action) {
	await page.getByRole("link", { name: queue, exact: true }).click();
	const row = page.getByRole("row").filter({ hasText: order });
	await row.getByRole("link", { name: action }).click();
}
