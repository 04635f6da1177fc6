// What a person reads on a phone and does at the payment page.

/**
 * Reads a phone's messages in a tab of its own until one matches that was not among the `before`
 * first; the first group of the pattern.
 */
export async function readMessage(page, sandbox, phone, pattern, before = 0) {
	const tab = await page.context().newPage();
	try {
		for (let look = 0; look < 120; look++) {
			const texts = await messages(tab, sandbox, phone);
			for (const text of texts.slice(0, texts.length - before)) {
				const found = pattern.exec(text);
				if (found) return found[1] ?? found[0];
			}
			await tab.waitForTimeout(500);
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

/** The password in the remark of the payment received, read from the account's records [C3]. */
export async function readRemark(page, sandbox, account, pattern) {
	const tab = await page.context().newPage();
	try {
		for (let look = 0; look < 60; look++) {
			await tab.goto(`${sandbox}/bank/records?account=${account}`);
			for (const record of await tab.getByTestId("record").all()) {
				const found = pattern.exec(await record.getByTestId("remark").textContent());
				if (found) return { amount: await record.getByTestId("amount").textContent(), password: found[1] };
			}
			await tab.waitForTimeout(500);
		}
	} finally {
		await tab.close();
	}
	throw new Error(`no record for ${pattern}`);
}

/** Has the next thing outside go wrong (server/sandbox/README.md). */
export async function arm(sandbox, fault) {
	const answer = await fetch(`${sandbox}/control`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify(fault),
	});
	if (!answer.ok) throw new Error(`/control: ${answer.status}`);
}
