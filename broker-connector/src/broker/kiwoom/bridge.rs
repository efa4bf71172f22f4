//! The client's side of the bridge to Kiwoom's older interface (docs/kiwoom-bridge.md). Requests travel over the conversation
//! that the session keeps up; what was not written to it provably never left.

use super::bridge_rows as shapes;
use super::config::{
    BRIDGE_QUEUE_MAX, BRIDGE_WAIT_MAX, ORDER_ANSWER_MAX, PAGES_MAX, QUESTION_ANSWER_MAX, SILENCE_LOOK,
    SILENCE_MAX,
};
use super::parse::day_of;
use super::rest::{Failure, Refused};
use super::rows::{Cash, FilledRow, Held, OrderRow, Target, Ticket, other_number};
use super::wire::Values;
use crate::broker::KeyTrouble;
use crate::broker::outside::socket::{Ended, Socket, connect, say};
use crate::credentials::Credentials;
use chrono::{NaiveDate, Utc};
use domain::Symbol;
use futures_util::StreamExt;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// How days are written.
const DAY: &str = "%Y%m%d";
/// The version that both sides speak.
const VERSION: u32 = 1;

/// What a conversation tells.
pub(super) enum Heard {
    /// The bridge has said welcome.
    Welcome,
    /// Something has happened to an order: the control's fields by number.
    Order(Values),
    /// Something has happened to what is held, or to the control's own line.
    Other,
}

struct Asked {
    method: &'static str,
    params: Value,
    answer: oneshot::Sender<Result<Box<RawValue>, Failure>>,
}

/// What the bridge says.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(default)]
    id: Option<&'a str>,
    #[serde(default)]
    sequence: u64,
    #[serde(default)]
    event: Option<&'a str>,
    /// The day of an event in Seoul.
    #[serde(default)]
    day: Option<&'a str>,
    #[serde(default)]
    values: Values,
    #[serde(default)]
    run: Option<String>,
    #[serde(default)]
    environment: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<BridgeError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BridgeError {
    class: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    retry_after_seconds: u64,
}

impl BridgeError {
    fn read(self) -> Failure {
        match self.class.as_str() {
            "not_sent" | "auth" => Failure::NotSent(self.message),
            "limited" => Failure::Limited(Duration::from_secs(self.retry_after_seconds.clamp(1, 3600))),
            "rejected" | "unsupported" | "malformed" => {
                Failure::Refused(Refused { code: self.code, message: self.message })
            }
            _ => Failure::Unknown(self.message),
        }
    }
}

/// The way to one account's bridge.
pub(super) struct Bridge {
    url: String,
    credentials: Credentials,
    asking: mpsc::Sender<Asked>,
    /// Taken by the conversation; there is one at a time.
    asked: tokio::sync::Mutex<mpsc::Receiver<Asked>>,
    is_open: watch::Sender<bool>,
    /// The run of the bridge that was last spoken with, and the last event seen in it.
    seen: Mutex<(String, u64)>,
}

impl Bridge {
    pub(super) fn new(url: String, credentials: Credentials) -> Self {
        let (asking, asked) = mpsc::channel(BRIDGE_QUEUE_MAX);
        let asked = tokio::sync::Mutex::new(asked);
        Self { url, credentials, asking, asked, is_open: watch::Sender::new(false), seen: Mutex::default() }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
        answer_max: Duration,
    ) -> Result<T, Failure> {
        let mut open = self.is_open.subscribe();
        let is_open = matches!(timeout(BRIDGE_WAIT_MAX, open.wait_for(|open| *open)).await, Ok(Ok(_)));
        if !is_open {
            return Err(Failure::NotSent("the bridge to Kiwoom does not answer".into()));
        }
        let (answer, answered) = oneshot::channel();
        if self.asking.try_send(Asked { method, params, answer }).is_err() {
            return Err(Failure::NotSent("too much waits for the bridge to Kiwoom".into()));
        }
        let unknown = |reason: &str| Failure::Unknown(reason.into());
        let answered = timeout(answer_max, answered).await.map_err(|_| unknown("the bridge is silent"))?;
        let body = answered.map_err(|_| unknown("the line to the bridge broke"))??;
        serde_json::from_str(body.get())
            .map_err(|error| Failure::Unknown(format!("the bridge's answer cannot be read: {error}")))
    }

    async fn order(&self, method: &'static str, params: Value) -> Result<String, Failure> {
        let taken: shapes::Taken = self.ask(method, params, ORDER_ANSWER_MAX).await?;
        other_number(&taken.number).ok_or_else(|| Failure::Unknown("its answer has no order number".into()))
    }

    async fn all<R: DeserializeOwned>(
        &self,
        method: &'static str,
        mut params: Value,
    ) -> Result<Vec<R>, Failure> {
        let mut all = Vec::new();
        for _ in 0..PAGES_MAX {
            let page: shapes::Rows<R> = self.ask(method, params.clone(), QUESTION_ANSWER_MAX).await?;
            all.extend(page.rows);
            match (page.next, params.as_object_mut()) {
                (Some(next), Some(params)) => drop(params.insert("page".into(), next.into())),
                _ => return Ok(all),
            }
        }
        Err(Failure::Unknown(format!("a list of the bridge has more than {PAGES_MAX} pages")))
    }

