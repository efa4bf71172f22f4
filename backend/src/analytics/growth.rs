//! The time-weighted return of an account, from one moment to the next. Pure.
//!
//! Between two moments an account gains what its worth has grown by beyond the money that came in. That gain is measured
//! against the money that could have made it: what came in counts as if it had been there from the beginning of the span,
//! what was taken out as if it had stayed until its end. Spans are multiplied, so the length and the size of what was
//! there in each do not weigh. (The convention for daily valued portfolios: CFA Institute, GIPS Standards 2020 handbook,
//! "time-weighted return".) With spans of a minute it hardly matters which convention it is.

use crate::portfolio::Worth;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Currency};
use rust_decimal::Decimal;

/// Digits of a growth: as the table keeps it.
const GROWTH_DIGITS: u32 = 12;
/// Digits of a percentage.
const PERCENT_DIGITS: u32 = 2;

/// What an account had in one currency at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    /// Whose.
    pub(super) account_id: AccountId,
    /// Of what.
    pub(super) currency: Currency,
    /// When.
    pub(super) taken_at: DateTime<Utc>,
    /// Cash, what is to be settled included.
    pub(super) cash: Decimal,
    /// Shares at their prices of then.
    pub(super) positions_value: Decimal,
    /// Brought in less taken out, up to then.
    pub(super) net_deposits: Decimal,
    /// What one unit of the first sample has become.
    pub(super) growth: Decimal,
    /// The trading day of its newest price.
    pub(super) session_date: Option<NaiveDate>,
}

impl Sample {
    /// Cash and shares.
    pub(super) fn total(&self) -> Decimal {
        self.cash + self.positions_value
    }

    /// What follows a sample when the account is worth this much; `None` before where nothing was written yet.
    #[must_use]
    pub(super) fn after(before: Option<&Self>, worth: &Worth, taken_at: DateTime<Utc>) -> Self {
        let total = worth.cash + worth.positions_value;
        Self {
            account_id: worth.account_id,
            currency: worth.currency,
            taken_at,
            cash: worth.cash,
            positions_value: worth.positions_value,
            net_deposits: worth.net_deposits,
            growth: before.map_or(Decimal::ONE, |before| grown(before, total, worth.net_deposits)),
            session_date: worth.session_date.or_else(|| before.and_then(|before| before.session_date)),
        }
    }

    /// Whether it tells something that the one before does not.
    #[must_use]
    pub(super) fn differs(&self, before: &Self) -> bool {
        (self.cash, self.positions_value, self.net_deposits)
            != (before.cash, before.positions_value, before.net_deposits)
            || self.session_date != before.session_date
    }

    /// What was gained since an earlier sample: growth of the worth less what was brought in.
    #[must_use]
    pub(super) fn gain_since(&self, earlier: &Self) -> Decimal {
        (self.total() - earlier.total()) - (self.net_deposits - earlier.net_deposits)
    }

    /// The time-weighted return since an earlier sample, in percent; nothing where everything had been lost before.
    #[must_use]
    pub(super) fn return_since(&self, earlier: &Self) -> Option<Decimal> {
        let ratio = self.growth.checked_div(earlier.growth)?;
        Some(((ratio - Decimal::ONE) * Decimal::ONE_HUNDRED).round_dp(PERCENT_DIGITS).normalize())
    }
}

