import { textTable } from "../shared/language";
import zh from "./common.zh";

export const useCommon = textTable(zh, () => import("./common.en"));
