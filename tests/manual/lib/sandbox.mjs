// What a person reads on a phone and does at the payment page.

/** Reads a phone's messages in a tab of its own until one matches; the first group of the pattern. */
export async function readMessage(page, sandbox, phone, pattern) {
	const tab = await page.context().newPage();
	try {
		for (let look = 0; look < 60; look++) {
			for (const text of await messages(tab, sandbox, phone)) {
				const found = pattern.exec(text);
				if (found) return found[1] ?? found[0];
			}
			await tab.waitForTimeout(1000);
		}
	} finally {
		await tab.close();
	}
	throw new Error(`no message for ${pattern}`);
}

/** All texts on the phone now, newest first. */
export async function readMessages(page, sandbox, phone) {
	const tab = await page.context().newPage();
	try {
		return await messages(tab, sandbox, phone);
	} finally {
		await tab.close();
	}
}

async function messages(tab, sandbox, phone) {
	await tab.goto(`${sandbox}/inbox?phone=${phone}`);
	return tab.getByTestId("text").allTextContents();
}

export async function payAtCashier(page) {
	await page.getByRole("heading", { name: "请确认付款" }).waitFor();
	await page.getByRole("button", { name: "付款", exact: true }).click();
}
