use super::*;
use proptest::prelude::*;

/// A day's movement: bought or sold shares for so much, or pieces counted anew.
#[derive(Debug, Clone, Copy)]
enum Step {
    Buy(u32, u32),
    Sell(u32, u32),
    Split(u32, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1u32..300, 1u32..1_000_000).prop_map(|(quantity, cents)| Step::Buy(quantity, cents)),
        4 => (1u32..300, 1u32..1_000_000).prop_map(|(quantity, cents)| Step::Sell(quantity, cents)),
        1 => (1u32..5, 1u32..5).prop_map(|(new, old)| Step::Split(new, old)),
    ];
    prop::collection::vec(step, 1..60)
}

fn day(index: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 5).unwrap() + chrono::Days::new(u64::try_from(index / 3).unwrap())
}

fn fill(side: Side, quantity: u32, cents: u32) -> PositionFill {
    PositionFill {
        side,
        quantity: Decimal::from(quantity),
        notional: Decimal::new(i64::from(cents), 2),
        commission: Decimal::ZERO,
        tax: Decimal::ZERO,
        currency: Currency::Usd,
    }
}

fn trade(holding: &mut Holding, fill: &PositionFill, index: usize) -> (Uuid, Option<Sale>) {
    let id = Uuid::now_v7();
    let change = holding.state.apply(fill);
    (id, holding.follow(fill, change, (id, day(index))))
}

/// The slow, obvious reference: every single share lies in a queue with what it has cost, unrounded.
#[derive(Default)]
struct Queue(std::collections::VecDeque<Decimal>);

impl Queue {
    fn buy(&mut self, quantity: u32, cents: u32) {
        let each = Decimal::new(i64::from(cents), 2) / Decimal::from(quantity);
        self.0.extend((0..quantity).map(|_| each));
    }

    fn sell(&mut self, quantity: u32) -> Decimal {
        (0..quantity).map(|_| self.0.pop_front().unwrap()).sum()
    }
}

#[test]
fn the_oldest_shares_are_sold_first_and_the_average_beside_them() {
    let mut holding = Holding::default();
    let (first, _) = trade(&mut holding, &fill(Side::Buy, 10, 100_000), 0);
    let (second, _) = trade(&mut holding, &fill(Side::Buy, 10, 200_000), 3);
    let (_, sale) = trade(&mut holding, &fill(Side::Sell, 15, 300_000), 6);
    let sale = sale.unwrap();
    assert_eq!(sale.average_cost, Decimal::from(2_250));
    assert_eq!(sale.fifo_cost(), Decimal::from(2_000));
    let from: Vec<_> = sale.lots.iter().map(|lot| (lot.lot_id, lot.quantity, lot.proceeds)).collect();
    assert_eq!(
        from,
        [(first, Decimal::TEN, Decimal::from(2_000)), (second, Decimal::from(5), Decimal::from(1_000)),]
    );
    assert_eq!(holding.state.realised_pnl, Decimal::from(750));
    assert_eq!(holding.state.fifo_realised_pnl, Decimal::from(1_000));
}

#[test]
fn a_purchase_reported_late_is_sold_by_its_day() {
    let mut holding = Holding::default();
    trade(&mut holding, &fill(Side::Buy, 1, 200), 6);
    let (late, _) = trade(&mut holding, &fill(Side::Buy, 1, 100), 0);
    let (_, sale) = trade(&mut holding, &fill(Side::Sell, 1, 300), 9);
    assert_eq!(sale.unwrap().lots[0].lot_id, late);
}

#[test]
fn a_split_counts_shares_from_before_its_day_and_keeps_their_cost() {
    let mut holding = Holding::default();
    trade(&mut holding, &fill(Side::Buy, 10, 100_000), 0);
    trade(&mut holding, &fill(Side::Buy, 10, 50_000), 6);
    let change = holding.split(Decimal::TWO, Decimal::ONE, Some(day(6))).unwrap();
    assert_eq!((change, holding.state.quantity), (Decimal::TEN, Decimal::from(30)));
    assert_eq!((holding.state.cost, holding.lots.cost()), (Decimal::from(1_500), Decimal::from(1_500)));
}

