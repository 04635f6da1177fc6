import { textTable } from "../shared/language";
import zh from "./customer.zh";

export const useText = textTable(zh, () => import("./customer.en"));
