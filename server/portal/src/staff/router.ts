import { createRouter, createWebHistory } from "vue-router";

import { focusMain } from "../shared/focusMain";
import { textsReady } from "../shared/language";
import { useText } from "../text/staff";
import { QUEUES, has, member } from "./session";

const t = useText();

export const router = createRouter({
	history: createWebHistory("/staff/"),
	scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
	routes: [
		{
			path: "/",
			name: "home",
			redirect: () => ({
				name: "queue",
				params: { queue: QUEUES.find(({ roles }) => has(...roles))?.queue ?? "all" },
			}),
		},
		{
			path: "/queue/:queue(review|production|shipping|attention|finance|all)",
			name: "queue",
			component: () => import("./pages/Queue.vue"),
			props: true,
		},
		{
			path: "/orders/:id",
			name: "order",
			meta: { title: () => t.value.detail.heading },
			component: () => import("./pages/OrderDetail.vue"),
			props: true,
		},
		{
			path: "/production/:id",
			name: "production",
			meta: { title: () => t.value.production.heading },
			component: () => import("./production/Production.vue"),
			props: true,
		},
		{
			path: "/tasks",
			name: "tasks",
			meta: { title: () => t.value.tasks.heading },
			component: () => import("./pages/Tasks.vue"),
		},
		{
			path: "/certificates",
			name: "certificates",
			meta: { title: () => t.value.certificate.search },
			component: () => import("./pages/Certificates.vue"),
		},
		{
			path: "/remittances",
			name: "remittances",
			meta: { title: () => t.value.remittances.heading },
			component: () => import("./pages/Remittances.vue"),
		},
		{
			path: "/login",
			name: "login",
			meta: { title: () => t.value.login.heading },
			component: () => import("./pages/Login.vue"),
		},
		{ path: "/:rest(.*)*", redirect: { name: "home" } },
	],
});

router.beforeEach((to) => {
	if (to.name === "login" ? member.value : !member.value)
		return to.name === "login" ? { name: "home" } : { name: "login", query: { to: (to.redirectedFrom ?? to).fullPath } };
	return true;
});

router.beforeResolve(textsReady);
focusMain(router);
