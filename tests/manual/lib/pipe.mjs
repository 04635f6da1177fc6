// Chromium by its own protocol over a pipe.  The drivers attach to every target, which keeps a
// service worker awake for ever; this attaches to one page only.
import { spawn } from "node:child_process";

export class PipedChromium {
	#last = 0;
	#waiting = new Map();
	#rest = "";

	constructor(program, args) {
		this.process = spawn(program, ["--headless", "--remote-debugging-pipe", ...args], {
			stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
		});
		const [, , , write, read] = this.process.stdio;
		this.write = write;
		read.setEncoding("utf8");
		read.on("data", (text) => this.#receive(text));
	}

	#receive(text) {
		const messages = (this.#rest + text).split("\0");
		this.#rest = messages.pop();
		for (const message of messages) {
			const { id, result, error } = JSON.parse(message);
			const waiting = this.#waiting.get(id);
			if (!waiting) continue;
			this.#waiting.delete(id);
			if (error) waiting.reject(new Error(error.message));
			else waiting.resolve(result);
		}
	}

	send(method, params = {}, sessionId = undefined) {
		const id = ++this.#last;
		this.write.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
		return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
	}

	async targets(type) {
		const { targetInfos } = await this.send("Target.getTargets");
		return targetInfos.filter((one) => one.type === type);
	}

	/** Only evaluate(text), as of a driver's page. */
	async page(url) {
		const { targetId } = await this.send("Target.createTarget", { url });
		const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
		return {
			evaluate: async (expression) => {
				const { result, exceptionDetails } = await this.send(
					"Runtime.evaluate",
					{ expression, awaitPromise: true, returnByValue: true },
					sessionId,
				);
				if (exceptionDetails) throw new Error(result.description);
				return result.value;
			},
		};
	}

	end() {
		return new Promise((resolve) => {
			this.process.once("exit", resolve);
			this.process.kill("SIGKILL");
		});
	}
}
