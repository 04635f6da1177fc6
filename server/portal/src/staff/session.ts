import { ref } from "vue";

import { ApiError } from "../api/http";
import * as api from "../api/staff";
import type { Queue, Role, StaffMember } from "../api/types";

/** Who is logged in; null: nobody. */
export const member = ref<StaffMember | null>(null);

/** The queues, and the roles that see them; the server decides, this only shapes the menu. */
export const QUEUES: { queue: Queue; roles: Role[] }[] = [
	{ queue: "review", roles: ["reviewer"] },
	{ queue: "production", roles: ["producer"] },
	{ queue: "shipping", roles: ["producer"] },
	{ queue: "attention", roles: ["reviewer", "administrator"] },
	{ queue: "finance", roles: ["finance"] },
	{ queue: "all", roles: ["reviewer", "producer", "finance", "auditor", "administrator"] },
];

/** The other pages of the menu. */
export const DESKS: { name: "tasks" | "certificates" | "remittances"; roles: Role[] }[] = [
	{ name: "tasks", roles: ["reviewer", "producer", "finance", "auditor", "administrator"] },
	{ name: "certificates", roles: ["reviewer", "auditor", "administrator"] },
	{ name: "remittances", roles: ["finance", "auditor"] },
];

export function has(...roles: Role[]): boolean {
	return member.value?.roles.some((role) => roles.includes(role)) ?? false;
}

export async function restoreSession(): Promise<void> {
	try {
		member.value = await api.me();
	} catch (error) {
		if (!(error instanceof ApiError)) throw error;
		member.value = null;
		if (error.status !== 401) throw error;
	}
}

export async function endSession(): Promise<void> {
	await api.logout();
	member.value = null;
}
