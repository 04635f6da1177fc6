import { UkeyError } from "./errors.js";
import { Rpc } from "./rpc.js";
import type { Transport } from "./transport.js";
import type { Hello } from "./types.js";

export interface Link {
	transport: Transport;
	rpc: Rpc;
	hello: Hello;
	/** Why no road before this one could be taken. */
	detour: UkeyError | null;
}

const HELLO_TIMEOUT = 5000;
/** Nobody is there, or nobody can be reached; any other reason was given by somebody. */
const NOBODY = ["extension-missing", "helper-missing", "bad-answer"];

async function greet(transport: Transport): Promise<Omit<Link, "detour">> {
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
 * Tries the roads one after the other.  On each it greets on all transports at once and keeps the
 * first that answers.  While the browser asks the user whether the page may reach this machine,
 * connections hang: so `open` has no time limit of its own, only the caller's.
 */
export async function findHelper(roads: Transport[][], signal: AbortSignal): Promise<Link> {
	let detour: UkeyError | null = null;
	for (const transports of roads)
		try {
			return { ...(await firstOf(transports, signal)), detour };
		} catch (error) {
			if (signal.aborted || !(error instanceof UkeyError)) throw error;
			detour = worse(detour, error);
		}
	throw detour ?? new UkeyError("helper-missing", { retry: true });
}

async function firstOf(
	transports: Transport[],
	signal: AbortSignal,
): Promise<Omit<Link, "detour">> {
	const stopped = new Promise<never>((_, reject) => {
		signal.addEventListener("abort", () => reject(signal.reason), { once: true });
	});
	let winner: Omit<Link, "detour"> | undefined;
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
	const said = all.find((one) => !NOBODY.includes(one.reason));
	if (said) return said;
	const absent = all.find((one) => one.reason === "extension-missing");
	if (absent) return absent;
	return (await browserPermission()) === "denied"
		? new UkeyError("helper-blocked")
		: new UkeyError("helper-missing", { retry: true });
}

/** Of two roads that lead nowhere, the reason that tells the user more: the first that has one. */
function worse(first: UkeyError | null, second: UkeyError): UkeyError {
	return first && first.reason !== "extension-missing" ? first : second;
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
