import { textTable } from "../shared/language";
import zh from "./unlock.zh";

export const useText = textTable(zh, () => import("./unlock.en"));
