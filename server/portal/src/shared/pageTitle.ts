import "vue-router";

declare module "vue-router" {
	interface RouteMeta {
		/** What this page is, in the language of the moment. */
		title?: () => string;
	}
}

/** The page first, then the site: tabs and screen readers tell them apart. */
export function pageTitle(...parts: (string | undefined)[]): void {
	document.title = parts.filter(Boolean).join(" - ");
}
