//! `/api/orders/preview`: an order that is only looked at.

use super::PlaceOrder;
use crate::error::{ApiResult, FieldError, Problem};
use crate::extract::{Body, CurrentUser};
use crate::risk::{Limit, NearLimit};
use crate::trading::estimate::Preview;
use crate::trading::service::TradingService;
use actix_web::{post, web};
use chrono::{DateTime, Utc};
use domain::{Currency, DecimalText, NewOrder, Price, Pricing, Quantity, Side, Symbol};
use exchange::Tariff;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

/// What may not be exceeded.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum LimitName {
    /// The cash that no open order has reserved.
    BuyingPower,
    /// The account's own equity, where it buys on credit or sells short.
    Equity,
    /// The highest price of the day.
    PriceCeiling,
    /// The lowest price of the day.
    PriceFloor,
}

impl From<Limit> for LimitName {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::BuyingPower => Self::BuyingPower,
            Limit::Equity => Self::Equity,
            Limit::PriceCeiling => Self::PriceCeiling,
            Limit::PriceFloor => Self::PriceFloor,
        }
    }
}

/// A limit, and how much of it an order would reach.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NearLimit)]
#[serde(rename_all = "camelCase")]
struct NearLimitDocument {
    limit: LimitName,
    /// An amount of money, or a price.
    reached: DecimalText,
    /// The same at which it ends.
    bound: DecimalText,
}

impl From<NearLimit> for NearLimitDocument {
    fn from(near: NearLimit) -> Self {
        Self { limit: near.limit.into(), reached: near.reached.into(), bound: near.bound.into() }
    }
}

/// A broker's tariff. Taxes and regulatory fees are the market's everywhere.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Tariff)]
#[serde(rename_all = "snake_case")]
enum TariffName {
    /// The simulator's.
    Simulator,
    /// Kiwoom's for orders that come online.
    KiwoomOnline,
    /// No commission.
    CommissionFree,
}

impl From<Tariff> for TariffName {
    fn from(tariff: Tariff) -> Self {
        match tariff {
            Tariff::Simulator => Self::Simulator,
            Tariff::KiwoomOnline => Self::KiwoomOnline,
            Tariff::CommissionFree => Self::CommissionFree,
        }
    }
}

/// What an order would cost at worst, and what speaks against it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderPreview {
    symbol: Symbol,
    side: Side,
    /// Shares; absent where an amount of money pays for none.
    quantity: Option<Quantity>,
    /// Whether that is an estimate: the broker is sent the amount of money, and says at the end how many shares it was.
    quantity_estimated: bool,
    currency: Currency,
    /// The price it would meet: its limit, its stop price as it is now, or the other side of the market.
    estimated_price: DecimalText,
    /// Absent where the numbers are beyond the books; then a reason against the order says so.
    notional: Option<DecimalText>,
    commission: Option<DecimalText>,
    tax: Option<DecimalText>,
    /// By which the two are reckoned.
    tariff: TariffName,
    /// What leaves the account, or for a sale what comes in.
    total: Option<DecimalText>,
    /// What would be reserved: cash for a purchase, shares for a sale.
    held: Option<DecimalText>,
    /// Cash free after the reservation; where the account buys on credit what could still be bought.
    buying_power_after: DecimalText,
    /// Where the account buys on credit or sells short: equity that nothing open would ask for.
    available_equity_after: Option<DecimalText>,
    quote_at: DateTime<Utc>,
    /// Every reason against it.
    denials: Vec<FieldError>,
    /// Limits that it would keep, but only just.
    near_limits: Vec<NearLimitDocument>,
}

impl OrderPreview {
    fn new(order: &NewOrder, preview: Preview) -> Self {
        let currency = order.symbol.currency();
        let price = price_met(order, &preview);
        let quantity = preview.judgement.quantity;
        let notional = quantity.and_then(|quantity| price.notional(quantity.value()).ok());
        let today = exchange::trade_date(order.symbol.market(), Utc::now());
        let fees = quantity
            .and_then(|quantity| preview.tariff.fees(order.symbol, order.side, price, quantity, today).ok());
        let total = notional.zip(fees).and_then(|(notional, fees)| {
            let fees = fees.total().ok()?;
            match order.side {
                Side::Buy => notional.checked_add(fees),
                Side::Sell => notional.checked_sub(fees),
            }
        });
        let held = preview.judgement.terms.map(|terms| terms.hold.amount());
        let cash_held = held.filter(|_| order.side == Side::Buy).unwrap_or(Decimal::ZERO);
        let terms = preview.judgement.terms;
        let left =
            preview.margin.zip(terms).map(|(margin, terms)| margin.left_after(&terms.asked(order.side)));
        let buying_power = left.map_or(preview.cash_free - cash_held, |(_, buying_power)| buying_power);
        Self {
            symbol: order.symbol,
            side: order.side,
            quantity,
            quantity_estimated: preview.judgement.terms.is_some_and(|terms| terms.sends_amount),
            currency,
            estimated_price: price.value().into(),
            notional: notional.map(|amount| currency.round(amount).into()),
            commission: fees.map(|fees| fees.commission.into()),
            tax: fees.map(|fees| fees.tax.into()),
            tariff: preview.tariff.into(),
            total: total.map(|amount| currency.round(amount).into()),
            held: held.map(DecimalText),
            buying_power_after: buying_power.into(),
            available_equity_after: left.map(|(equity, _)| equity.into()),
            quote_at: preview.quote.at,
            denials: preview
                .unfit
                .into_iter()
                .chain(preview.judgement.denials.into_iter().map(FieldError::from))
                .collect(),
            near_limits: preview.near.into_iter().map(NearLimitDocument::from).collect(),
        }
    }
}

fn price_met(order: &NewOrder, preview: &Preview) -> Price {
    let touch = match order.side {
        Side::Buy => preview.quote.price_to_buy(),
        Side::Sell => preview.quote.price_to_sell(),
    };
    match order.pricing {
        Pricing::Limit(price) | Pricing::StopLimit { limit: price, .. } | Pricing::Stop(price) => price,
        Pricing::TrailingStop(trail) => trail.stop_from(order.side, preview.quote.price).unwrap_or(touch),
        Pricing::Market => touch,
    }
}

/// Says what an order would cost, without placing it.
#[utoipa::path(tag = "trading", request_body = PlaceOrder, responses(
    (status = 200, body = OrderPreview), (status = 404, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem)))]
#[post("/orders/preview")]
pub(super) async fn preview_order(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    Body(request): Body<PlaceOrder>,
) -> ApiResult<web::Json<OrderPreview>> {
    let (order, _) = request.into_parts()?;
    let preview = trading.preview(user.user_id, order).await?;
    Ok(web::Json(OrderPreview::new(&order, preview)))
}
