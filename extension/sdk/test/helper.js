// A helper to talk to: a real WebSocket server that answers from a table of methods.
import { WebSocket, WebSocketServer } from "ws";

// As in a browser, an error without a listener is not thrown.
globalThis.WebSocket = class extends WebSocket {
	constructor(...args) {
		super(...args);
		this.on("error", () => {});
	}
};

export const HELLO = {
	name: "ukeyd",
	version: "0.1.0",
	protocol: 1,
	features: ["cms"],
	site: { origin: "https://ca.example", allowed: false },
};

export class Refusal {
	constructor(data, message = data.reason) {
		this.error = { code: -32001, message, data };
	}
}

export async function startHelper(methods = {}, port = 0) {
	const server = new WebSocketServer({
		host: "127.0.0.1",
		port,
		path: "/ukey/1",
		handleProtocols: (offered) => (offered.has("ukey.1") ? "ukey.1" : false),
	});
	await new Promise((resolve) => server.once("listening", resolve));
	const seen = [];
	const table = { "agent.hello": () => HELLO, ...methods };
	server.on("connection", (socket) => {
		socket.on("message", async (data) => {
			const { id, method, params } = JSON.parse(data.toString());
			seen.push({ method, params });
			const answer = await table[method]?.(params, socket);
			if (answer === undefined) return;
			socket.send(
				JSON.stringify({
					jsonrpc: "2.0",
					id,
					...(answer instanceof Refusal ? { error: answer.error } : { result: answer }),
				}),
			);
		});
	});
	return {
		port: server.address().port,
		seen,
		connections: () => server.clients.size,
		notify(params) {
			for (const socket of server.clients)
				socket.send(JSON.stringify({ jsonrpc: "2.0", method: "token.changed", params }));
		},
		async stop() {
			for (const socket of server.clients) socket.terminate();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

export function once(client, event) {
	return new Promise((resolve) => {
		const off = client.on(event, (value) => {
			off();
			resolve(value);
		});
	});
}

export async function freePort() {
	const helper = await startHelper();
	await helper.stop();
	return helper.port;
}
