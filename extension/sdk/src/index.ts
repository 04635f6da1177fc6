export { fromBase64, toBase64, toBytes } from "./bytes.js";
export { connect, UkeyClient, type ClientOptions, type Road } from "./client.js";
export { browserPermission } from "./connect.js";
export { UkeyError, type LocalReason, type UkeyErrorDetails } from "./errors.js";
export { ExtensionTransport, findExtension } from "./extension.js";
export type { RequestOptions } from "./rpc.js";
export type { Transport } from "./transport.js";
export type * from "./types.js";
export { DEFAULT_PORTS, WebSocketTransport } from "./websocket.js";
