//! `/api/order-groups`.

use super::super::document::OrderDocument;
use super::super::group::{
    GroupKind, GroupLeg, GroupStatus, GroupView, LegName, LegState, LegWish, NewGroup,
};
use super::super::service::TradingService;
use crate::account::{AccountService, REPLAYED_HEADER};
use crate::error::{ApiError, ApiResult, ErrorCode, FieldError, Problem};
use crate::extract::{Body, CurrentUser, IdempotencyKey, Params, PathId};
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    AccountId, ClientOrderId, OrderGroupId, OrderId, OrderType, Percent, Price, Quantity, Side, Symbol,
    TimeInForce,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Most groups of a page, and how many there are unless asked otherwise.
const PAGE_GROUPS_MAX: i64 = 100;
const PAGE_GROUPS_DEFAULT: i64 = 50;

/// One order of a group; symbol, account and quantity are the group's.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LegRequest {
    /// Of `entry` and `then`; exits sell.
    side: Option<Side>,
    /// Follows from the prices unless given.
    r#type: Option<OrderType>,
    /// `day` for an entry unless given; for the others `gtc`, or `day` at a broker that keeps no orders over the day. Where the
    /// broker works the group as one order it is the same for all: as one of them says, and `gtc` where none does.
    time_in_force: Option<TimeInForce>,
    expire_date: Option<NaiveDate>,
    limit_price: Option<Price>,
    stop_price: Option<Price>,
    trail_amount: Option<Price>,
    trail_percent: Option<Percent>,
}

/// Orders that belong together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlaceGroup {
    account_id: AccountId,
    /// `bracket`: `entry` (a purchase), then `takeProfit` and `stopLoss` for what it has bought. `oco`: `takeProfit` and
    /// `stopLoss` for shares that are held. `oto`: `entry`, then `then`.
    kind: GroupKind,
    symbol: Symbol,
    /// Whole shares, the same for every order of the group.
    quantity: Quantity,
    entry: Option<LegRequest>,
    /// A limit order.
    take_profit: Option<LegRequest>,
    /// A stop, stop-limit or trailing stop order.
    stop_loss: Option<LegRequest>,
    then: Option<LegRequest>,
    /// The group's idempotency key; `Idempotency-Key` says the same.
    client_group_id: Option<ClientOrderId>,
}

impl LegRequest {
    fn order_type(&self) -> OrderType {
        self.r#type.unwrap_or({
            let trails = self.trail_amount.is_some() || self.trail_percent.is_some();
            match (self.limit_price.is_some(), self.stop_price.is_some(), trails) {
                (_, _, true) => OrderType::TrailingStop,
                (true, true, _) => OrderType::StopLimit,
                (true, false, _) => OrderType::Limit,
                (false, true, _) => OrderType::Stop,
                (false, false, _) => OrderType::Market,
            }
        })
    }

    fn wish(self, side: Side, time_in_force: TimeInForce) -> LegWish {
        LegWish {
            side,
            r#type: self.order_type(),
            time_in_force: self.time_in_force.unwrap_or(time_in_force),
            expire_date: self.expire_date,
            limit_price: self.limit_price,
            stop_price: self.stop_price,
            trail_amount: self.trail_amount,
            trail_percent: self.trail_percent,
        }
    }
}

struct Complaints(Vec<FieldError>);

impl Complaints {
    fn add(&mut self, field: impl Into<String>, rule: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(field, rule, message));
    }

    /// The leg of a kind that has one, and nothing of a kind that has none.
    fn leg(
        &mut self,
        field: &str,
        given: Option<LegRequest>,
        wanted: bool,
        kind: GroupKind,
    ) -> Option<LegRequest> {
        match (given, wanted) {
            (None, true) => self.add(field, "required", format!("is required for kind {}", kind.name())),
            (Some(_), false) => {
                self.add(field, "not_allowed", format!("must not be given for kind {}", kind.name()))
            }
            _ => {}
        }
        given.filter(|_| wanted)
    }

    fn side(&mut self, field: &str, leg: &LegRequest, only: Option<Side>) -> Side {
        match (leg.side, only) {
            (Some(side), Some(only)) if side != only => {
                self.add(format!("{field}.side"), "not_allowed", format!("must be {}", only.name()));
            }
            (None, None) => self.add(format!("{field}.side"), "required", "is required"),
            _ => {}
        }
        only.or(leg.side).unwrap_or(Side::Buy)
    }
}

