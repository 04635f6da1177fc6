import { textTable } from "../shared/language";
import zh from "./certificate.zh";

export const useText = textTable(zh, () => import("./certificate.en"));
