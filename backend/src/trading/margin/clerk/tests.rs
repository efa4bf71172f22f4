use super::*;
use crate::account::{JournalKind, LedgerAccount, MarginSwitches};
use crate::risk::Exposure;
use domain::UserId;
use exchange::MarginRules;
use std::collections::BTreeMap;

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

/// So much cash, and ten shares sold short at this price.
fn book(cash: i64, price: i64) -> MarginBook {
    let quantity = Decimal::from(-10);
    let exposure = Exposure { quantity, mark: Some(price.into()), ..Exposure::default() };
    MarginBook {
        rules: MarginRules::on(day(23)),
        may_short: true,
        is_called: false,
        currency: MARGIN_CURRENCY,
        cash: cash.into(),
        exposures: BTreeMap::from([("AAPL".parse().unwrap(), exposure)]),
    }
}

fn standing(called_at: Option<DateTime<Utc>>) -> MarginStanding {
    MarginStanding {
        account_id: AccountId::generate(),
        user_id: UserId::generate(),
        switches: MarginSwitches { margin: true, short_selling: true },
        charged_through: Some(day(20)),
        called_at,
    }
}

#[test]
fn every_night_is_charged_once() {
    assert_eq!(days_due(Some(day(20)), day(23)), [day(21), day(22), day(23)]);
    assert!(days_due(Some(day(23)), day(23)).is_empty());
    assert!(days_due(Some(day(24)), day(23)).is_empty(), "a clock that went back charges nothing");
    assert!(days_due(None, day(23)).is_empty());
    assert_eq!(days_due(NaiveDate::from_ymd_opt(2020, 1, 1), day(23)).len(), DAYS_CHARGED_LATE_MAX);
}

#[test]
fn money_owed_and_shares_borrowed_cost_each_their_rate() {
    let charged = charges(&book(-3_600, 600), AccountId::generate(), &[day(23)], Utc::now()).unwrap();
    let sums: Vec<_> =
        charged.iter().map(|journal| (journal.kind(), journal.amount_on(LedgerAccount::Cash))).collect();
    let expected = [
        (JournalKind::Interest, "-0.80".parse().unwrap()),
        (JournalKind::BorrowFee, "-0.50".parse().unwrap()),
    ];
    assert_eq!(sums, expected);
    let keys: BTreeSet<&str> = charged.iter().map(Journal::idempotency_key).collect();
    assert_eq!(keys, BTreeSet::from(["interest:USD:2026-11-23", "borrow_fee:AAPL:2026-11-23"]));
}

#[test]
fn a_call_is_told_once_and_ends_when_it_is_met() {
    let now = Utc::now();
    // 1,299 of equity would be there, 300 for each thousand must stay.
    let first = called(&standing(None), &book(1_299, 100), (now, None));
    assert_eq!(first.called_at, Some(now));
    assert_eq!(first.incident.unwrap().kind, MARGIN_CALL);
    let earlier = now - chrono::TimeDelta::hours(1);
    let again = called(&standing(Some(earlier)), &book(1_299, 100), (now, None));
    assert_eq!(again, Call { called_at: Some(earlier), incident: None });
    assert_eq!(called(&standing(Some(earlier)), &book(1_300, 100), (now, None)).called_at, None);
}