#[test]
fn what_is_sold_before_it_is_there_leaves_no_lot() {
    let mut holding = Holding::default();
    let (_, sale) = trade(&mut holding, &fill(Side::Sell, 5, 50_000), 0);
    assert!(sale.unwrap().lots.is_empty());
    trade(&mut holding, &fill(Side::Buy, 8, 88_000), 1);
    assert_eq!(holding.lots.quantity(), Decimal::from(3));
    assert_eq!((holding.state.fifo_cost, holding.state.cost), (Decimal::from(330), Decimal::from(330)));
    assert_eq!(holding.state.fifo_realised_pnl, holding.state.realised_pnl);
}

proptest! {
    #[test]
    fn lots_and_average_hold_the_same_shares_and_tell_the_same_money(steps in steps()) {
        let mut holding = Holding::default();
        let mut cash = Decimal::ZERO;
        for (index, step) in steps.into_iter().enumerate() {
            match step {
                Step::Buy(quantity, cents) => {
                    trade(&mut holding, &fill(Side::Buy, quantity, cents), index);
                    cash -= Decimal::new(i64::from(cents), 2);
                }
                Step::Sell(quantity, cents) => {
                    let before = holding.lots.cost();
                    let (_, sale) = trade(&mut holding, &fill(Side::Sell, quantity, cents), index);
                    let sale = sale.unwrap();
                    prop_assert_eq!(before - holding.lots.cost(), sale.fifo_cost(), "the parts are the whole");
                    let sold: Decimal = sale.lots.iter().map(|lot| lot.quantity).sum();
                    if sold == sale.quantity {
                        let paid: Decimal = sale.lots.iter().map(|lot| lot.proceeds).sum();
                        prop_assert_eq!(paid, sale.proceeds);
                    }
                    cash += sale.proceeds;
                }
                Step::Split(new, old) => {
                    holding.split(new.into(), old.into(), None).unwrap();
                }
            }
            let state = holding.state;
            prop_assert_eq!(holding.lots.quantity(), state.quantity.max(Decimal::ZERO));
            prop_assert_eq!(holding.lots.cost(), state.fifo_cost);
            prop_assert_eq!(cash + state.cost, state.realised_pnl);
            prop_assert_eq!(cash + state.fifo_cost, state.fifo_realised_pnl);
            for lot in holding.lots.iter() {
                prop_assert!(lot.quantity >= Decimal::ZERO && lot.cost >= Decimal::ZERO);
                prop_assert!(!lot.quantity.is_zero() || lot.cost.is_zero(), "no cost without shares");
                prop_assert!(lot.cost.scale() <= 2 && lot.quantity.scale() <= 9);
            }
        }
    }

    #[test]
    fn lots_sell_what_a_queue_of_single_shares_would(trades in prop::collection::vec((any::<bool>(), 1u32..60, 1u32..100_000), 1..40)) {
        let (mut holding, mut queue) = (Holding::default(), Queue::default());
        // The reference divides, so it has an error of its own.
        let mut roundings = Decimal::new(1, 9);
        for (index, (sell, quantity, cents)) in trades.into_iter().enumerate() {
            if !sell {
                trade(&mut holding, &fill(Side::Buy, quantity, cents), index);
                queue.buy(quantity, cents);
                continue;
            }
            let Some(quantity) = Some(quantity.min(u32::try_from(queue.0.len()).unwrap())).filter(|quantity| *quantity > 0) else { continue };
            let (_, sale) = trade(&mut holding, &fill(Side::Sell, quantity, cents), index);
            let sale = sale.unwrap();
            roundings += Decimal::new(5, 3) * Decimal::from(sale.lots.len());
            let exact = queue.sell(quantity);
            prop_assert!((sale.fifo_cost() - exact).abs() <= roundings, "{} for {exact}", sale.fifo_cost());
            prop_assert_eq!(holding.lots.quantity(), Decimal::from(queue.0.len()));
        }
        let left: Decimal = queue.0.iter().sum();
        prop_assert!((holding.lots.cost() - left).abs() <= roundings + Decimal::new(1, 9));
    }

    #[test]
    fn pieces_of_lots_add_up_to_the_pieces_of_the_whole(quantities in prop::collection::vec(1u64..1_000_000_000, 1..20), new in 1u32..100, old in 1u32..100) {
        let mut lots = Lots::default();
        for (index, quantity) in quantities.iter().enumerate() {
            lots.open(Uuid::now_v7(), day(index), Decimal::new(i64::try_from(*quantity).unwrap(), 3), Decimal::ONE);
        }
        let whole = lots.quantity() * Decimal::from(new) / Decimal::from(old);
        let counted = lots.scale(new.into(), old.into(), None).unwrap();
        prop_assert_eq!(counted, lots.quantity());
        prop_assert!(counted <= whole && whole - counted < Decimal::new(1, 9));
    }
}