    pub(super) async fn account_number(&self) -> Result<String, Failure> {
        let account: shapes::Taken = self.ask("account", json!({}), QUESTION_ANSWER_MAX).await?;
        Ok(account.number)
    }

    pub(super) async fn cash(&self) -> Result<Cash, Failure> {
        let cash: shapes::Cash = self.ask("cash", json!({}), QUESTION_ANSWER_MAX).await?;
        Ok(Cash { settled: cash.settled.0, buying_power: cash.buying_power.0 })
    }

    pub(super) async fn held(&self) -> Result<Vec<Held>, Failure> {
        let rows: Vec<shapes::Holding> = self.all("positions", json!({})).await?;
        rows.into_iter().map(|row| row.read().map_err(Failure::Unknown)).collect()
    }

    pub(super) async fn orders_of(&self, day: NaiveDate) -> Result<Vec<OrderRow>, Failure> {
        let params = json!({ "day": day.format(DAY).to_string() });
        let rows: Vec<shapes::Order> = self.all("orders", params).await?;
        rows.into_iter().map(|row| row.read(day).map_err(Failure::Unknown)).collect()
    }

    pub(super) async fn executed_today(&self, today: NaiveDate) -> Result<Vec<FilledRow>, Failure> {
        let rows: Vec<shapes::Execution> = self.all("executions", json!({})).await?;
        rows.into_iter().map(|row| row.read(today).map_err(Failure::Unknown)).collect()
    }

    pub(super) async fn symbol(&self, code: &str) -> Result<Option<Symbol>, Failure> {
        let found: shapes::Instrument =
            self.ask("instrument", json!({ "code": code }), QUESTION_ANSWER_MAX).await?;
        Ok(found.market.and_then(|board| super::parse::symbol(code, &board)))
    }

    pub(super) async fn place(&self, ticket: &Ticket) -> Result<String, Failure> {
        let params = json!({
            "side": ticket.side.name(), "code": ticket.code, "quantity": ticket.quantity, "price": ticket.price,
            "tradeType": ticket.trade_type, "stop": ticket.stop,
        });
        self.order("order", params).await
    }

    pub(super) async fn change(
        &self,
        target: &Target,
        price: String,
        stop: String,
    ) -> Result<String, Failure> {
        let params = json!({ "number": target.number, "code": target.code, "price": price, "stop": stop });
        self.order("change", params).await
    }

    pub(super) async fn cancel(&self, target: &Target) -> Result<(), Failure> {
        let params = json!({ "number": target.number, "code": target.code });
        self.order("cancel", params).await.map(|_| ())
    }

    pub(super) async fn open_orders(&self, today: NaiveDate) -> Result<Vec<OrderRow>, Failure> {
        Ok(self.orders_of(today).await?.into_iter().filter(|row| row.open > 0).collect())
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, (String, u64)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Talks with the bridge until the line ends. Questions are answered while it does.
    pub(super) async fn converse(&self, heard: impl Fn(Heard)) -> Result<(), Ended> {
        let mut asked = self.asked.lock().await;
        let mut socket = connect(&self.url).await?;
        let (run, after) = self.seen().clone();
        let hello = json!({
            "type": "hello", "version": VERSION, "token": self.credentials.secret_key.expose_secret(),
            "account": self.credentials.key_id.expose_secret(), "run": run, "after": after,
        });
        say(&mut socket, Message::text(hello.to_string())).await?;
        let _closing = Closing(&self.is_open);
        let mut talk = Talk { bridge: self, waiting: HashMap::new(), last: 0 };
        talk.until_it_ends(&mut socket, &mut asked, heard).await
    }
}

/// However a conversation ends, nobody asks any more.
struct Closing<'a>(&'a watch::Sender<bool>);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

/// One conversation. Who waits for an answer when it ends is told that nobody knows.
struct Talk<'a> {
    bridge: &'a Bridge,
    waiting: HashMap<String, oneshot::Sender<Result<Box<RawValue>, Failure>>>,
    last: u64,
}

