import { createRouter, createWebHistory } from "vue-router";

import { focusMain } from "../shared/focusMain";
import Home from "./pages/Home.vue";

export const router = createRouter({
	history: createWebHistory(),
	scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
	routes: [
		{ path: "/", name: "home", component: Home },
		{ path: "/new/unit", name: "new-unit", component: () => import("./pages/NewUnit.vue") },
		{
			path: "/orders/:id",
			component: () => import("./pages/OrderFrame.vue"),
			props: true,
			children: [
				{ path: "", name: "status", component: () => import("./pages/Status.vue") },
				{ path: "form", name: "form", component: () => import("./steps/EditForm.vue") },
				{ path: "identity", name: "identity", component: () => import("./steps/Identity.vue") },
				{ path: "confirm", name: "confirm", component: () => import("./steps/Confirm.vue") },
				{ path: "documents", name: "documents", component: () => import("./steps/Documents.vue") },
				{ path: "signature", name: "signature", component: () => import("./steps/Signature.vue") },
				{ path: "payment", name: "payment", component: () => import("./steps/Payment.vue") },
			],
		},
		{ path: "/query", name: "query", component: () => import("./pages/Query.vue") },
		{ path: "/guide", name: "guide", component: () => import("./pages/Guide.vue") },
		{ path: "/:rest(.*)*", name: "not-found", component: () => import("./pages/NotFound.vue") },
	],
});

focusMain(router);
