// What runs for a person of the stage.
import fs from "node:fs";
import path from "node:path";

export const runs = (name) => (words) => words.slice(0, 2).some((word) => path.basename(word) === name);
export const has = (part) => (words) => words.some((word) => word.includes(part));

/** Those that live in this XDG_RUNTIME_DIR, and whose command line is wanted. */
export function findProcesses(runtime, wanted) {
	const mine = `XDG_RUNTIME_DIR=${runtime}\0`;
	return all((pid) => wanted(words(pid)) && fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(mine));
}

/** Of nobody in particular. */
export const findServers = (wanted) => all((pid) => wanted(words(pid)));

/** At once, and without a word. */
export function end(pid) {
	try {
		process.kill(pid, "SIGKILL");
	} catch (error) {
		if (error.code !== "ESRCH") throw error; // gone with another
	}
}

const words = (pid) => fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");

function all(wanted) {
	return fs.readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).flatMap((pid) => {
		try {
			return wanted(pid) ? [{ pid: Number(pid) }] : [];
		} catch {
			return []; // it has ended
		}
	});
}
