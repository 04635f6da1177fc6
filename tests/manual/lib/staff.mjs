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

/** On the review page of an order. */
export async function approve(page) {
	await page.getByRole("button", { name: "通过", exact: true }).click();
	await page.getByRole("button", { name: "审核下一个" }).waitFor();
}

export async function reject(page, reason, note) {
	await page.getByRole("button", { name: "不通过", exact: true }).click();
	await page.getByLabel("不通过的原因").selectOption(reason);
	await page.getByLabel("具体说明").fill(note);
	await page.getByRole("button", { name: "确认不通过" }).click();
	await page.getByRole("button", { name: "审核下一个" }).waitFor();
}

/** On the production page of an order: claims it and makes its key. */
export async function make(page, look = async () => {}) {
	await page.getByRole("button", { name: "领取" }).click();
	await page.getByText("已找到空白 KEY").waitFor();
	await look("production");
	await page.getByRole("button", { name: "制证", exact: true }).click();
	await page.getByText("制证完成").waitFor({ timeout: 120_000 });
	await page.getByRole("link", { name: "打印标签" }).waitFor();
	await look("production-made");
}

export async function ship(page, { carrier, tracking }) {
	await page.getByLabel("快递公司").selectOption(carrier);
	await page.getByLabel("快递单号").fill(tracking);
	await page.getByRole("button", { name: "登记寄出" }).click();
	await page.getByText("这个订单办理完成").waitFor();
}
