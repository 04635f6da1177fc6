import "vue-router";

declare module "vue-router" {
	interface RouteMeta {
		/** What this page is, in the language of the moment. */
		title?: () => string;
		/** It talks to the key: the bar at the top says how that stands. */
		key?: boolean;
	}
}

/** The page first, then the site: tabs and screen readers tell them apart. */
export function pageTitle(...parts: (string | undefined)[]): void {
	document.title = parts.filter(Boolean).join(" - ");
}