impl PlaceGroup {
    /// The legs that name no time in force.
    fn left_open(&self) -> Vec<LegName> {
        let legs = [
            (LegName::Entry, self.entry),
            (LegName::TakeProfit, self.take_profit),
            (LegName::StopLoss, self.stop_loss),
            (LegName::Then, self.then),
        ];
        let is_open = |leg: Option<LegRequest>| leg.is_some_and(|leg| leg.time_in_force.is_none());
        legs.into_iter().filter(|(_, leg)| is_open(*leg)).map(|(name, _)| name).collect()
    }

    fn into_parts(self) -> ApiResult<(NewGroup, Option<ClientOrderId>)> {
        let kind = self.kind;
        let (has_entry, has_exits) = (kind != GroupKind::Oco, kind != GroupKind::Oto);
        let left_open = self.left_open();
        let mut complaints = Complaints(Vec::new());
        let mut legs = Vec::new();
        if let Some(leg) = complaints.leg("entry", self.entry, has_entry, kind) {
            let side = complaints.side("entry", &leg, Some(Side::Buy).filter(|_| has_exits));
            legs.push((LegName::Entry, leg.wish(side, TimeInForce::Day)));
        }
        if let Some(leg) = complaints.leg("takeProfit", self.take_profit, has_exits, kind) {
            let side = complaints.side("takeProfit", &leg, Some(Side::Sell));
            if leg.order_type() != OrderType::Limit {
                complaints.add("takeProfit.type", "not_allowed", "must be limit");
            }
            legs.push((LegName::TakeProfit, leg.wish(side, TimeInForce::Gtc)));
        }
        if let Some(leg) = complaints.leg("stopLoss", self.stop_loss, has_exits, kind) {
            let side = complaints.side("stopLoss", &leg, Some(Side::Sell));
            if !matches!(leg.order_type(), OrderType::Stop | OrderType::StopLimit | OrderType::TrailingStop) {
                complaints.add("stopLoss.type", "not_allowed", "must be stop, stop_limit or trailing_stop");
            }
            legs.push((LegName::StopLoss, leg.wish(side, TimeInForce::Gtc)));
        }
        if let Some(leg) = complaints.leg("then", self.then, kind == GroupKind::Oto, kind) {
            let side = complaints.side("then", &leg, None);
            legs.push((LegName::Then, leg.wish(side, TimeInForce::Gtc)));
        }
        if !self.quantity.is_whole() {
            complaints.add("quantity", "whole_shares", "must be a whole number of shares in a group");
        }
        for (name, wish) in &legs {
            for wrong in wish.order(self.account_id, self.symbol, self.quantity).err().into_iter().flatten() {
                complaints.add(format!("{}.{}", name.field(), wrong.field), wrong.rule, wrong.message);
            }
        }
        if !complaints.0.is_empty() {
            return Err(ApiError::fields(ErrorCode::ValidationFailed, complaints.0));
        }
        let Self { account_id, symbol, quantity, client_group_id, .. } = self;
        Ok((
            NewGroup { account_id, kind, symbol, quantity, legs, left_open, is_native: false },
            client_group_id,
        ))
    }
}

/// One order of a group.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GroupLegDocument {
    leg: LegName,
    state: LegState,
    /// The id of its order, also before there is one.
    order_id: OrderId,
    side: Side,
    r#type: OrderType,
    time_in_force: TimeInForce,
    expire_date: Option<NaiveDate>,
    limit_price: Option<Price>,
    stop_price: Option<Price>,
    trail_amount: Option<Price>,
    trail_percent: Option<Percent>,
    /// Once it was placed.
    order: Option<OrderDocument>,
    /// Why it could not be placed when its turn came.
    denials: Vec<FieldError>,
}

