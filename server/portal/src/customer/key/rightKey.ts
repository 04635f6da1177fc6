import type { Certificate } from "@ukey/client";

import type { Order } from "../../api/types";
import { sameSerial } from "../serial";

/** Is the key that this order is about in? The old certificate shows it, or the new one does [R5]. */
export function isRightKey(order: Order, certificates: readonly Certificate[]): boolean {
	const wanted = [order.about?.serial, order.certificate.serial].filter((serial) => serial !== undefined);
	return certificates.some((one) => wanted.some((serial) => sameSerial(one.serial, serial)));
}
