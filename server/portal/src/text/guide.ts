import { textTable } from "../shared/language";
import zh from "./guide.zh";

export const useText = textTable(zh, () => import("./guide.en"));