/// The slow, obvious reference for both sides of zero: every single share lies in a queue with what it was opened for,
/// unrounded, and a share of the other side takes the oldest away.
#[derive(Default)]
struct BothSides {
    opened: std::collections::VecDeque<Decimal>,
    is_short: bool,
    gained: Decimal,
}

impl BothSides {
    fn trade(&mut self, side: Side, quantity: u32, cents: u32) {
        let each = Decimal::new(i64::from(cents), 2) / Decimal::from(quantity);
        for _ in 0..quantity {
            let closes = !self.opened.is_empty() && self.is_short == (side == Side::Buy);
            if closes {
                let opened = self.opened.pop_front().unwrap();
                self.gained += if self.is_short { opened - each } else { each - opened };
            } else {
                self.is_short = side == Side::Sell;
                self.opened.push_back(each);
            }
        }
    }

    fn quantity(&self) -> Decimal {
        let shares = Decimal::from(self.opened.len());
        if self.is_short { -shares } else { shares }
    }
}

proptest! {
    #[test]
    fn long_or_short_the_lots_are_those_of_a_queue_of_single_shares(
        trades in prop::collection::vec((any::<bool>(), 1u32..60, 1u32..1_000_000), 1..40),
    ) {
        let (mut holding, mut slow) = (Holding::default(), BothSides::default());
        for (index, (sell, quantity, cents)) in trades.iter().enumerate() {
            let side = if *sell { Side::Sell } else { Side::Buy };
            let fill = fill(side, *quantity, *cents);
            let change = holding.state.apply_either_way(&fill);
            let sale = holding.follow_either_way(&fill, change, (Uuid::now_v7(), day(index)));
            slow.trade(side, *quantity, *cents);
            let state = holding.state;
            prop_assert_eq!(state.quantity, slow.quantity());
            prop_assert_eq!(holding.lots.quantity(), state.quantity);
            prop_assert_eq!(holding.lots.cost(), state.fifo_cost);
            prop_assert_eq!(state.cost - state.realised_pnl, state.fifo_cost - state.fifo_realised_pnl);
            // Each part of a lot and of an execution is rounded to the cent once.
            let roundings = Decimal::new(i64::try_from(2 * (index + 1) * (index + 2)).unwrap(), 2);
            prop_assert!((state.fifo_realised_pnl - slow.gained).abs() <= roundings, "{} for {}", state.fifo_realised_pnl, slow.gained);
            if let Some(sale) = sale {
                prop_assert_eq!(sale.lots.iter().map(|lot| lot.quantity).sum::<Decimal>(), sale.quantity);
                prop_assert_eq!(sale.lots.iter().map(|lot| lot.proceeds).sum::<Decimal>(), sale.proceeds);
            }
        }
    }
}

#[test]
fn a_split_counts_shares_sold_short_as_it_does_others() {
    let mut holding = Holding::default();
    let sold = fill(Side::Sell, 10, 150_000);
    let change = holding.state.apply_either_way(&sold);
    holding.follow_either_way(&sold, change, (Uuid::now_v7(), day(0)));
    let change = holding.split(Decimal::TWO, Decimal::ONE, None).unwrap();
    assert_eq!((change, holding.state.quantity), (-Decimal::TEN, Decimal::from(-20)));
    assert_eq!((holding.lots.quantity(), holding.lots.cost()), (Decimal::from(-20), Decimal::from(-1_500)));
}
