import { toBase64, type Certificate, type Token } from "@ukey/client";

import { ApiError } from "../../api/http";
import * as api from "../../api/key";
import type { KeyHolder } from "../../api/types";
import { helper } from "../../shared/key/key";
import { sameSerial } from "../serial";

/** Proves to the CA that the key is at hand: the password, and a signature over a challenge [R6]. */
export async function loginByKey(token: Token, certificate: Certificate): Promise<KeyHolder> {
	if (!token.loggedIn) await helper().token.login(token.id);
	const challenge = await api.challenge();
	const signed = await helper().login.create({ certificate: certificate.id, ...challenge });
	return api.login({
		nonce: challenge.nonce,
		certificate: toBase64(signed.certificate),
		signature: toBase64(signed.signature),
	});
}

/** Who is logged in with this certificate already; null: nobody. */
export async function restoreHolder(serial: string): Promise<KeyHolder | null> {
	try {
		const holder = await api.me();
		return sameSerial(holder.certificate.serial, serial) ? holder : null;
	} catch (error) {
		if (error instanceof ApiError && error.status === 401) return null;
		throw error;
	}
}
