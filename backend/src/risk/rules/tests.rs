use super::*;
use domain::AccountId;

fn now() -> DateTime<Utc> {
    "2026-11-20T15:00:00Z".parse().unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn quote(symbol: &str, last: &str) -> Quote {
    let symbol: Symbol = symbol.parse().unwrap();
    Quote {
        symbol,
        price: price(last),
        bid: Some(price(last)),
        ask: Some(price(last)),
        previous_close: Some(price(last)),
        volume: 1,
        currency: symbol.currency(),
        session_date: now().date_naive(),
        open: price(last),
        high: price(last),
        low: price(last),
        at: now(),
        source: "replay".to_owned(),
        simulated: false,
        delayed: true,
    }
}

fn order(symbol: &str, side: Side, pricing: Pricing, lifetime: Lifetime, size: Size) -> NewOrder {
    NewOrder {
        account_id: AccountId::generate(),
        symbol: symbol.parse().unwrap(),
        side,
        pricing,
        lifetime,
        size,
    }
}

fn shares(quantity: &str) -> Size {
    Size::Shares(quantity.parse().unwrap())
}

/// Field, rule and nearest legal values of the only complaint.
fn complaint(order: &NewOrder, last: &str) -> (String, String, Vec<String>) {
    let quote = quote(order.symbol.as_str(), last);
    let quantity = quantity_of(order, Some(&quote));
    let on = exchange::trade_date(order.symbol.market(), now());
    let mut denials = broken_rules(order, quantity, Some(&quote), now(), on);
    assert_eq!(denials.len(), 1, "{denials:?}");
    let denial = denials.remove(0);
    (denial.field, denial.rule, denial.nearest)
}

#[track_caller]
fn refused(order: &NewOrder, last: &str, field: &str, rule: &str, nearest: &[&str]) {
    let nearest = nearest.iter().map(|value| (*value).to_owned()).collect();
    assert_eq!(complaint(order, last), (field.to_owned(), rule.to_owned(), nearest));
}

#[test]
fn a_purchase_is_worth_something() {
    let apple = |side, pricing, quantity| order("AAPL", side, pricing, Lifetime::Day, shares(quantity));
    let market = Pricing::Market;
    refused(&apple(Side::Buy, market, "0.000075"), "150", "quantity", "too_small", &["0.006666667"]);
    refused(
        &apple(Side::Buy, Pricing::Limit(price("40")), "0.000001"),
        "150",
        "quantity",
        "too_small",
        &["0.025"],
    );
    // A limit far above the market is not what it will cost.
    let generous = Pricing::Limit(price("1000000"));
    refused(&apple(Side::Buy, generous, "0.000001"), "150", "quantity", "too_small", &["0.006666667"]);
    refused(&apple(Side::Buy, market, "1"), "0.0001", "quantity", "too_small", &["100"]);
    let complaints = |order: &NewOrder| {
        let (quote, on) = (quote("AAPL", "150"), exchange::trade_date(order.symbol.market(), now()));
        broken_rules(order, quantity_of(order, Some(&quote)), Some(&quote), now(), on)
    };
    for fine in ["0.006666667", "1"] {
        assert_eq!(complaints(&apple(Side::Buy, market, fine)), []);
    }
    assert_eq!(complaints(&apple(Side::Sell, market, "0.000075")), [], "what is left can always be sold");
}

#[test]
fn every_refusal_names_the_nearest_legal_value() {
    use Lifetime::{Day, Gtc, Gtd};
    let day = |text: &str| Gtd(text.parse().unwrap());
    let samsung = |pricing, lifetime, size| order("005930.KS", Side::Buy, pricing, lifetime, size);
    let apple = |pricing, lifetime, size| order("AAPL", Side::Sell, pricing, lifetime, size);
    let (one, limit) = (shares("1"), Pricing::Limit(price("70100")));
    refused(&samsung(limit, Day, shares("1.5")), "70000", "quantity", "whole_shares", &["1", "2"]);
    refused(&samsung(limit, Day, shares("0.5")), "70000", "quantity", "whole_shares", &["1"]);
    let money = Size::Notional("100000".parse().unwrap());
    refused(&samsung(limit, Day, money), "70000", "notional", "whole_shares", &[]);
    let off = Pricing::Stop(price("70150"));
    refused(&samsung(off, Gtc, one), "70000", "stopPrice", "tick_size", &["70100", "70200"]);
    let fund = order("069500.KS", Side::Buy, Pricing::Limit(price("40002")), Day, one);
    refused(&fund, "40000", "limitPrice", "tick_size", &["40000", "40005"]);
    let far = Pricing::Limit(price("100000"));
    refused(&samsung(far, Day, one), "70000", "limitPrice", "price_limit", &["91000"]);
    let trail = Pricing::TrailingStop(Trail::Amount(price("100.5")));
    refused(&samsung(trail, Gtc, one), "70000", "trailAmount", "tick_size", &["100", "101"]);
    let everything = Pricing::TrailingStop(Trail::Percent("100".parse().unwrap()));
    refused(&apple(everything, Gtc, one), "150", "trailPercent", "too_large", &["99.9999"]);
    let fine = Pricing::TrailingStop(Trail::Percent("1.00001".parse().unwrap()));
    refused(&apple(fine, Gtc, one), "150", "trailPercent", "too_precise", &["1"]);
    let whole = Pricing::TrailingStop(Trail::Amount(price("150")));
    refused(&apple(whole, Gtc, one), "150", "trailAmount", "too_large", &[]);
    let cents = Size::Notional("10.005".parse().unwrap());
    refused(&apple(Pricing::Market, Day, cents), "150", "notional", "too_precise", &["10", "10.01"]);
    let little = Size::Notional("0.99".parse().unwrap());
    refused(&apple(Pricing::Market, Day, little), "150", "notional", "too_small", &["1"]);
    let fraction = apple(Pricing::Stop(price("140")), Day, shares("1.5"));
    refused(&fraction, "150", "quantity", "combination", &[]);
    let sunday = apple(Pricing::Market, day("2026-11-22"), one);
    refused(&sunday, "150", "expireDate", "trading_day", &["2026-11-20", "2026-11-23"]);
    let past = apple(Pricing::Market, day("2026-11-19"), one);
    refused(&past, "150", "expireDate", "in_the_past", &["2026-11-20"]);
    let late = apple(Pricing::Market, day("2028-01-03"), one);
    refused(&late, "150", "expireDate", "too_late", &["2027-11-19"]);
    let opening = apple(Pricing::Market, Lifetime::Opg, one);
    refused(&opening, "150", "timeInForce", "session", &["2026-11-21T00:00:00Z"]);
}

#[test]
fn what_is_legal_is_not_refused() {
    let apple = quote("AAPL", "150");
    for (pricing, lifetime, size) in [
        (Pricing::Market, Lifetime::Day, shares("0.006666667")),
        (Pricing::Limit(price("150.01")), Lifetime::Day, Size::Notional("100".parse().unwrap())),
        (Pricing::Stop(price("160")), Lifetime::Gtc, shares("1")),
        (Pricing::TrailingStop(Trail::Amount(price("0.5"))), Lifetime::Day, shares("1")),
        (Pricing::Market, Lifetime::Cls, shares("1")),
        (Pricing::Limit(price("1")), Lifetime::Gtd("2026-11-20".parse().unwrap()), shares("1")),
        (Pricing::Limit(price("1")), Lifetime::Fok, shares("1")),
    ] {
        let order = order("AAPL", Side::Buy, pricing, lifetime, size);
        let quantity = quantity_of(&order, Some(&apple));
        let on = exchange::trade_date(Market::Us, now());
        assert_eq!(broken_rules(&order, quantity, Some(&apple), now(), on), [], "{order:?}");
    }
}

#[test]
fn the_worst_price_is_where_the_order_wakes_up_and_the_protection_beyond() {
    let apple = quote("AAPL", "100");
    let worst = |side, pricing| {
        worst_price("AAPL".parse().unwrap(), side, pricing, &apple, now().date_naive()).unwrap().to_string()
    };
    let trail = |amount: &str| Pricing::TrailingStop(Trail::Amount(price(amount)));
    assert_eq!(worst(Side::Buy, Pricing::Stop(price("120"))), "126");
    assert_eq!(worst(Side::Buy, Pricing::Stop(price("80"))), "105", "passed already: at the market");
    assert_eq!(worst(Side::Sell, Pricing::Stop(price("80"))), "40", "a stop that sells gets out of a gap");
    assert_eq!(worst(Side::Buy, trail("10")), "115.5");
    assert_eq!(worst(Side::Sell, trail("10")), "45");
    let stop_limit = Pricing::StopLimit { stop: price("120"), limit: price("121") };
    assert_eq!(worst(Side::Buy, stop_limit), "121");
}
