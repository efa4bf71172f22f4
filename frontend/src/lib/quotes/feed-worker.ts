/** The feed beside the page: it takes lists of wants and sends news. */
import { Feed, feedAddress, type Want } from "./feed";

const feed = new Feed(feedAddress(self.location.href), (news) => self.postMessage(news));
self.addEventListener("message", (event: MessageEvent<readonly Want[]>) => feed.take(event.data));