impl Talk<'_> {
    async fn until_it_ends(
        &mut self,
        socket: &mut Socket,
        asked: &mut mpsc::Receiver<Asked>,
        heard: impl Fn(Heard),
    ) -> Result<(), Ended> {
        let mut looks = interval(SILENCE_LOOK);
        let mut last_word = Instant::now();
        loop {
            tokio::select! {
                _ = looks.tick() => {
                    if last_word.elapsed() > SILENCE_MAX {
                        return Err(Ended::broken("the bridge has fallen silent"));
                    }
                    say(socket, Message::Ping(Bytes::new())).await?;
                }
                Some(asked) = asked.recv() => self.ask(socket, asked).await?,
                message = socket.next() => {
                    let Some(message) = message else { return Ok(()) };
                    last_word = Instant::now();
                    if let Message::Text(text) = message? {
                        self.heed(text.as_str(), &heard)?;
                    }
                }
            }
        }
    }

    async fn ask(&mut self, socket: &mut Socket, asked: Asked) -> Result<(), Ended> {
        // Who has stopped waiting was told that nobody knows: sending it late would surprise.
        if asked.answer.is_closed() {
            return Ok(());
        }
        if !*self.bridge.is_open.borrow() {
            let _ = asked.answer.send(Err(Failure::NotSent("the bridge has not said welcome".into())));
            return Ok(());
        }
        self.last += 1;
        let id = self.last.to_string();
        let request = json!({ "type": "request", "id": id, "method": asked.method, "params": asked.params });
        self.waiting.retain(|_, answer| !answer.is_closed());
        self.waiting.insert(id, asked.answer);
        say(socket, Message::text(request.to_string())).await
    }

    fn heed(&mut self, text: &str, heard: &impl Fn(Heard)) -> Result<(), Ended> {
        let Ok(said) = serde_json::from_str::<Said<'_>>(text) else {
            return Err(Ended::broken("the bridge says what cannot be read"));
        };
        match said.kind {
            "welcome" => self.welcome(said, heard),
            "reply" => {
                let Some(answer) = said.id.and_then(|id| self.waiting.remove(id)) else { return Ok(()) };
                let result = match (said.result, said.error) {
                    (_, Some(error)) => Err(error.read()),
                    (Some(result), None) => Ok(result),
                    (None, None) => Err(Failure::Unknown("the bridge's reply is empty".into())),
                };
                let _ = answer.send(result);
                Ok(())
            }
            "event" => {
                if !self.is_next(said.sequence) {
                    return Ok(());
                }
                // Numbers of orders begin anew every day: another day's event says nothing about the order of its number now.
                let today = day_of(Utc::now()).format(DAY).to_string();
                let is_of_order = said.event == Some("order") && said.day == Some(&*today);
                heard(if is_of_order { Heard::Order(said.values) } else { Heard::Other });
                Ok(())
            }
            "error" => Err(match said.code.as_deref() {
                Some("wrong_token") => Ended::Locked(KeyTrouble::Wrong),
                Some("wrong_account") => Ended::Locked(KeyTrouble::OtherAccount),
                _ => Ended::Broken(said.message.unwrap_or_default()),
            }),
            _ => Ok(()),
        }
    }

    /// Whether an event was not seen yet.
    fn is_next(&self, sequence: u64) -> bool {
        let mut seen = self.bridge.seen();
        let is_next = sequence > seen.1;
        if is_next && sequence > seen.1 + 1 {
            tracing::warn!(
                after = seen.1,
                sequence,
                "events of the bridge are missing; the lists tell what they told"
            );
        }
        seen.1 = seen.1.max(sequence);
        is_next
    }

    fn welcome(&self, said: Said<'_>, heard: &impl Fn(Heard)) -> Result<(), Ended> {
        let environment = said.environment.unwrap_or_default();
        if environment != self.bridge.credentials.environment.word() {
            return Err(Ended::Broken(format!("the bridge's control is in the {environment} world")));
        }
        let run = said.run.unwrap_or_default();
        {
            let mut seen = self.bridge.seen();
            if seen.0 != run {
                *seen = (run, 0);
            }
        }
        self.bridge.is_open.send_replace(true);
        heard(Heard::Welcome);
        Ok(())
    }
}

#[cfg(test)]
fn a_bridge() -> Bridge {
    let credentials =
        serde_json::from_value(json!({ "environment": "paper", "keyId": "1", "secretKey": "2" }));
    Bridge::new(String::new(), credentials.unwrap())
}

/// Has a conversation hear frames, whatever they are.
#[cfg(test)]
pub(super) fn read_frames(frames: impl Iterator<Item = String>) {
    let bridge = a_bridge();
    for frame in frames {
        let (answer, mut answered) = oneshot::channel();
        let waiting = HashMap::from([("1".to_owned(), answer)]);
        let mut talk = Talk { bridge: &bridge, waiting, last: 1 };
        let _ = talk.heed(&frame, &|_| ());
        let _ = answered.try_recv();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn an_execution_of_another_day_is_not_heard_as_one_of_the_order_that_has_its_number_today() {
        let (bridge, heard) = (a_bridge(), RefCell::new(Vec::new()));
        let mut talk = Talk { bridge: &bridge, waiting: HashMap::new(), last: 0 };
        let (today, other) = (day_of(Utc::now()), NaiveDate::default());
        for (sequence, day) in [(1, Some(other)), (2, Some(today)), (3, None)] {
            let day = day.map(|day| day.format(DAY).to_string());
            let event = json!({
                "type": "event", "sequence": sequence, "event": "order", "day": day, "values": { "9203": "0000018" },
            });
            let is_order = |what| heard.borrow_mut().push(matches!(what, Heard::Order(_)));
            assert!(talk.heed(&event.to_string(), &is_order).is_ok());
        }
        assert_eq!(*heard.borrow(), [false, true, false]);
    }
}