/// Orders that belong together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderGroup)]
#[serde(rename_all = "camelCase")]
struct GroupDocument {
    id: OrderGroupId,
    account_id: AccountId,
    client_group_id: String,
    kind: GroupKind,
    symbol: Symbol,
    quantity: Quantity,
    /// Whether something may still happen.
    active: bool,
    cancel_requested: bool,
    legs: Vec<GroupLegDocument>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<GroupView> for GroupDocument {
    fn from(view: GroupView) -> Self {
        let GroupView { group, orders } = view;
        let leg = |leg: &GroupLeg| GroupLegDocument {
            leg: leg.name,
            state: leg.state,
            order_id: leg.order_id,
            side: leg.wish.side,
            r#type: leg.wish.r#type,
            time_in_force: leg.wish.time_in_force,
            expire_date: leg.wish.expire_date,
            limit_price: leg.wish.limit_price,
            stop_price: leg.wish.stop_price,
            trail_amount: leg.wish.trail_amount,
            trail_percent: leg.wish.trail_percent,
            order: orders.iter().find(|order| order.id == leg.order_id).map(OrderDocument::from),
            denials: leg.denials.iter().flatten().cloned().map(FieldError::from).collect(),
        };
        Self {
            id: group.id,
            account_id: group.account_id,
            kind: group.kind,
            symbol: group.symbol,
            quantity: group.quantity,
            active: group.status == GroupStatus::Active,
            cancel_requested: group.cancel_requested_at.is_some(),
            legs: group.legs.iter().map(leg).collect(),
            created_at: group.created_at,
            updated_at: group.updated_at,
            client_group_id: group.client_group_id,
        }
    }
}

/// Places orders that belong together: all that is due now is placed, or nothing is.
#[utoipa::path(tag = "trading", request_body = PlaceGroup,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = GroupDocument), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, description = "A field is not acceptable, risk has refused an order, or the broker cannot work one",
            body = Problem),
        (status = 503, body = Problem)))]
#[post("/order-groups")]
pub(super) async fn place_group(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    header: IdempotencyKey,
    Body(request): Body<PlaceGroup>,
) -> ApiResult<HttpResponse> {
    let (group, key) = request.into_parts()?;
    let key = super::one_key("clientGroupId", key, header.0)?;
    let (view, replayed) = trading.place_group(user.user_id, group, key).await?;
    let mut response = HttpResponse::Created();
    if replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    Ok(response.json(GroupDocument::from(view)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParameters {
    /// One account instead of all.
    account_id: Option<AccountId>,
    /// 1 to 100; 50 unless given.
    limit: Option<i64>,
    /// `nextCursor` of the page before.
    cursor: Option<OrderGroupId>,
}

/// A page of groups.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GroupPage {
    groups: Vec<GroupDocument>,
    /// Give this as `cursor` for the next page; absent on the last one.
    next_cursor: Option<OrderGroupId>,
}

/// Lists groups of orders, newest first.
#[utoipa::path(tag = "trading", params(ListParameters), responses(
    (status = 200, body = GroupPage), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/order-groups")]
pub(super) async fn list_groups(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    Params(parameters): Params<ListParameters>,
) -> ApiResult<web::Json<GroupPage>> {
    let limit = parameters.limit.unwrap_or(PAGE_GROUPS_DEFAULT);
    if !(1..=PAGE_GROUPS_MAX).contains(&limit) {
        let message = format!("must be between 1 and {PAGE_GROUPS_MAX}");
        return Err(ApiError::field("limit", "out_of_range", message));
    }
    let accounts = accounts.chosen(user.user_id, parameters.account_id).await?;
    let accounts: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    // One more than shown tells whether there is a next page.
    let mut views = trading.groups().list(&accounts, parameters.cursor, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = views.len() > shown;
    views.truncate(shown);
    let next_cursor = views.last().filter(|_| more).map(|view| view.group.id);
    Ok(web::Json(GroupPage { groups: views.into_iter().map(GroupDocument::from).collect(), next_cursor }))
}

/// Shows a group with its orders.
#[utoipa::path(tag = "trading", params(("id" = OrderGroupId, Path)), responses(
    (status = 200, body = GroupDocument), (status = 404, body = Problem)))]
#[get("/order-groups/{id}")]
pub(super) async fn show_group(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(id): PathId<OrderGroupId>,
) -> ApiResult<web::Json<GroupDocument>> {
    Ok(web::Json(trading.groups().show(user.user_id, id).await?.into()))
}

/// Asks to take every order of a group back; those that wait for their turn never come.
#[utoipa::path(tag = "trading", params(("id" = OrderGroupId, Path)), responses(
    (status = 202, body = GroupDocument), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/order-groups/{id}")]
pub(super) async fn cancel_group(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(id): PathId<OrderGroupId>,
) -> ApiResult<HttpResponse> {
    let view = trading.groups().cancel(user.user_id, id).await?;
    Ok(HttpResponse::Accepted().json(GroupDocument::from(view)))
}
