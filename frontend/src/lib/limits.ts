/** Every limit and interval of the page, in one place. */

/** A request without an answer for this long counts as failed. */
export const REQUEST_TIMEOUT_MS = 15_000;
/** An answer that was asked for before the page was there counts this long, and the page waits this long for it. */
export const EARLY_ANSWER_MS_MAX = 5_000;
export const EARLY_WAIT_MS_MAX = 700;
/** Parts of the page that appear within this time share an answer. */
export const ANSWER_FRESH_MS = 3_000;
/** The access token is renewed this long before it ends. */
export const TOKEN_RENEWAL_MARGIN_MS = 60_000;
/** After a page was left in the middle of a renewal, the next one waits until this long after its start. */
export const RENEWAL_SETTLE_MS = 1_000;
/** First and longest wait before a broken connection is tried again. */
export const RECONNECT_WAIT_MS_MIN = 500;
export const RECONNECT_WAIT_MS_MAX = 5_000;
/** The event stream sends a heartbeat every 15 s; silence for this long means that it is dead. */
export const EVENTS_SILENCE_MS_MAX = 40_000;
/** A stream of events that ends sooner has broken, however it ended. */
export const EVENTS_LIFE_MS_MIN = 30_000;
/** Rooms wait this long for the event stream before they load without it. */
export const EVENTS_FIRST_WAIT_MS = 2_500;
/** The quote socket is asked for a sign of life after this much silence, and given up after twice as much. */
export const QUOTES_SILENCE_MS_MAX = 15_000;
/** The estimate waits for typing to pause, and follows the price no faster than this. */
export const PREVIEW_DEBOUNCE_MS = 250;
export const PREVIEW_PRICE_INTERVAL_MS = 200;
/** How long a notice stays on the screen by its weight, and how many do at once. */
export const TOAST_MS = { plain: 3_500, good: 5_000, bad: 10_000 };
/** How long something can be undone. */
export const TOAST_UNDO_MS = 8_000;
export const TOASTS_MAX = 4;
/** Fills kept in the list, and how many filled orders of before this visit are asked for theirs. */
export const FILLS_KEPT_MAX = 100;
export const FILLED_ORDERS_ASKED_MAX = 20;
/** Ended orders kept in the list. */
export const CLOSED_ORDERS_MAX = 50;
/** Working orders asked for in one page, pages of them, and how many are drawn in the list beside the chart. */
export const OPEN_ORDERS_PAGE_SIZE = 200;
export const OPEN_ORDERS_PAGES_MAX = 10;
export const OPEN_ORDERS_DRAWN_MAX = 200;
/** How long a wish that was not answered is taken for the same order when it is sent again. */
export const UNSURE_INTENT_MS_MAX = 120_000;
/** How far apart two changes of an order must be for their times alone to say which is later: times are taken before locks. */
export const ORDER_CLOCK_SLACK_MS = 1_000;
/** Bars of history in the chart. */
export const HISTORY_BARS_MAX = 1_000;
/** Bars shorter than a day are asked for this often. */
export const SHORT_BARS_INTERVAL_MS = 30_000;
/** Symbols on a watchlist: as many as the quote server sends to one page. */
export const WATCHLIST_MAX = 500;
/** Lots of a symbol asked for to say which of them a sale takes. */
export const LOTS_ASKED_MAX = 500;
/** Tries to find the most shares that an amount of money reserves no more than. */
export const FITTING_TRIES_MAX = 5;
/** Orders of one page of the endless list, and groups asked for. */
export const ORDER_PAGE_SIZE = 100;
export const ORDER_GROUPS_MAX = 50;
/** Requests in a row to take back all open orders: each takes up to 2,000. */
export const CANCEL_ALL_ROUNDS_MAX = 5;
/** Lots, sales and lines of a statement of one page. */
export const BOOK_PAGE_SIZE = 100;
/** Parts of an account drawn by name; the smallest are drawn together. */
export const ALLOCATION_PARTS_MAX = 12;
/** How an account has done is asked for this often: the server writes it down as often. */
export const PERFORMANCE_INTERVAL_MS = 60_000;
/** Movements of one page where it is told how a figure came about: as many as the server gives at once. */
export const MOVEMENTS_PAGE_SIZE = 500;
/** Shares to choose from as a benchmark. */
export const BENCHMARKS_MAX = 100;
/** Shares of one search, and the pause of typing before it is asked. */
export const SEARCH_MATCHES_MAX = 10;
export const SEARCH_DEBOUNCE_MS = 120;
/** The hours of the markets are asked for this often. */
export const HOURS_FRESH_MS = 60_000;
/** How long the steps of a share's prices hold: the tables change with a day. */
export const PRICE_STEPS_FRESH_MS = 3_600_000;
/** Trades that wait to be told to the page. */
export const TICKS_WAITING_MAX = 500;
/** Trades kept of a share that is looked at. */
export const TRADES_KEPT_MAX = 50;
/** Days drawn beside a watched symbol, and how long they count as new. */
export const SPARKLINE_DAYS = 30;
export const SPARKLINE_FRESH_MS = 300_000;
/** What the first screen does not need waits for a quiet moment, but no longer than this. */
export const QUIET_WAIT_MS_MAX = 3_000;
/** How often the state of the way to a broker is looked at, and how long it holds what a broker can do. */
export const CONNECTION_LOOK_MS = 5_000;
export const CAPABILITIES_FRESH_MS = 600_000;
/** How often the head of the page looks whether the broker still agrees, and before it was asked for the first time. */
export const BROKER_FIRST_LOOK_MS = 3_000;
export const BROKER_LOOK_MS = 20_000;
/** How often the page looks whether trading is halted by what has no event. */
export const HALT_LOOK_MS = 15_000;
/** Watchlists, and the length of their names. */
export const WATCHLISTS_MAX = 20;
export const WATCHLIST_NAME_LENGTH_MAX = 30;
/** New prices reach the screen no more often than this. */
export const SHOWN_INTERVAL_MS = 100;
/** The title of the tab tells a price no more often than this. */
export const TITLE_INTERVAL_MS = 1_000;
/** The chart, which is drawn as a whole, takes this part of the page's time, and waits no longer than this. */
export const CHART_SHARE = 0.05;
export const CHART_WAIT_MS_MAX = 1_000;
