import { fromBase64, type EncryptionParams } from "@ukey/client";

import type { Encryption } from "../../api/types";

/** The second half of a dual certificate, as the helper takes it; nothing where there is none. */
export function encryptionOf(from: Encryption | undefined): { encryption?: EncryptionParams } {
	if (!from) return {};
	const { certificate, envelopedKey, format } = from;
	return { encryption: { certificate: fromBase64(certificate), envelopedKey: fromBase64(envelopedKey), format } };
}
