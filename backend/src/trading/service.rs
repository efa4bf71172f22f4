//! What can be done with orders.

use super::activities::{ActivityClerk, ActivityLook};
use super::applier::Applier;
use super::connector::Connector;
use super::decide::{Answer, Wish};
use super::dispatcher::{DispatchQueue, Dispatcher};
use super::gate::Gate;
use super::group::{GroupLook, GroupView, Groups, Keeper, NewGroup};
use super::halt_file::HaltFile;
use super::halts::Halts;
use super::inquirer::Inquirer;
use super::keys::KeyKeeper;
use super::lane::{Lane, Lanes};
use super::margin::MarginClerk;
use super::offers::Offers;
use super::order::Order;
use super::order_cap::OrderCap;
use super::pauses::Pauses;
use super::placement::{Placement, PlacementWriter, QUEUE_MAX};
use super::reconcile::{Comparer, Reconciler, Timer};
use super::requests::request_cancel;
use super::store::{self, ExecutionRow, LogLine, RequestLine};
use crate::account::{AccountService, BalanceMemory};
use crate::db::{self, Pool};
use crate::error::{ApiError, ApiResult, ErrorCode, FieldError};
use crate::events::EventHub;
use crate::market::{Market, MarketError};
use crate::settings::Settings;
use crate::startup::Background;
use actix_web::web;
use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, ClientOrderId, NewOrder, OrderId, OrderStatus, Quote, Symbol, UserId};
use failpoint::Failpoint;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// When a caller should come back who found the queue full.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Longest wait of a caller for the commit of an order.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Orders.
pub struct TradingService {
    pub(super) pool: Pool,
    pub(super) accounts: web::Data<AccountService>,
    pub(super) market: web::Data<Market>,
    pub(super) memory: BalanceMemory,
    placements: mpsc::Sender<Placement>,
    pub(super) dispatch: DispatchQueue,
    pub(super) events: Arc<EventHub>,
    pub(super) halts: Arc<Halts>,
    groups: Arc<Groups>,
    pub(super) gate: Gate,
    pub(super) reconciler: Reconciler,
    pub(super) connector: Connector,
    keys: KeyKeeper,
    pub(super) pauses: Pauses,
    pub(super) offers: Offers,
    pub(super) lanes: Lanes,
    /// How long a margin call may stand before positions are reduced.
    pub(super) margin_call_grace: Option<TimeDelta>,
    cap: OrderCap,
}

/// An order with its whole history.
pub(super) struct OrderHistory {
    pub(super) order: Order,
    pub(super) log: Vec<LogLine>,
    pub(super) requests: Vec<RequestLine>,
    pub(super) executions: Vec<ExecutionRow>,
}

