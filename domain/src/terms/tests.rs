use super::*;

fn price(text: &str) -> Option<Price> {
    Some(text.parse().unwrap())
}

fn all_fields() -> PriceFields {
    PriceFields {
        limit_price: price("1"),
        stop_price: price("2"),
        trail_amount: price("3"),
        trail_percent: Some("4".parse().unwrap()),
    }
}

#[test]
fn every_stored_name_is_read_back_and_is_the_word_of_the_api() {
    for known in OrderType::ALL {
        assert_eq!(OrderType::from_name(known.name()), Some(*known));
        assert_eq!(serde_json::to_string(known).unwrap(), format!("\"{}\"", known.name()));
    }
    for known in TimeInForce::ALL {
        assert_eq!(TimeInForce::from_name(known.name()), Some(*known));
        assert_eq!(serde_json::to_string(known).unwrap(), format!("\"{}\"", known.name()));
    }
}

#[test]
fn every_type_names_the_prices_it_lacks_and_those_it_does_not_have() {
    let complaints = |order_type, fields| {
        let wrong = Pricing::from_fields(order_type, fields).unwrap_err();
        wrong.into_iter().map(|wrong| (wrong.field, wrong.rule)).collect::<Vec<_>>()
    };
    let none = PriceFields::default();
    assert_eq!(complaints(OrderType::Limit, none), [("limitPrice", "required")]);
    assert_eq!(complaints(OrderType::Stop, none), [("stopPrice", "required")]);
    assert_eq!(
        complaints(OrderType::StopLimit, none),
        [("limitPrice", "required"), ("stopPrice", "required")]
    );
    assert_eq!(complaints(OrderType::TrailingStop, none), [("trailAmount", "required")]);
    let (limit, stop) = (("limitPrice", "not_allowed"), ("stopPrice", "not_allowed"));
    let trails = [("trailAmount", "not_allowed"), ("trailPercent", "not_allowed")];
    assert_eq!(complaints(OrderType::Market, all_fields()), [limit, stop, trails[0], trails[1]]);
    assert_eq!(complaints(OrderType::Limit, all_fields()), [stop, trails[0], trails[1]]);
    assert_eq!(complaints(OrderType::StopLimit, all_fields()), trails);
    assert_eq!(
        complaints(OrderType::TrailingStop, all_fields()),
        [limit, stop, ("trailPercent", "contradiction")]
    );
}

#[test]
fn the_prices_of_every_type_are_read_back_as_written() {
    let (one, two) = ("1".parse().unwrap(), "2".parse().unwrap());
    for pricing in [
        Pricing::Market,
        Pricing::Limit(one),
        Pricing::Stop(two),
        Pricing::StopLimit { stop: two, limit: one },
        Pricing::TrailingStop(Trail::Amount(one)),
        Pricing::TrailingStop(Trail::Percent("4".parse().unwrap())),
    ] {
        assert_eq!(Pricing::from_fields(pricing.order_type(), pricing.fields()), Ok(pricing));
    }
}

#[test]
fn only_gtd_has_a_day_and_never_lacks_it() {
    let day = NaiveDate::from_ymd_opt(2026, 12, 1);
    for time_in_force in TimeInForce::ALL {
        let gtd = *time_in_force == TimeInForce::Gtd;
        let with = Lifetime::from_fields(*time_in_force, day);
        let without = Lifetime::from_fields(*time_in_force, None);
        assert_eq!((with.is_ok(), without.is_ok()), (gtd, !gtd));
        let lifetime = with.or(without).unwrap();
        assert_eq!(lifetime.time_in_force(), *time_in_force);
        assert_eq!(lifetime.expire_date().is_some(), gtd);
    }
}

#[test]
fn a_trailing_stop_stands_on_the_far_side_of_the_best_price() {
    let mark = "200".parse().unwrap();
    let percent = Trail::Percent("2.5".parse().unwrap());
    assert_eq!(percent.stop_from(Side::Sell, mark), price("195"));
    assert_eq!(percent.stop_from(Side::Buy, mark), price("205"));
    assert_eq!(Trail::Amount(mark).stop_from(Side::Sell, mark), None, "nothing would be left");
}

#[test]
fn what_waits_for_a_price_is_not_immediate_and_in_no_auction() {
    let order = |pricing, lifetime, quantity: &str| NewOrder {
        account_id: AccountId::generate(),
        symbol: "AAPL".parse().unwrap(),
        side: Side::Buy,
        pricing,
        lifetime,
        size: Size::Shares(quantity.parse().unwrap()),
    };
    let stop = Pricing::Stop("2".parse().unwrap());
    for lifetime in [Lifetime::Ioc, Lifetime::Fok, Lifetime::Opg, Lifetime::Cls] {
        assert_eq!(order(stop, lifetime, "1").contradictions()[0].field, "timeInForce");
        assert!(order(Pricing::Market, lifetime, "1").contradictions().is_empty());
        assert_eq!(order(Pricing::Market, lifetime, "1.5").contradictions()[0].field, "quantity");
    }
    assert!(order(Pricing::Market, Lifetime::Day, "1.5").contradictions().is_empty());
    let notional = NewOrder {
        size: Size::Notional("100".parse().unwrap()),
        ..order(Pricing::Market, Lifetime::Gtc, "1")
    };
    assert_eq!(notional.contradictions()[0].field, "notional");
}
