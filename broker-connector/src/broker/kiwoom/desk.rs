//! What an account's desk at Kiwoom can be asked, in rows; behind it is Kiwoom's REST service or a bridge.

use super::bridge::Bridge;
use super::config::{BRIDGE_COMPARE_AFTER_SECONDS, PAGES_MAX};
use super::parse;
use super::rest::{
    self, ACCOUNT_NUMBER, BUY, CANCEL, CHANGE, DEPOSIT, EXECUTIONS, Failure, Function, HOLDINGS, INSTRUMENT,
    OPEN_ORDERS, ORDERS_OF_DAY, Rest, SELL,
};
use super::rows::{Cash, FilledRow, Held, OrderRow, Target, Ticket, other_number, shares};
use super::wire;
use crate::broker::outside::socket::Ended;
use crate::broker::{BrokerError, KeyTrouble, OpeningTrouble};
use chrono::NaiveDate;
use domain::{Side, Symbol};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::future::Future;

/// The only venue that is traded on from here.
const VENUE: &str = "KRX";
/// All that is left of an order.
const ALL: &str = "0";

fn unreadable(reason: String) -> Failure {
    Failure::Unknown(reason)
}

/// The desk of an account.
pub(super) enum Desk {
    /// By the REST service.
    Rest(Box<Rest>),
    /// Through a bridge to the older interface.
    Bridge(Box<Bridge>),
}

/// Both are asked the same.
macro_rules! either {
    ($(fn $method:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
        impl Desk {
            $(pub(super) async fn $method(&self, $($name: $kind),*) -> Result<$answer, Failure> {
                match self {
                    Self::Rest(rest) => rest.$method($($name),*).await,
                    Self::Bridge(bridge) => bridge.$method($($name),*).await,
                }
            })*
        }
    };
}
either! {
    fn account_number() -> String;
    fn cash() -> Cash;
    fn held() -> Vec<Held>;
    fn open_orders(today: NaiveDate) -> Vec<OrderRow>;
    fn orders_of(day: NaiveDate) -> Vec<OrderRow>;
    fn executed_today(today: NaiveDate) -> Vec<FilledRow>;
    fn symbol(code: &str) -> Option<Symbol>;
    fn place(ticket: &Ticket) -> String;
    fn change(target: &Target, price: String, stop: String) -> String;
    fn cancel(target: &Target) -> ();
}

impl Desk {
    /// Whether open orders are listed apart from the others.
    pub(super) const fn lists_open_orders(&self) -> bool {
        matches!(self, Self::Rest(_))
    }

    /// How long the account is left alone between two comparisons by a timer: a comparison asks ten questions, and a bridge has
    /// twenty-five in 90 seconds.
    pub(super) const fn compare_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Rest(_) => None,
            Self::Bridge(_) => Some(BRIDGE_COMPARE_AFTER_SECONDS),
        }
    }

    /// Waits for answers while nobody keeps up the conversation yet that they travel over.
    pub(super) async fn during<T>(
        &self,
        asking: impl Future<Output = Result<T, BrokerError>>,
    ) -> Result<T, BrokerError> {
        let Self::Bridge(bridge) = self else { return asking.await };
        tokio::select! {
            answer = asking => answer,
            ended = bridge.converse(|_| ()) => Err(match ended {
                Err(Ended::Locked(KeyTrouble::OtherAccount)) => {
                    OpeningTrouble::OtherAccount.because("the bridge's control is logged in for another account")
                }
                Err(Ended::Locked(trouble)) => BrokerError::AuthExpired(trouble),
                Err(Ended::Broken(reason)) => BrokerError::Unavailable(reason),
                Ok(()) => BrokerError::Unavailable("the bridge hangs up".into()),
            }),
        }
    }
}

impl Rest {
    /// The account's number.
    pub(super) async fn account_number(&self) -> Result<String, Failure> {
        let account: wire::AccountNumber = self.ask(ACCOUNT_NUMBER, &json!({})).await?;
        Ok(account.number)
    }

    /// Cash.
    pub(super) async fn cash(&self) -> Result<Cash, Failure> {
        let deposit: wire::Deposit = self.ask(DEPOSIT, &json!({ "qry_tp": "3" })).await?;
        Ok(Cash { settled: deposit.d2_entra.0, buying_power: deposit.ord_alow_amt.0 })
    }

    /// All shares held.
    pub(super) async fn held(&self) -> Result<Vec<Held>, Failure> {
        let body = json!({ "qry_tp": "2", "dmst_stex_tp": VENUE });
        let rows = self.all(HOLDINGS, &body, |page: wire::Holdings| page.rows).await?;
        let mut held = Vec::new();
        for row in rows {
            let Some(code) = parse::share_code(&row.stk_cd) else { continue };
            let quantity = shares(row.rmnd_qty, &code).map_err(unreadable)?;
            if quantity > 0 {
                held.push(Held { code, quantity });
            }
        }
        Ok(held)
    }

