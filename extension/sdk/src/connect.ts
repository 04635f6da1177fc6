import { UkeyError } from "./errors.js";
import { Rpc } from "./rpc.js";
import type { Transport } from "./transport.js";
import type { Hello } from "./types.js";

export interface Link {
	transport: Transport;
	rpc: Rpc;
	hello: Hello;
}

const HELLO_TIMEOUT = 5000;

async function greet(transport: Transport): Promise<Link> {
	const rpc = new Rpc(transport);
	try {
		await transport.open();
		const hello = (await rpc.request("agent.hello", {}, { timeout: HELLO_TIMEOUT })) as Hello;
		if (hello?.name !== "ukeyd" || hello.protocol !== 1) throw new UkeyError("bad-answer");
		return { transport, rpc, hello };
	} catch (error) {
		rpc.close();
		throw error;
	}
}

/**
 * Greets on all transports at once and keeps the first that answers.  While the browser asks the
 * user whether the page may reach this machine, connections hang: so `open` has no time limit of
 * its own, only the caller's.
 */
export async function findHelper(transports: Transport[], signal: AbortSignal): Promise<Link> {
	const stopped = new Promise<never>((_, reject) => {
		signal.addEventListener("abort", () => reject(signal.reason), { once: true });
	});
	let winner: Link | undefined;
	try {
		winner = await Promise.race([Promise.any(transports.map(greet)), stopped]);
		return winner;
	} catch (error) {
		throw error instanceof AggregateError ? await whyNot(error) : error;
	} finally {
		for (const transport of transports) if (transport !== winner?.transport) transport.close();
	}
}

/** A refusal by a helper says more than the ports where nobody listens. */
async function whyNot(error: AggregateError): Promise<UkeyError> {
	const all = error.errors.filter((one): one is UkeyError => one instanceof UkeyError);
	const said = all.find((one) => one.reason !== "helper-missing" && one.reason !== "bad-answer");
	if (said) return said;
	return (await browserPermission()) === "denied"
		? new UkeyError("helper-blocked")
		: new UkeyError("helper-missing", { retry: true });
}

/** May this page reach programs on this machine (Local Network Access)? */
export async function browserPermission(): Promise<PermissionState | "unknown"> {
	for (const name of ["loopback-network", "local-network-access"])
		try {
			return (await navigator.permissions.query({ name: name as PermissionName })).state;
		} catch {
			// a browser without that name
		}
	return "unknown";
}