/// The growth up to a moment at which the account is worth `total`.
fn grown(before: &Sample, total: Decimal, net_deposits: Decimal) -> Decimal {
    let flow = net_deposits - before.net_deposits;
    let at_work = before.total() + flow.max(Decimal::ZERO);
    let became = total - flow.min(Decimal::ZERO);
    if at_work <= Decimal::ZERO {
        // Nothing was there that could have gained or lost.
        return before.growth;
    }
    let ratio = became.checked_div(at_work).unwrap_or(Decimal::ONE);
    let grown = before.growth.checked_mul(ratio).unwrap_or(before.growth);
    grown.max(Decimal::ZERO).round_dp(GROWTH_DIGITS).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn worth(cash: i64, shares: i64, net_deposits: i64) -> Worth {
        Worth {
            account_id: AccountId(uuid::Uuid::nil()),
            currency: Currency::Usd,
            cash: Decimal::from(cash),
            positions_value: Decimal::from(shares),
            net_deposits: Decimal::from(net_deposits),
            session_date: None,
        }
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + 60 * minute, 0).unwrap()
    }

    /// The samples of an account that is worth this much, minute by minute.
    fn course(worths: &[Worth]) -> Vec<Sample> {
        let mut samples: Vec<Sample> = Vec::new();
        for (minute, worth) in (0..).zip(worths) {
            samples.push(Sample::after(samples.last(), worth, at(minute)));
        }
        samples
    }

    fn last_growth(worths: &[Worth]) -> Decimal {
        course(worths).last().unwrap().growth
    }

    #[test]
    fn a_deposit_is_no_gain_and_a_withdrawal_no_loss() {
        let course = [worth(0, 0, 0), worth(1_000, 0, 1_000), worth(5_000, 0, 5_000), worth(200, 0, 200)];
        assert_eq!(last_growth(&course), Decimal::ONE);
    }

    #[test]
    fn what_is_gained_counts_alike_before_and_after_more_money_came() {
        // Ten percent on 1,000, then ten percent on 11,100.
        let course = [
            worth(1_000, 0, 1_000),
            worth(0, 1_100, 1_000),
            worth(10_000, 1_100, 11_000),
            worth(0, 12_210, 11_000),
        ];
        assert_eq!(last_growth(&course), Decimal::new(121, 2));
    }

    #[test]
    fn all_money_taken_out_and_brought_in_again_leaves_the_return_of_before() {
        let course = [worth(1_000, 0, 1_000), worth(1_500, 0, 1_000), worth(0, 0, -500), worth(300, 0, -200)];
        assert_eq!(last_growth(&course), Decimal::new(15, 1));
    }

    #[test]
    fn a_gain_in_the_minute_of_a_deposit_is_measured_against_all_the_money() {
        assert_eq!(last_growth(&[worth(0, 0, 0), worth(0, 1_010, 1_000)]), Decimal::new(101, 2));
    }

    #[test]
    fn what_was_lost_altogether_stays_lost() {
        let course = [worth(0, 100, 100), worth(0, 0, 100), worth(50, 0, 150)];
        assert_eq!(last_growth(&course), Decimal::ZERO);
        let samples = super::tests::course(&course);
        assert_eq!(samples[2].return_since(&samples[1]), None);
        assert_eq!(samples[2].return_since(&samples[0]), Some(Decimal::from(-100)));
    }

    #[test]
    fn the_trading_day_is_remembered_while_there_are_no_shares() {
        let day = NaiveDate::from_ymd_opt(2013, 3, 1);
        let samples = course(&[Worth { session_date: day, ..worth(0, 100, 100) }, worth(110, 0, 100)]);
        assert_eq!(samples[1].session_date, day);
        assert_eq!(samples[1].gain_since(&samples[0]), Decimal::TEN);
    }

    proptest! {
        #[test]
        fn money_alone_never_makes_a_return(flows in prop::collection::vec(-1_000i64..1_000, 1..40)) {
            let mut balance = 0;
            let course: Vec<Worth> = flows
                .into_iter()
                .map(|flow| {
                    balance = (balance + flow).max(0);
                    worth(balance, 0, balance)
                })
                .collect();
            prop_assert_eq!(last_growth(&course), Decimal::ONE);
        }

        #[test]
        fn without_flows_the_growth_is_the_ratio_of_the_worths(first in 1i64..1_000_000, rest in prop::collection::vec(1i64..1_000_000, 1..20)) {
            let course: Vec<Worth> = std::iter::once(first).chain(rest).map(|total| worth(0, total, 100)).collect();
            let last = course.last().unwrap().positions_value;
            let wanted = last / Decimal::from(first);
            let off = (last_growth(&course) - wanted).abs() / wanted;
            prop_assert!(off < Decimal::new(1, 5), "{} instead of {}", last_growth(&course), wanted);
        }
    }
}
