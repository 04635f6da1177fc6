import { get, post } from "./http";
import type { CertificateStatus, Challenge, KeyHolder, KeyProof } from "./types";

const at = (serial: string, rest: string) => `/api/certificates/${encodeURIComponent(serial)}/${rest}`;

export const challenge = () => post<Challenge>("/api/key/challenge");
export const login = (proof: KeyProof) => post<KeyHolder>("/api/key/login", proof);
export const me = () => get<KeyHolder>("/api/key");
export const logout = () => post<object>("/api/key/logout");

type Changed = { status: CertificateStatus };
export const suspend = (serial: string) => post<Changed>(at(serial, "suspend"));
export const resume = (serial: string) => post<Changed>(at(serial, "resume"));
export const revoke = (serial: string, reason: string) => post<Changed>(at(serial, "revoke"), { reason });