impl TradingService {
    /// Brings the books up to what the brokers have reported, then starts dispatching and applying. Orders are placed
    /// once the writer is started, too.
    ///
    /// # Errors
    /// When the journal cannot be applied: nothing may be traded before it is.
    pub async fn start(
        settings: &Settings,
        pool: Pool,
        events: Arc<EventHub>,
        accounts: web::Data<AccountService>,
        market: web::Data<Market>,
        background: &Background,
    ) -> anyhow::Result<(Self, PlacementWriter)> {
        let memory = BalanceMemory::default();
        let lanes = Lanes::load(&pool).await?;
        let (dispatch, exits) = DispatchQueue::new(lanes.clone());
        let look = GroupLook::default();
        let (reconciler, wishes) = Reconciler::new(lanes.clone());
        let gate = closed_gate(&pool).await?;
        if let Some(path) = settings.halt_file.clone() {
            let file = HaltFile { path, gate: gate.clone() };
            file.look();
            background.spawn_vital(file.run(background.stop.clone()));
        }
        let applier = Applier {
            database_url: settings.database_url.clone(),
            events: Arc::clone(&events),
            memory: memory.clone(),
            dispatch: dispatch.clone(),
            groups: look.clone(),
            gate: gate.clone(),
            reconciler: reconciler.clone(),
            market: market.clone(),
        };
        let (known, closed) = (lanes.clone(), gate.clone());
        accounts.when_opened(move |account| {
            if let Some(lane) = Lane::from_name(&account.broker).filter(|lane| *lane != Lane::Simulator) {
                closed.lacks_key(account.id);
                known.put(account.id, lane);
            }
        });
        applier.catch_up().await?;
        let halts = Arc::new(Halts::load(&*pool.get().await?).await?);
        let groups = Arc::new(Groups {
            pool: pool.clone(),
            market: market.clone(),
            events: Arc::clone(&events),
            dispatch: dispatch.clone(),
            memory: memory.clone(),
            halts: Arc::clone(&halts),
            lanes: lanes.clone(),
            look: look.clone(),
        });
        let (placements, queue) = mpsc::channel(QUEUE_MAX);
        let writer = PlacementWriter {
            database_url: settings.database_url.clone(),
            events: Arc::clone(&events),
            memory: memory.clone(),
            market: market.clone(),
            dispatch: dispatch.clone(),
            queue,
        };
        let connector = Connector::new(&settings.broker_connector_url, settings.internal_token.clone())?;
        let pauses = Pauses::default();
        for exit in exits {
            let dispatcher = Dispatcher {
                pool: pool.clone(),
                connector: connector.clone(),
                events: Arc::clone(&events),
                exit,
                lanes: lanes.clone(),
                pauses: pauses.clone(),
                connected: HashSet::new(),
                manners: None,
                gate: gate.clone(),
            };
            background.spawn_vital(dispatcher.run(background.stop.clone()));
        }
        let activities = ActivityLook::default();
        for (lane, wishes) in wishes {
            let inquirer = Inquirer {
                pool: pool.clone(),
                connector: connector.clone(),
                events: Arc::clone(&events),
                lane,
                lanes: lanes.clone(),
                gate: gate.clone(),
            };
            background.spawn_vital(inquirer.run(background.stop.clone()));
            let comparer = Comparer {
                pool: pool.clone(),
                connector: connector.clone(),
                events: Arc::clone(&events),
                market: market.clone(),
                activities: activities.clone(),
                gate: gate.clone(),
                tariff: lane.tariff(),
            };
            let (gate, lanes) = (gate.clone(), lanes.clone());
            let timer = Timer {
                pool: pool.clone(),
                comparer,
                gate,
                wishes,
                lane,
                lanes,
                intervals: Mutex::default(),
            };
            background.spawn_vital(timer.run(background.stop.clone()));
        }
        background.spawn_vital(applier.run(background.stop.clone()));
        let clerk = MarginClerk {
            pool: pool.clone(),
            events: Arc::clone(&events),
            market: market.clone(),
            dispatch: dispatch.clone(),
            grace: settings.margin_call_grace,
        };
        background.spawn_vital(clerk.run(background.stop.clone()));
        let clerk = ActivityClerk {
            pool: pool.clone(),
            events: Arc::clone(&events),
            lanes: lanes.clone(),
            look: activities,
            dispatch: dispatch.clone(),
        };
        background.spawn_vital(clerk.run(background.stop.clone()));
        background.spawn_vital(
            Keeper { groups: Arc::clone(&groups), gate: gate.clone() }.run(background.stop.clone()),
        );
        let keys = KeyKeeper {
            pool: pool.clone(),
            connector: connector.clone(),
            events: Arc::clone(&events),
            lanes: lanes.clone(),
            gate: gate.clone(),
        };
        background.spawn_vital(keys.clone().run(background.stop.clone()));
        let offers = Offers::new(connector.clone());
        let service = Self {
            pool,
            accounts,
            market,
            memory,
            placements,
            dispatch,
            events,
            halts,
            groups,
            gate,
            reconciler,
            connector,
            keys,
            pauses,
            offers,
            lanes,
            margin_call_grace: settings.margin_call_grace,
            cap: OrderCap::new(settings.orders_per_minute_max, Instant::now()),
        };
        Ok((service, writer))
    }

    /// Asks brokers about the keys that are to be asked about at a moment, and tells the owners of bad ones. A timer does so by
    /// itself.
    ///
    /// # Errors
    /// The database's.
    pub async fn check_keys(&self, at: DateTime<Utc>) -> ApiResult<()> {
        self.keys.check(at).await
    }

