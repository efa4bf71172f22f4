//! The end of the load: what is open is taken back, and everybody waits until nothing moves any more.

use crate::books::rows;
use crate::processes::{House, Waiting};
use crate::trader::Trader;
use std::time::Duration;

/// Longest wait until nothing is under way.
const QUIET_MAX: Duration = Duration::from_secs(40);

/// What is still under way, and how far the journal is applied.
const UNDER_WAY: &str = "
    SELECT 'order' AS what, id::text AS which FROM trading.orders
    WHERE status = 'PENDING_NEW' OR unresolved_since IS NOT NULL OR replacing IS NOT NULL
    UNION ALL SELECT 'cancel', order_id::text FROM trading.cancel_requests AS c JOIN trading.orders AS o ON o.id = c.order_id
    WHERE c.status IN ('SENT', 'UNRESOLVED') OR (c.status = 'ACCEPTED'
        AND o.status NOT IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED'))
    UNION ALL SELECT 'replace', order_id::text FROM trading.replace_requests WHERE status IN ('SENT', 'UNRESOLVED')
    UNION ALL SELECT 'close', id::text FROM trading.close_requests WHERE status IN ('WAITING', 'PLACING')
    UNION ALL SELECT 'leg', l.order_id::text FROM trading.group_legs AS l JOIN trading.orders AS o ON o.id = l.order_id
    WHERE l.state = 'WAITING' AND o.status IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED')
    UNION ALL SELECT 'report', id::text FROM broker.execution_reports
    WHERE id > (SELECT last_id FROM trading.report_cursor)";

/// Orders that are not the same here and at the simulator; meaningful where no report is under way.
const DIFFERENCES: &str = "
    SELECT o.id AS ours, s.order_id AS theirs, o.status, s.status AS their_status, o.filled_quantity::text,
        s.filled_quantity::text AS their_filled_quantity, o.quantity::text, s.quantity::text AS their_quantity
    FROM (SELECT * FROM trading.orders WHERE status <> 'DENIED') AS o
    FULL JOIN broker.simulator_orders AS s ON s.order_id = o.id
    WHERE NOT EXISTS (SELECT FROM broker.execution_reports
                      WHERE id > (SELECT last_id FROM trading.report_cursor))
      AND (o.account_id, o.symbol, o.side, o.order_type, o.time_in_force, o.expire_date, o.quantity, o.limit_price,
              o.stop_price, o.trail_amount, o.trail_percent, o.status, o.filled_quantity, o.commission, o.tax)
          IS DISTINCT FROM (s.account_id, s.symbol, s.side, s.order_type, s.time_in_force, s.expire_date, s.quantity,
              s.limit_price, s.stop_price, s.trail_amount, s.trail_percent, s.status, s.filled_quantity, s.commission,
              s.tax)";

/// Waits until every order has left, every request is answered and every report is applied.
pub(crate) async fn nothing_is_under_way(house: &House) {
    let mut waiting = Waiting::until(QUIET_MAX);
    loop {
        let under_way = rows(&house.database_url, UNDER_WAY).await;
        if under_way.is_empty() {
            break;
        }
        waiting.pause(|| format!("still under way: {under_way:#?}")).await;
    }
    let differences = rows(&house.database_url, DIFFERENCES).await;
    assert!(differences.is_empty(), "{differences:#?}");
}

/// Takes back what is open, so that nothing moves any more.
pub(crate) async fn take_everything_back(house: &House, trader: &mut Trader) {
    let account = trader.account.clone();
    let path = format!("/api/orders?status=open&limit=200&accountId={account}");
    let mut waiting = Waiting::until(QUIET_MAX);
    loop {
        let groups = super::groups::listed(trader).await;
        let active: Vec<_> = groups.iter().filter(|group| group["active"] == true).collect();
        for group in active.iter().filter(|group| group["cancelRequested"] == false) {
            trader.take_group_back(group["id"].as_str().unwrap()).await;
        }
        let open = trader.visitor.get(&path).await;
        let open = open["orders"].as_array().unwrap();
        if open.is_empty() && active.is_empty() {
            return;
        }
        for order in open.iter().filter(|order| order["cancelRequested"] == false) {
            trader.cancel(order["id"].as_str().unwrap()).await;
        }
        waiting.pause(|| format!("at {} still open: {open:#?} {active:#?}", house.backend)).await;
    }
}
