import { createApp } from "vue";

import { restoreLanguage } from "../shared/language";
import "../shared/theme.css";
import App from "./App.vue";
import { router } from "./router";

await restoreLanguage();
createApp(App).use(router).mount("#app");
