import { ref } from "vue";

/** False while requests do not get through. */
export const reachable = ref(true);

let loggedOut = (): void => undefined;

/** Calls it when the server no longer knows who is asking. */
export function whenLoggedOut(tell: () => void): void {
	loggedOut = tell;
}

/** Milliseconds. */
const PATIENCE = 30_000;

export interface ApiErrorBody {
	reason: string;
	field?: string;
	requestId?: string;
	attemptsLeft?: number;
	retryAfter?: number;
}

/** Decide and word by `reason`; "network" and "unavailable" are found here, others by the server. */
export class ApiError extends Error {
	constructor(
		readonly status: number,
		readonly body: ApiErrorBody,
	) {
		super(body.reason);
		this.name = "ApiError";
	}

	get reason(): string {
		return this.body.reason;
	}
}

export function networkError(): ApiError {
	reachable.value = false;
	return new ApiError(0, { reason: "network" });
}

export function errorFromAnswer(status: number, text: string): ApiError {
	try {
		const body = (JSON.parse(text) as { error?: ApiErrorBody }).error;
		if (typeof body?.reason === "string") return new ApiError(status, body);
	} catch {
		// not ours: a gateway's page
	}
	return new ApiError(status, { reason: status >= 500 ? "unavailable" : "internal" });
}

export function call<T>(method: string, path: string, body?: object): Promise<T> {
	return send(method, path, "application/json", body && JSON.stringify(body));
}

async function send<T>(method: string, path: string, type: string, body?: string | Blob): Promise<T> {
	const headers: Record<string, string> = { Accept: "application/json" };
	if (method !== "GET") headers["X-Ukey"] = "1";
	if (body !== undefined) headers["Content-Type"] = type;
	let response: Response;
	let text: string;
	try {
		response = await fetch(path, {
			method,
			headers,
			...(body === undefined ? {} : { body }),
			cache: "no-store",
			signal: AbortSignal.timeout(PATIENCE),
		});
		text = await response.text();
	} catch {
		throw networkError();
	}
	reachable.value = true;
	if (response.status === 401) loggedOut();
	if (!response.ok) throw errorFromAnswer(response.status, text);
	return (text ? JSON.parse(text) : {}) as T;
}

export const get = <T>(path: string) => call<T>("GET", path);
export const post = <T>(path: string, body: object = {}) => call<T>("POST", path, body);
export const put = <T>(path: string, body: object) => call<T>("PUT", path, body);

/** Sends a small file as it is. */
export const sendText = <T>(path: string, type: string, file: Blob) => send<T>("POST", path, type, file);

/** Sends a file; fetch can't tell how far it is. */
export function upload<T>(path: string, file: Blob, progress: (share: number) => void): Promise<T> {
	return new Promise((resolve, reject) => {
		const request = new XMLHttpRequest();
		request.open("PUT", path);
		request.setRequestHeader("Content-Type", file.type);
		request.setRequestHeader("X-Ukey", "1");
		request.upload.onprogress = (event) => {
			if (event.lengthComputable) progress(event.loaded / event.total);
		};
		request.onerror = () => reject(networkError());
		request.onload = () => {
			reachable.value = true;
			if (request.status < 300) resolve(JSON.parse(request.responseText) as T);
			else reject(errorFromAnswer(request.status, request.responseText));
		};
		request.send(file);
	});
}