    /// All orders that are open.
    pub(super) async fn open_orders(&self, today: NaiveDate) -> Result<Vec<OrderRow>, Failure> {
        let body = json!({ "all_stk_tp": "0", "trde_tp": "0", "stk_cd": "", "stex_tp": "0" });
        let rows = self.all(OPEN_ORDERS, &body, |page: wire::OpenOrders| page.rows).await?;
        let read: Result<Vec<_>, String> =
            rows.iter().filter_map(|row| parse::open_order(today, row).transpose()).collect();
        read.map_err(unreadable)
    }

    /// All orders, changes and cancels of a day.
    pub(super) async fn orders_of(&self, day: NaiveDate) -> Result<Vec<OrderRow>, Failure> {
        let body = json!({
            "ord_dt": day.format("%Y%m%d").to_string(), "qry_tp": "1", "stk_bond_tp": "1", "sell_tp": "0", "stk_cd": "",
            "fr_ord_no": "", "dmst_stex_tp": "%",
        });
        let rows = self.all(ORDERS_OF_DAY, &body, |page: wire::OrdersOfDay| page.rows).await?;
        let read: Result<Vec<_>, String> =
            rows.iter().filter_map(|row| parse::order_of_day(day, row).transpose()).collect();
        read.map_err(unreadable)
    }

    /// What was executed today, with its fees.
    pub(super) async fn executed_today(&self, today: NaiveDate) -> Result<Vec<FilledRow>, Failure> {
        let body = json!({ "stk_cd": "", "qry_tp": "0", "sell_tp": "0", "ord_no": "", "stex_tp": "0" });
        let rows = self.all(EXECUTIONS, &body, |page: wire::Executions| page.rows).await?;
        parse::executed(today, &rows).map_err(unreadable)
    }

    /// The symbol of a code; nothing where Kiwoom knows none on a board that is traded here.
    pub(super) async fn symbol(&self, code: &str) -> Result<Option<Symbol>, Failure> {
        match self.ask::<wire::Instrument>(INSTRUMENT, &json!({ "stk_cd": code })).await {
            Ok(instrument) => Ok(parse::symbol(code, &instrument.market_code)),
            Err(Failure::Refused(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Sends an order and gives its number.
    pub(super) async fn place(&self, ticket: &Ticket) -> Result<String, Failure> {
        let function = if ticket.side == Side::Buy { BUY } else { SELL };
        let order = wire::NewOrder {
            dmst_stex_tp: VENUE,
            stk_cd: ticket.code.clone(),
            ord_qty: ticket.quantity.clone(),
            ord_uv: ticket.price.clone(),
            trde_tp: ticket.trade_type,
            cond_uv: ticket.stop.clone(),
        };
        taken(self.ask(function, &order).await?)
    }

    /// Gives what is left of an order another price, and gives its new number.
    pub(super) async fn change(
        &self,
        target: &Target,
        price: String,
        stop: String,
    ) -> Result<String, Failure> {
        let change = wire::Change {
            dmst_stex_tp: VENUE,
            orig_ord_no: target.number.clone(),
            stk_cd: target.code.clone(),
            mdfy_qty: ALL,
            mdfy_uv: price,
            mdfy_cond_uv: stop,
        };
        taken(self.ask(CHANGE, &change).await?)
    }

    /// Takes back what is left of an order.
    pub(super) async fn cancel(&self, target: &Target) -> Result<(), Failure> {
        let cancel = wire::Cancel {
            dmst_stex_tp: VENUE,
            orig_ord_no: target.number.clone(),
            stk_cd: target.code.clone(),
            cncl_qty: ALL,
        };
        taken(self.ask(CANCEL, &cancel).await?).map(|_| ())
    }

    /// A list to its end.
    async fn all<P: DeserializeOwned, R>(
        &self,
        function: Function,
        body: &Value,
        rows: impl Fn(P) -> Vec<R>,
    ) -> Result<Vec<R>, Failure> {
        let (mut all, mut next) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let rest::Answer { body: page, next: after } = self.page(function, body, next.as_deref()).await?;
            all.extend(rows(page));
            match after {
                None => return Ok(all),
                after if after == next => return Err(unreadable("a list at Kiwoom does not go on".into())),
                after => next = after,
            }
        }
        Err(unreadable(format!("a list at Kiwoom has more than {PAGES_MAX} pages")))
    }
}

/// The number of what was taken. Without one nobody knows whether it was.
fn taken(taken: wire::Taken) -> Result<String, Failure> {
    other_number(&taken.ord_no).ok_or_else(|| Failure::Unknown("its answer has no order number".into()))
}
