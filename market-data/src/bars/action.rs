//! Corporate actions as a source tells them. Pure.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

/// What a company did, and from which day on its share is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CorporateAction {
    /// The first day on which the share trades without it.
    pub ex_date: NaiveDate,
    /// What.
    #[serde(flatten)]
    pub kind: ActionKind,
}

/// What a company can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ActionKind {
    /// New shares for old ones; fewer of them in a reverse split.
    Split {
        /// So many new ones…
        numerator: Decimal,
        /// …for so many old ones.
        denominator: Decimal,
    },
    /// Cash for each share.
    Dividend {
        /// In the share's currency, counted in the shares of today: later splits are taken out.
        amount: Decimal,
    },
}

impl CorporateAction {
    /// A split, unless it is none.
    #[must_use]
    pub fn split(ex_date: NaiveDate, numerator: Decimal, denominator: Decimal) -> Option<Self> {
        let positive = numerator > Decimal::ZERO && denominator > Decimal::ZERO;
        let (numerator, denominator) = (numerator.normalize(), denominator.normalize());
        let kind = ActionKind::Split { numerator, denominator };
        (positive && numerator != denominator).then_some(Self { ex_date, kind })
    }

    /// A dividend, unless nothing is paid.
    #[must_use]
    pub fn dividend(ex_date: NaiveDate, amount: Decimal) -> Option<Self> {
        let kind = ActionKind::Dividend { amount: amount.normalize() };
        (amount > Decimal::ZERO).then_some(Self { ex_date, kind })
    }

    /// Its kind's name in tables.
    pub(super) const fn name(&self) -> &'static str {
        match self.kind {
            ActionKind::Split { .. } => "split",
            ActionKind::Dividend { .. } => "dividend",
        }
    }
}

/// Puts actions in the order of their days, each once.
#[must_use]
pub fn in_order(mut actions: Vec<CorporateAction>) -> Vec<CorporateAction> {
    actions.sort_by_key(|action| (action.ex_date, action.name()));
    actions.dedup_by_key(|action| (action.ex_date, action.name()));
    actions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_nothing_is_no_action() {
        let day: NaiveDate = "2020-08-31".parse().unwrap();
        assert_eq!(CorporateAction::split(day, Decimal::ONE, Decimal::ONE), None);
        assert_eq!(CorporateAction::split(day, Decimal::ZERO, Decimal::ONE), None);
        assert_eq!(CorporateAction::dividend(day, Decimal::NEGATIVE_ONE), None);
        let split = CorporateAction::split(day, "4.0".parse().unwrap(), Decimal::ONE).unwrap();
        let told = serde_json::to_value(&split).unwrap();
        let wished = serde_json::json!({"exDate": "2020-08-31", "kind": "split", "numerator": "4", "denominator": "1"});
        assert_eq!(told, wished);
    }
}
