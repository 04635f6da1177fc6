import { textTable } from "../shared/language";
import zh from "./key.zh";

export const useText = textTable(zh, () => import("./key.en"));