    /// Counts orders that a user asks for.
    ///
    /// # Errors
    /// [`ErrorCode::TooManyOrders`]
    pub(super) fn within_cap(&self, user: UserId, orders: usize) -> ApiResult<()> {
        self.cap.take(user, u32::try_from(orders).unwrap_or(u32::MAX), Instant::now())
    }

    /// Places an order. Answers once it is durable.
    ///
    /// # Errors
    /// Every reason of risk and every field that its broker does not take ([`ErrorCode::OrderDenied`]),
    /// [`ErrorCode::NotFound`] for the account, [`ErrorCode::UnknownSymbol`], [`ErrorCode::IdempotencyKeyReused`],
    /// [`ErrorCode::TooManyOrders`], or that it cannot be done now.
    pub(super) async fn place(
        &self,
        user: UserId,
        order: NewOrder,
        key: Option<ClientOrderId>,
    ) -> ApiResult<(Order, bool)> {
        self.within_cap(user, 1)?;
        self.place_wish(user, order, key, false).await
    }

    /// The same for an order that closes a position: a sale of what is held, or a purchase of what was sold short, and of
    /// nothing more.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn place_close(
        &self,
        user: UserId,
        order: NewOrder,
        key: ClientOrderId,
    ) -> ApiResult<(Order, bool)> {
        self.place_wish(user, order, Some(key), true).await
    }

    async fn place_wish(
        &self,
        user: UserId,
        order: NewOrder,
        key: Option<ClientOrderId>,
        closes_only: bool,
    ) -> ApiResult<(Order, bool)> {
        if let Err(closed) = self.gate.check(order.account_id) {
            // Only the owner learns why; and what was placed before is still answered.
            self.accounts.find(user, order.account_id).await?;
            match &key {
                Some(key) if self.exists(&order, key).await? => {}
                _ => return Err(closed),
            }
        }
        let unfit = self.unfit(&order).await;
        if !unfit.is_empty() {
            // The same: what was placed before is still answered.
            self.accounts.find(user, order.account_id).await?;
            match &key {
                Some(key) if self.exists(&order, key).await? => {}
                _ => return Err(ApiError::fields(ErrorCode::OrderDenied, unfit)),
            }
        }
        let quote = match self.price_for(order.symbol).await {
            Ok(quote) => Some(quote),
            // Without a price nothing new can be placed, but what was placed is still answered.
            Err(error) => match &key {
                Some(key) if self.exists(&order, key).await? => None,
                _ => return Err(error),
            },
        };
        let id = OrderId::generate();
        let client_order_id = key.unwrap_or_else(|| id.into());
        let symbol_halted = self.halts.is_halted(user, order.symbol);
        let tariff = self.lanes.of(order.account_id).tariff();
        let takes_amounts = self.takes_amounts(&order).await;
        let wish = Wish {
            user_id: user,
            id,
            client_order_id,
            order,
            quote,
            symbol_halted,
            closes_only,
            tariff,
            takes_amounts,
        };
        let (answer, answered) = oneshot::channel();
        self.placements.try_send(Placement { wish, answer }).map_err(|_| {
            ApiError::new(ErrorCode::ServiceUnavailable, "too many orders are waiting; nothing was placed")
                .retry_after_seconds(RETRY_AFTER_SECONDS)
        })?;
        let answered = tokio::time::timeout(ANSWER_TIME_MAX, answered).await.map_err(|_| {
            ApiError::new(
                ErrorCode::ServiceUnavailable,
                "the database does not answer; the order may have been placed: repeat the request with the same key",
            )
            .retry_after_seconds(RETRY_AFTER_SECONDS)
        })?;
        let answer = answered.map_err(|_| {
            ApiError::new(
                ErrorCode::ServiceUnavailable,
                "the server is stopping; repeat the request with the same key",
            )
            .retry_after_seconds(RETRY_AFTER_SECONDS)
        })??;
        match answer {
            Answer::Placed(order) => refuse_denied(*order).map(|order| (order, false)),
            Answer::Replayed(order) => refuse_denied(*order).map(|order| (order, true)),
            Answer::NoOrder(denials) => Err(ApiError::fields(
                ErrorCode::ValidationFailed,
                denials.into_iter().map(FieldError::from).collect(),
            )),
            Answer::KeyReused => Err(ApiError::new(ErrorCode::IdempotencyKeyReused, "")),
            Answer::NoSuchAccount => Err(ApiError::new(ErrorCode::NotFound, "there is no such account")),
        }
    }

    /// Makes a group of orders; see [`Groups::place`].
    ///
    /// # Errors
    /// As there; that nothing new may be placed in the account now; that its broker cannot work a leg;
    /// [`ErrorCode::TooManyOrders`].
    pub(super) async fn place_group(
        &self,
        user: UserId,
        mut new: NewGroup,
        key: Option<ClientOrderId>,
    ) -> ApiResult<(GroupView, bool)> {
        self.within_cap(user, new.legs.len())?;
        if let Err(closed) = self.gate.check(new.account_id) {
            // Only the owner learns why; and what was made before is still answered.
            self.accounts.find(user, new.account_id).await?;
            let before = self.groups.made_before(user, &new, key.as_ref()).await?;
            return before.map(|group| (group, true)).ok_or(closed);
        }
        if let Err(unfit) = self.fit_to_broker(user, &mut new).await {
            let before = self.groups.made_before(user, &new, key.as_ref()).await?;
            return before.map(|group| (group, true)).ok_or(unfit);
        }
        self.groups.place(user, new, key).await
    }

    /// The price an order is judged by.
    pub(super) async fn price_for(&self, symbol: Symbol) -> ApiResult<Arc<Quote>> {
        self.market.quote(symbol).await.map_err(|error| match error {
            MarketError::UnknownSymbol(symbol) => {
                ApiError::field("symbol", "unknown_symbol", format!("no source quotes {symbol}"))
            }
            MarketError::Unavailable(_) | MarketError::Unsupported(_) => error.into(),
        })
    }

    async fn exists(&self, order: &NewOrder, key: &ClientOrderId) -> ApiResult<bool> {
        let wanted = HashSet::from([(order.account_id, key.to_string())]);
        let (existing, _) = store::known_orders(&*self.pool.get().await?, &wanted, &HashSet::new()).await?;
        Ok(!existing.is_empty())
    }

    /// Groups of orders.
    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// An order with its whole history.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the orders of others.
    pub(super) async fn show(&self, user: UserId, id: OrderId) -> ApiResult<OrderHistory> {
        let mut connection = self.pool.get().await?;
        // One picture: an execution that arrives between the reads must not appear in one and be missing in another.
        db::one_picture(&mut connection)
            .run(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let order = store::order_of(connection, user, id).await?;
                let order = order.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
                let log = store::log_of(connection, id).await?;
                let requests = store::requests_of(connection, id).await?;
                let executions = store::executions_of(connection, id).await?;
                Ok::<_, ApiError>(OrderHistory { order, log, requests, executions })
            })
            .await
    }

    /// Asks to take an order back.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::OrderNotOpen`].
    pub(super) async fn cancel(&self, user: UserId, id: OrderId) -> ApiResult<Order> {
        let mut connection = self.pool.get().await?;
        let order = connection
            .transaction(async |connection| request_cancel(connection, user, id, None).await)
            .await?;
        drop(connection);
        failpoint::pass(Failpoint::CancelRequested);
        self.events.wake();
        self.dispatch.look();
        self.groups.look.look();
        Ok(order)
    }
}

/// Closed for all accounts that exist, until each was compared with its broker, and for those that are halted.
async fn closed_gate(pool: &Pool) -> anyhow::Result<Gate> {
    let connection = pool.get().await?;
    let accounts = store::accounts_to_compare(&connection).await?;
    let halts = store::account_halts(&connection).await?;
    let of_others = store::other_accounts(&connection).await?;
    Ok(Gate::new(
        accounts.into_iter().map(|(account, _)| account),
        halts.into_iter().map(|halt| (AccountId(halt.account_id), halt.reason)),
        of_others.into_iter(),
    ))
}

fn refuse_denied(order: Order) -> ApiResult<Order> {
    if order.status != OrderStatus::Denied {
        return Ok(order);
    }
    let denials = order.denials.unwrap_or_default();
    Err(ApiError::fields(ErrorCode::OrderDenied, denials.into_iter().map(FieldError::from).collect()))
}
