use super::*;
use proptest::prelude::*;

fn movement(kind: JournalKind, shares: i64, cents: u32, index: usize) -> Movement {
    let monday = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
    Movement {
        journal_id: Uuid::now_v7(),
        kind,
        trade_date: monday + chrono::Days::new(u64::try_from(index / 2).unwrap()),
        shares: shares.into(),
        worth: Decimal::new(i64::from(cents), 2),
        split: None,
    }
}

fn movements() -> impl Strategy<Value = Vec<Movement>> {
    let step = prop_oneof![
        8 => (any::<bool>(), 1i64..100, 1u32..1_000_000),
        1 => (Just(true), Just(0i64), 1u32..5),
    ];
    prop::collection::vec(step, 2..40).prop_map(|steps| {
        let steps = steps.into_iter().enumerate();
        steps
            .map(|(index, (buy, shares, number))| match shares {
                0 => Movement {
                    split: Some((number.into(), Decimal::TWO, None)),
                    ..movement(JournalKind::Split, 0, 0, index)
                },
                _ => movement(JournalKind::Fill, if buy { shares } else { -shares }, number, index),
            })
            .collect()
    })
}

/// The journal of a trade as the books had it: what it moved when it was booked.
fn journal_of(movements: &[Movement], index: usize, either_way: bool) -> StoredJournal {
    let before = replay(&movements[..index], Currency::Usd, either_way).unwrap().0.state;
    let after = replay(&movements[..=index], Currency::Usd, either_way).unwrap().0.state;
    let posting = |ledger_account, amount| account::Posting {
        ledger_account,
        symbol: Some("AAPL".parse().unwrap()),
        commodity: account::Commodity::Cash(Currency::Usd),
        amount,
    };
    StoredJournal {
        id: movements[index].journal_id,
        account_id: AccountId::generate(),
        kind: JournalKind::Fill,
        execution_id: Some("x".to_owned()),
        trade_date: movements[index].trade_date,
        settle_date: movements[index].trade_date,
        link_id: None,
        postings: vec![
            posting(LedgerAccount::Shares, after.quantity - before.quantity),
            posting(LedgerAccount::PositionCost, after.cost - before.cost),
            posting(LedgerAccount::RealisedPnl, before.realised_pnl - after.realised_pnl),
        ],
    }
}

#[test]
fn a_purchase_taken_back_gives_its_later_sales_other_shares() {
    let movements = [
        movement(JournalKind::Fill, 10, 100_000, 0),
        movement(JournalKind::Fill, 10, 300_000, 2),
        movement(JournalKind::Fill, -5, 200_000, 4),
    ];
    let before = replay(&movements, Currency::Usd, false).unwrap().0.state;
    assert_eq!((before.cost, before.realised_pnl), (Decimal::from(3_000), Decimal::from(1_000)));
    let kept = [movements[0].clone(), movements[2].clone()];
    let counted = replay(&kept, Currency::Usd, false).unwrap().0.state;
    let key = (AccountId::generate(), "AAPL".parse().unwrap());
    let place = (key, Uuid::now_v7());
    let (state, journal) =
        recost(&journal_of(&movements, 1, false), &before, counted, place, Utc::now()).unwrap();
    assert_eq!((state.quantity, state.cost), (Decimal::from(5), Decimal::from(500)));
    assert_eq!(state.realised_pnl, Decimal::from(1_500), "sold for 2,000 what had cost 500");
    let journal = journal.unwrap();
    assert_eq!(journal.amount_on(LedgerAccount::PositionCost), Decimal::from(500));
    assert_eq!(journal.amount_on(LedgerAccount::Shares), Decimal::ZERO);
}

proptest! {
    #[test]
    fn what_was_taken_back_was_never_there(
            movements in movements(), chosen in any::<prop::sample::Index>(), may_short in any::<bool>(),
        ) {
        let trades: Vec<usize> = (0..movements.len()).filter(|index| movements[*index].kind == JournalKind::Fill).collect();
        prop_assume!(!trades.is_empty());
        let index = trades[chosen.index(trades.len())];
        let before = replay(&movements, Currency::Usd, may_short).unwrap().0.state;
        let kept: Vec<Movement> = movements.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, movement)| movement.clone()).collect();
        let never = replay(&kept, Currency::Usd, may_short).unwrap().0.state;
        let key = (AccountId::generate(), "AAPL".parse().unwrap());
        let place = (key, Uuid::now_v7());
        let (state, _) = recost(&journal_of(&movements, index, may_short), &before, never, place, Utc::now()).unwrap();
        prop_assert_eq!(state, never);
    }
}
