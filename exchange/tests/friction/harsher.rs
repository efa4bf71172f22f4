//! Each setting does what its name promises: the harsher one is later, dearer and thinner, whatever the order and the history.

use super::*;

/// Shares that the one order of a book has had after each quote of a history.
fn had(setting: Simulation, order: &BookOrder, quotes: &[(u32, u64)]) -> Vec<Decimal> {
    let mut book = book_at(15_000);
    book.submit(BookOrder { course: Course::new(setting, order.id, start()), ..order.clone() }, start());
    let (mut volume, mut sum) = (1_000_000, Decimal::ZERO);
    let times = (1..).map(|tenth| start() + TimeDelta::milliseconds(100 * tenth));
    quotes
        .iter()
        .zip(times)
        .map(|((last, traded), at)| {
            volume += traded;
            let events = book.on_quote(&quote(*last, volume, at), at);
            sum += fills(&events).iter().map(|(_, quantity, _)| *quantity).sum::<Decimal>();
            sum
        })
        .collect()
}

/// The price of the one execution of a market order that a quote with so many shares traded leads to.
fn price_had(setting: Simulation, order: &BookOrder, traded: u64) -> Price {
    let mut book = book_at(15_000);
    let order = BookOrder { course: Course::new(setting, order.id, start()), ..order.clone() };
    let mut events = book.submit(order, start());
    let at = start() + WAIT;
    events.extend(book.on_quote(&quote(15_000, 1_000_000 + traded, at), at));
    match fills(&events)[..] {
        [(_, _, price)] => price,
        _ => panic!("{events:?}"),
    }
}

fn a_history() -> impl Strategy<Value = Vec<(u32, u64)>> {
    prop::collection::vec((14_990u32..15_010, prop_oneof![Just(0u64), 0u64..5_000]), 1..60)
}

proptest! {
    #[test]
    fn a_harsher_market_never_gives_more_or_sooner_to_who_takes(
        number: u32, quantity in 1u32..2_000, volumes in prop::collection::vec(0u64..5_000, 1..60),
    ) {
        let flat: Vec<(u32, u64)> = volumes.into_iter().map(|traded| (15_000, traded)).collect();
        let order = market(number, 20_000, quantity);
        let (realistic, harsh) = (had(Simulation::Realistic, &order, &flat), had(Simulation::Harsh, &order, &flat));
        for (realistic, harsh) in realistic.iter().zip(&harsh) {
            // In the ideal market all of it was had before the first of these.
            prop_assert!(harsh <= realistic && *realistic <= Decimal::from(quantity));
        }
    }

    #[test]
    fn a_harsher_market_never_gives_more_or_sooner_to_who_waits(
        number: u32, limit in 14_990u32..15_010, quantity in 1u32..500, sells: bool, history in a_history(),
    ) {
        let side = if sells { Side::Sell } else { Side::Buy };
        let order = BookOrder { side, ..buy(number, limit, quantity) };
        let (realistic, harsh) = (had(Simulation::Realistic, &order, &history), had(Simulation::Harsh, &order, &history));
        for (realistic, harsh) in realistic.iter().zip(&harsh) {
            prop_assert!(harsh <= realistic, "{harsh} and {realistic}");
        }
    }

    #[test]
    fn a_harsher_market_never_has_a_better_price(number: u32, quantity in 1u32..100, traded in 0u64..1_000_000, sells: bool) {
        // Enough for the whole order in the harshest market.
        let traded = traded + u64::from(quantity) * 40;
        let (side, protection) = if sells { (Side::Sell, 1) } else { (Side::Buy, 20_000) };
        let order = BookOrder { side, ..market(number, protection, quantity) };
        let [ideal, realistic, harsh] = Simulation::ALL.map(|setting| price_had(setting, &order, traded));
        if sells {
            prop_assert!(ideal >= realistic && realistic >= harsh, "{ideal} {realistic} {harsh}");
        } else {
            prop_assert!(ideal <= realistic && realistic <= harsh, "{ideal} {realistic} {harsh}");
        }
    }

    #[test]
    fn a_harsher_market_is_reached_later_and_has_a_longer_queue_and_a_wider_spread(id: u128, turn in 0u32..100, volume: u64, traded: u64, cents_ in 100u32..1_000_000) {
        let (realistic, harsh) = (Simulation::Realistic.friction().unwrap(), Simulation::Harsh.friction().unwrap());
        let id = OrderId(uuid::Uuid::from_u128(id));
        prop_assert!(realistic.latency(id, turn) <= harsh.latency(id, turn));
        prop_assert!(realistic.queue(volume) <= harsh.queue(volume));
        prop_assert!(realistic.volume_share(volume, traded) >= harsh.volume_share(volume, traded));
        let bare = Quote { bid: None, ask: None, ..quote(cents_, 0, start()) };
        let on = start().date_naive();
        prop_assert!(realistic.touch(Side::Buy, &bare, on) <= harsh.touch(Side::Buy, &bare, on));
        prop_assert!(realistic.touch(Side::Sell, &bare, on) >= harsh.touch(Side::Sell, &bare, on));
        prop_assert!(bare.price <= realistic.touch(Side::Buy, &bare, on) && bare.price >= realistic.touch(Side::Sell, &bare, on));
    }
}
