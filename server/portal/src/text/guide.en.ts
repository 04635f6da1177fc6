import type { GuideText } from "./guide.zh";

const en: GuideText = {
	heading: "Instructions",
	lead: "Prices, documents, times and questions.",
	prices: "Prices",
	free: "free",
	priceNote: "New certificates and replacements include the key and postage. VAT invoice on request.",
	payments: "The replacement of an organisation's key is remitted beforehand; everything else is paid by Alipay.",
	flow: "Service",
	price: "Price",
	time: "Time",
	materials: "Documents",
	units: "Organisation",
	persons: "Person",
	photo:
		"Photos are uploaded; no paper is sent. Renewal and change usually need no documents; after important changes, or over a year after the end, the same as for a new certificate.",
	times: {
		new: (days) => `Review within ${days} working days, then posted`,
		renewal: () => "Download at once after payment (reviewed if expired for over a year)",
		unlock: () => "At once",
		replacement: (days) => `Review within ${days} working days, then posted`,
		change: () => "Download at once after confirmation (a changed name may be reviewed)",
	},
	remittance: "Account for an organisation's replacement",
	remittanceText:
		"Before an organisation's replacement, remit the fee from the corporate account; then apply here and upload the proof of payment. Write the unified social credit code into the remark.",
	account: "Account",
	bank: "Bank",
	name: "Name",
	amount: "Amount",
	ask: "Please confirm the account by calling the service.",
	steps: "Steps",
	stepLists: [
		[
			"New certificate",
			[
				"Your data: whom the certificate is for, contacts and address.",
				"Identity: organisations by the legal person's phone or bank card or the corporate account, persons by phone or bank card.",
				"Confirm the order and upload photos.",
				"Signature: an SMS code signs the application.",
				"Payment by Alipay; then the review, whose result comes by SMS.",
				"The key is posted; the tracking number is shown with the order.",
			],
		],
		[
			"Renewal",
			[
				"In the last 90 days, or up to 365 days after the end: insert the key and log in.",
				"Check your data, confirm, pay by Alipay.",
				"Download the new certificate at once. Before the end it lasts one year from the old end; after it, one year from the download.",
			],
		],
		[
			"Unlock",
			[
				"For a forgotten password, or after ten wrong ones; free of charge.",
				"Insert the key, enter the code sent to the agent's (your) phone, choose a new password in the window that opens.",
				"The first time, or without that phone: prove your identity, then use the authorisation code.",
			],
		],
		[
			"Replacement",
			[
				"If the key is lost, suspend its certificate at once under “My orders”.",
				"Organisations remit the fee; find the certificate by document number and SMS code, choose “Replace”, enter data, prove identity, upload photos.",
				"Once approved, the old certificate is revoked and a new key with the same end date is posted. For an expired one, apply anew.",
			],
		],
		["Change of data", ["Insert the key and log in, change the data, confirm by SMS code.", "Download the new certificate; same end date, free of charge."]],
	],
	helper: "The key helper",
	helperText: [
		"Renewal, unlock and change use the key in this computer: install the key helper (package ukey) and the browser extension first.",
		"The page finds it by itself; the browser need not be restarted.",
		"The certificate password is entered only in the key helper's window, never in a page.",
	],
	password: "How to get the certificate password",
	passwordText: [
		"Phone or bank card: by SMS to the legal person's (your own) phone, once approved.",
		"Corporate account: 0.01 CNY is paid once approved; the password is the 6 digits in the remark.",
		"Change it at first use. Ten wrong passwords in a row lock the key; it can be unlocked here.",
	],
	trouble: "Questions",
	faq: [
		["I closed the page.", "Everything is kept. Find the order under “My orders” and press “Go on”."],
		["It was not approved.", "The message and the order say why. Correct and resubmit without paying again, or ask for a refund."],
		["Alipay did not open.", "Find the order under “My orders” and press “Go on” to pay. You are never charged twice."],
		["The key was pulled out during the download.", "Insert the same key and press “Go on”: nothing is paid or issued twice."],
		["How do I suspend or revoke a certificate?", "Without the key: suspend it under “My orders”. With the key: suspend, resume or revoke it under “My certificate”. It takes effect at once."],
	],
	public: "Public information",
	publicText: "Whoever verifies certificates finds these here:",
	addresses: {
		root: "Root certificate",
		issuer: "Issuing certificate",
		crl: "Revocation list (CRL)",
		ocsp: "Online status (OCSP)",
		cp: "Certificate policy",
		cps: "Practice statement",
	},
	contact: (phone) => `Service: ${phone}`,
};

export default en;
