import { textTable } from "../shared/language";
import zh from "./replacement.zh";

export const useText = textTable(zh, () => import("./replacement.en"));
