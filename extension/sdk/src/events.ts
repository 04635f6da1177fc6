/** Typed events; a listener that throws does not keep the others from hearing. */
export class Emitter<Events extends object> {
	private readonly listeners = new Map<keyof Events, Set<(value: never) => void>>();

	/** Returns the function that ends the subscription. */
	on<K extends keyof Events>(event: K, listener: (value: Events[K]) => void): () => void {
		const set = this.listeners.get(event) ?? new Set();
		this.listeners.set(event, set.add(listener));
		return () => set.delete(listener);
	}

	protected emit<K extends keyof Events>(event: K, value: Events[K]): void {
		for (const listener of [...(this.listeners.get(event) ?? [])])
			try {
				(listener as (value: Events[K]) => void)(value);
			} catch (error) {
				reportError(error);
			}
	}
}
