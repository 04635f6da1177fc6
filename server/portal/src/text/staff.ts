import { textTable } from "../shared/language";
import zh from "./staff.zh";

export const useText = textTable(zh, () => import("./staff.en"));
