/** What incidents say in detail, by what the server tells of them. A kind with several sentences has its case behind it. */
export const incidents = {
  incidentDetail: {
    fill_of_refused_order: "Execution {{execution}} of an order that is: {{status}}.",
    late_fill: "Execution {{execution}} of an order that is: {{status}}.",
    unresolved_order_absent:
      "The broker was asked {{tries}} times about an order in {{symbol}}, and its complete history does not have it. Look there, then say whether it is there.",
    unresolved_order_unclear:
      "The broker was asked {{tries}} times about an order in {{symbol}}; it could not say, or its answers contradict each other. Look there, then say whether it is there.",
    external_order_market:
      "Not made here: {{side}} {{quantity}} {{symbol}} at the market, number {{number}} at the broker.",
    external_order_limit:
      "Not made here: {{side}} {{quantity}} {{symbol}} with a limit, number {{number}} at the broker.",
    unknown_order_unknown: "The broker reports about an order that it does not know itself.",
    unknown_order_unwritable:
      "An order at the broker cannot be written here: {{side}} {{quantity}} {{symbol}} ({{status}}).",
    order_missing: "Here: {{ours}}. At the broker: {{theirs}}.",
    order_differs: "{{difference}}. Here: {{ours}}. At the broker: {{theirs}}.",
    broker_difference_booked:
      "{{amount}} {{commodity}}: here {{ours}}, at the broker {{theirs}}. The difference was booked.",
    broker_difference_refused:
      "{{amount}} {{commodity}}: here {{ours}}, at the broker {{theirs}}. The books do not take the difference: it is not booked.",
    broker_difference_too_large:
      "{{amount}} {{commodity}}: here {{ours}}, at the broker {{theirs}}. That is too much to be booked by itself.",
    key_missing: "{{broker}}, before the session of {{day}}, which opens at {{opens}}.",
    key_wrong: "{{broker}}, before the session of {{day}}, which opens at {{opens}}.",
    key_expired: "{{broker}}, before the session of {{day}}, which opens at {{opens}}.",
    key_revoked: "{{broker}}, before the session of {{day}}, which opens at {{opens}}.",
    margin_call: "Your own money is {{equity}}; {{needed}} must stay. Bring in money or reduce positions.",
    margin_call_due:
      "Your own money is {{equity}}; {{needed}} must stay. Bring in money or reduce positions: from {{due}} on they are reduced here.",
    margin_reduction: "The call since {{since}} was not answered in time. At the market: {{closes}}.",
    name_blocked: "{{old}} is to become {{new}}: one is held and the other is sold short.",
    account_changed: "Nothing of the other account is booked, and no order goes there.",
    unknown_activity: "The broker lists {{activity}}. Its cash is booked as a difference.",
    shares_activity:
      "The broker lists {{activity}}. Where shares differ from the broker's, they are booked without a cost.",
    shares_activity_no_split:
      "The broker lists {{activity}}, and it was not booked as a split: it does not fit what is held. Where shares differ from the broker's, they are booked without a cost.",
    unbooked_activity_in_vain:
      "The broker lists {{activity}}. It was tried in vain to book it; the server's log says why.",
    unbooked_activity_stranger: "The broker lists {{activity}}. The account is none of this server's.",
    unbooked_activity_refused: "The broker lists {{activity}}. The books do not take these amounts.",
    overfill: "{{filled}} shares were executed of an order for {{ordered}}.",
    leg_refused: "{{leg}}: {{rules}}",
    oversold: "More shares of {{symbol}} were sold than were held.",
    trade_canceled: "Execution {{execution}} does not count any more.",
    trade_corrected: "Execution {{execution}} counts as {{quantity}} at {{price}}.",
    illegal_transition_event: "Reported: {{event}}. The order is: {{status}}.",
    illegal_transition_execution: "Execution {{execution}} of an order that is: {{status}}.",
    unreadable_report_text: "What is wrong with it: {{reason}}",
    unreadable_report_prices: "The prices of the change {{replace}} do not go with the order's type.",
    unappliable_report: "It was passed over; the server's log says why.",
    unasked_replace: "The broker's number of the change: {{replace}}.",
    wrong_account: "It was not booked.",
  },
  /** Pieces of those sentences. */
  incidentPart: {
    buy: "buy",
    sell: "sell",
    sold: "sold {{list}}",
    bought: "bought back {{list}}",
    shares: "{{shares}} shares",
    undone: "{{activity}}, taken back",
    absent: "not there",
    unknown: "not known",
    quantity: "{{quantity}} shares",
    limit: "limit {{price}}",
    stop: "stop {{price}}",
    trail: "trail {{price}}",
    execution: "{{quantity}} at {{price}}",
    lastPrice: "The last price was {{price}}.",
    asked: "{{terms}}, asked for",
  },
  orderStatus: {
    created: "being judged",
    pending_new: "on its way",
    new: "working",
    partially_filled: "partly filled",
    suspended: "suspended",
    done_for_day: "done for the day",
    denied: "refused here",
    rejected: "refused by the broker",
    filled: "filled",
    canceled: "cancelled",
    expired: "expired",
    replaced: "replaced",
  },
  comparisonFailure: {
    unreachable: "The broker cannot be reached.",
    conflict: "The broker contradicts what is here.",
    other_account: "The broker speaks of another account than the one that was opened.",
    behind: "News of the broker's were not booked in time.",
    internal: "This server could not do it; its log says why.",
  },
} as const;
