use super::*;
use domain::{Money, Price, Quantity, Side};
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Noon in New York on the trade date.
fn booked_at() -> DateTime<Utc> {
    at("2026-11-20T17:00:00Z")
}

fn fill(side: Side, quantity: u32, cents: u32, commission: u32, tax: u32) -> Fill {
    Fill {
        account_id: AccountId::generate(),
        execution_id: "x:1".to_owned(),
        symbol: "AAPL".parse().unwrap(),
        side,
        quantity: Quantity::new(Decimal::from(quantity)).unwrap(),
        price: Price::new(Decimal::new(i64::from(cents), 2)).unwrap(),
        commission: Decimal::new(i64::from(commission), 2),
        tax: Decimal::new(i64::from(tax), 2),
        trade_date: day("2026-11-20"),
        settle_date: day("2026-11-23"),
        booked_at: booked_at(),
    }
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn is_balanced(journal: &Journal) -> bool {
    let mut sums = BTreeMap::<Commodity, Decimal>::new();
    for posting in journal.postings() {
        *sums.entry(posting.commodity).or_default() += posting.amount;
    }
    sums.values().all(Decimal::is_zero)
}

#[test]
fn a_purchase_promises_its_notional_and_fees() {
    let journal = Journal::fill(&fill(Side::Buy, 10, 15_025, 100, 2), decimal("1502.50")).unwrap();
    assert_eq!(journal.amount_on(LedgerAccount::Payable), decimal("-1503.52"));
    assert_eq!(journal.amount_on(LedgerAccount::Cash), Decimal::ZERO, "no cash has moved yet");
    assert_eq!(journal.amount_on(LedgerAccount::PositionCost), decimal("1502.50"));
    assert_eq!(journal.amount_on(LedgerAccount::RealisedPnl), Decimal::ZERO);
    assert_eq!(journal.amount_on(LedgerAccount::Shares), Decimal::TEN);
}

#[test]
fn a_profit_is_what_the_sale_brought_above_its_cost() {
    let journal = Journal::fill(&fill(Side::Sell, 10, 16_000, 100, 0), decimal("-1502.50")).unwrap();
    assert_eq!(journal.amount_on(LedgerAccount::Receivable), decimal("1599"));
    assert_eq!(journal.amount_on(LedgerAccount::RealisedPnl), decimal("-97.50"));
}

#[test]
fn a_trade_that_becomes_known_on_its_settlement_day_is_booked_as_settled() {
    for (known, settled) in [("2026-11-23T04:59:59Z", false), ("2026-11-23T05:00:00Z", true)] {
        let fill = Fill { booked_at: at(known), ..fill(Side::Buy, 1, 10_000, 0, 0) };
        let journal = Journal::fill(&fill, Decimal::ONE_HUNDRED).unwrap();
        assert_eq!(journal.amount_on(LedgerAccount::Cash).is_zero(), !settled, "{known}");
    }
}

#[test]
fn nothing_is_moved_by_an_amount_of_zero_or_less() {
    let (account, other) = (AccountId::generate(), AccountId::generate());
    for amount in [Decimal::ZERO, Decimal::NEGATIVE_ONE] {
        let (money, other_money) =
            (Money::new(amount, Currency::Usd), Money::new(Decimal::ONE, Currency::Krw));
        let refused = Err(LedgerError::Impossible);
        assert_eq!(Journal::deposit(account, Currency::Usd, amount, "k".into(), booked_at()), refused);
        assert_eq!(Journal::withdrawal(account, money, "k".into(), booked_at()), refused);
        let refused = LedgerError::Impossible;
        assert_eq!(Journal::transfer((account, other), money, "k", booked_at()).unwrap_err(), refused);
        let exchange = Journal::exchange(account, money, other_money, Decimal::ZERO, "k", booked_at());
        assert_eq!(exchange.unwrap_err(), refused);
    }
}

#[test]
fn nothing_is_exchanged_for_itself_and_nothing_transferred_to_where_it_is() {
    let (account, money) = (AccountId::generate(), Money::new(Decimal::ONE, Currency::Usd));
    assert!(Journal::exchange(account, money, money, Decimal::ZERO, "k", booked_at()).is_err());
    assert!(Journal::transfer((account, account), money, "k", booked_at()).is_err());
}

#[test]
fn a_reversal_is_the_mirror_of_what_it_takes_back() {
    let original = Journal::fill(&fill(Side::Sell, 10, 16_000, 100, 7), decimal("-1502.50")).unwrap();
    let stored = StoredJournal {
        id: original.id(),
        account_id: original.account_id(),
        kind: original.kind(),
        execution_id: original.execution_id().map(str::to_owned),
        trade_date: original.dates().0,
        settle_date: original.dates().1,
        link_id: None,
        postings: original.postings().to_vec(),
    };
    let pending = Journal::reversal(&stored, false, booked_at()).unwrap();
    assert_eq!(pending.amount_on(LedgerAccount::Receivable), -original.amount_on(LedgerAccount::Receivable));
    assert_eq!((pending.reverses(), pending.dates()), (Some(original.id()), original.dates()));
    let settled = Journal::reversal(&stored, true, booked_at()).unwrap();
    assert_eq!(settled.amount_on(LedgerAccount::Receivable), Decimal::ZERO);
    assert_eq!(settled.amount_on(LedgerAccount::Cash), -original.amount_on(LedgerAccount::Receivable));
    assert!(is_balanced(&pending) && is_balanced(&settled));
}

/// The slow, obvious reference: day by day, what would be in the till if everything were paid out today?
fn withdrawable_slowly(settled: i64, held: i64, promises: &[(u8, i64)]) -> i64 {
    (0..=settled.max(0))
        .rev()
        .find(|taken| {
            (0..=20u8).all(|today| {
                let kept: i64 =
                    promises.iter().filter(|(on, _)| *on <= today).map(|(_, amount)| amount).sum();
                settled + kept - taken - held >= 0
            })
        })
        .unwrap_or(0)
}

proptest! {
    #[test]
    fn every_fill_is_balanced_and_moves_exactly_its_shares(
        sell in any::<bool>(), quantity in 1u32..1_000_000, cents in 1u32..100_000_000,
        cost in 0u32..u32::MAX, commission in 0u32..10_000, tax in 0u32..10_000,
    ) {
        let side = if sell { Side::Sell } else { Side::Buy };
        let fill = fill(side, quantity, cents, commission, tax);
        let cost = Decimal::new(i64::from(cost), 2);
        let journal = Journal::fill(&fill, if sell { -cost } else { cost }).unwrap();
        prop_assert!(is_balanced(&journal));
        let signed = if sell { -fill.quantity.value() } else { fill.quantity.value() };
        prop_assert_eq!(journal.amount_on(LedgerAccount::Shares), signed);
    }

    #[test]
    fn both_sides_of_a_movement_balance_and_know_each_other(cents in 1i64..1_000_000_000, won in 1i64..1_000_000_000, fee in 0i64..1_000) {
        let money = Money::new(Decimal::new(cents, 2), Currency::Usd);
        let (account, other) = (AccountId::generate(), AccountId::generate());
        let transfer = Journal::transfer((account, other), money, "k", booked_at()).unwrap();
        let received = Money::new(Decimal::from(won), Currency::Krw);
        let exchange = Journal::exchange(account, money, received, Decimal::new(fee, 2), "k", booked_at()).unwrap();
        for [out, back] in [transfer, exchange] {
            prop_assert!(is_balanced(&out) && is_balanced(&back));
            prop_assert!(out.link_id().is_some() && out.link_id() == back.link_id());
            prop_assert_ne!(out.idempotency_key(), back.idempotency_key());
        }
    }

    #[test]
    fn what_can_be_taken_out_never_leaves_a_day_without_its_money(
        settled in 0i64..300, held in 0i64..200, promises in prop::collection::vec((1u8..6, -200i64..200), 0..8),
    ) {
        let unsettled: Vec<Unsettled> = promises.iter().map(|(on, amount)| Unsettled {
            id: Uuid::now_v7(),
            account_id: AccountId::generate(),
            currency: Currency::Usd,
            settle_date: day("2026-11-20") + chrono::Days::new(u64::from(*on)),
            receivable: Decimal::from((*amount).max(0)),
            payable: Decimal::from((*amount).min(0)),
        }).collect();
        let total = settled + promises.iter().map(|(_, amount)| amount).sum::<i64>();
        let found = withdrawable(Decimal::from(total), Decimal::from(held), &unsettled);
        prop_assert_eq!(found, Decimal::from(withdrawable_slowly(settled, held, &promises)));
    }

    #[test]
    fn settling_turns_promises_into_cash_and_changes_no_total(receivable in 0i64..1_000_000, payable in 0i64..1_000_000) {
        let promise = Unsettled {
            id: Uuid::now_v7(),
            account_id: AccountId::generate(),
            currency: Currency::Usd,
            settle_date: day("2026-11-23"),
            receivable: Decimal::new(receivable, 2),
            payable: Decimal::new(-payable, 2),
        };
        let Some(journal) = Journal::settlement(&promise, booked_at()).unwrap() else {
            prop_assert!(receivable == 0 && payable == 0);
            return Ok(());
        };
        prop_assert_eq!(journal.amount_on(LedgerAccount::Cash), promise.net());
        prop_assert_eq!(journal.balance_changes().map(|(_, amount)| amount).sum::<Decimal>(), Decimal::ZERO);
    }
}
