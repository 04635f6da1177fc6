import { post } from "./http";
import type { CodeSent, Order } from "./types";

const at = ({ id }: Order, rest: string) => `/api/orders/${encodeURIComponent(id)}/unlock${rest}`;

/** The certificate on the key that is to be unlocked; base64 of the DER. */
export const begin = (certificate: string) => post<Order>("/api/unlock", { certificate });
export const sendCode = (order: Order) => post<CodeSent>(at(order, "/code"));
/** 其他验证方式 [U3] */
export const other = (order: Order) => post<Order>(at(order, "/other"));
export const enter = (order: Order, code: string) => post<Order>(at(order, ""), { code });
export const ticket = (order: Order, channel: { token: string; channel: JsonWebKey }) =>
	post<{ ticket: string }>(at(order, "/ticket"), channel);
export const receipt = (order: Order, signed: { signature: string; certificate: string }) =>
	post<Order>(at(order, "/receipt"), signed);
