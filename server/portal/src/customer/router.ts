import { createRouter, createWebHistory } from "vue-router";

import { focusMain } from "../shared/focusMain";
import { textsReady } from "../shared/language";
import { useText } from "../text/customer";
import Home from "./pages/Home.vue";

const t = useText();

export const router = createRouter({
	history: createWebHistory(),
	scrollBehavior: (to, _from, saved) => saved ?? (to.hash ? { el: to.hash, top: 16 } : { top: 0 }),
	routes: [
		{ path: "/", name: "home", component: Home },
		{
			path: "/new/:subject(unit|person)",
			name: "new",
			meta: { title: () => t.value.form.heading },
			component: () => import("./pages/NewOrder.vue"),
			props: true,
		},
		{
			path: "/orders/:id",
			component: () => import("./pages/OrderFrame.vue"),
			props: true,
			children: [
				{ path: "", name: "status", meta: { title: () => t.value.status.heading }, component: () => import("./pages/Status.vue") },
				{ path: "form", name: "form", meta: { title: () => t.value.form.editHeading }, component: () => import("./steps/EditForm.vue") },
				{ path: "identity", name: "identity", meta: { title: () => t.value.identity.heading }, component: () => import("./steps/Identity.vue") },
				{ path: "confirm", name: "confirm", meta: { title: () => t.value.confirm.heading }, component: () => import("./steps/Confirm.vue") },
				{ path: "documents", name: "documents", meta: { title: () => t.value.documents.heading }, component: () => import("./steps/Documents.vue") },
				{ path: "signature", name: "signature", meta: { title: () => t.value.signature.heading }, component: () => import("./steps/Signature.vue") },
				{ path: "payment", name: "payment", meta: { title: () => t.value.payment.heading }, component: () => import("./steps/Payment.vue") },
				{ path: "download", name: "download", meta: { key: true, title: () => t.value.steps.download }, component: () => import("./steps/Download.vue") },
				{ path: "code", name: "code", meta: { title: () => t.value.steps.code }, component: () => import("./steps/Code.vue") },
				{ path: "unlock", name: "unlock", meta: { key: true, title: () => t.value.steps.unlock }, component: () => import("./steps/Unlock.vue") },
			],
		},
		...(["renewal", "change"] as const).map((flow) => ({
			path: `/${flow}`,
			name: flow,
			meta: { key: true, title: () => t.value.home[flow === "renewal" ? "renew" : "change"].name },
			component: () => import("./pages/KeyFlow.vue"),
			props: { flow },
		})),
		{
			path: "/unlock",
			name: "unlock-start",
			meta: { key: true, title: () => t.value.home.unlock.name },
			component: () => import("./pages/UnlockStart.vue"),
		},
		{
			path: "/certificate",
			name: "certificate",
			meta: { key: true, title: () => t.value.home.care.name },
			component: () => import("./pages/CertificateCare.vue"),
		},
		{
			path: "/replacement",
			name: "replacement",
			meta: { title: () => t.value.home.replace.name },
			component: () => import("./pages/Replacement.vue"),
		},
		{
			path: "/replacement/:serial",
			name: "replacement-form",
			meta: { title: () => t.value.home.replace.name },
			component: () => import("./pages/ReplacementForm.vue"),
			props: true,
		},
		{ path: "/query", name: "query", meta: { title: () => t.value.query.heading }, component: () => import("./pages/Query.vue") },
		{ path: "/guide", name: "guide", meta: { title: () => t.value.home.guide.name }, component: () => import("./pages/Guide.vue") },
		{ path: "/:rest(.*)*", name: "not-found", meta: { title: () => t.value.notFound.heading }, component: () => import("./pages/NotFound.vue") },
	],
});

router.beforeResolve(textsReady);
focusMain(router);
