//! What makes a line itself, and lines that are there twice. Pure.

use super::{Activity, Refusal, Terms};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What happens to a line that is there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Policy {
    /// The file is refused.
    #[default]
    Refuse,
    /// Only the first is taken over.
    Skip,
    /// Equal lines of one file are different activities; those of earlier files are skipped.
    Keep,
}

/// The name of a line in its account: equal lines have equal names.
pub(super) type Key = Vec<u8>;

/// Lines that are not taken over because they are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Twice {
    /// The same stands in this line of the file.
    InFile(u64),
    /// It was taken over before.
    Before,
}

fn money_text(money: &domain::Money) -> String {
    format!("{} {}", money.amount.normalize(), money.currency)
}

/// What an activity says, in one way of writing.
fn text_of(activity: &Activity) -> String {
    let terms = match &activity.terms {
        Terms::Deposit(money) | Terms::Withdrawal(money) | Terms::Fee(money) => money_text(money),
        Terms::Buy(trade) | Terms::Sell(trade) => format!(
            "{} {} {} {} {}",
            trade.symbol,
            trade.quantity.value().normalize(),
            trade.price.value().normalize(),
            trade.commission.normalize(),
            trade.tax.normalize()
        ),
        Terms::Dividend { symbol, gross, withheld } => {
            format!("{symbol} {} {}", gross.normalize(), withheld.normalize())
        }
        Terms::Split { symbol, new, old } => format!("{symbol} {} {}", new.normalize(), old.normalize()),
    };
    format!("{} {} {terms}", activity.date, activity.terms.kind())
}

/// The names of activities. A reference is the name; without one it is what the line says, and, when equal lines are
/// different activities, the how-manyth of them it is.
pub(super) fn keys(activities: &[Activity], policy: Policy) -> Vec<Key> {
    let mut seen = HashMap::<String, u32>::new();
    activities
        .iter()
        .map(|activity| {
            let text = match &activity.reference {
                Some(reference) => format!("reference {reference}"),
                None => format!("content {}", text_of(activity)),
            };
            let before = seen.entry(text.clone()).or_default();
            let number = if policy == Policy::Keep && activity.reference.is_none() { *before } else { 0 };
            *before += 1;
            Sha256::digest(format!("{text}\n{number}")).to_vec()
        })
        .collect()
}

/// Finds lines that are there twice, by their line, and refuses them where the policy says so.
pub(super) fn find(
    activities: &[Activity],
    keys: &[Key],
    existing: &HashSet<Key>,
    policy: Policy,
) -> (BTreeMap<u64, Twice>, Vec<Refusal>) {
    let (mut twice, mut refusals) = (BTreeMap::new(), Vec::new());
    let mut first_lines = HashMap::<&Key, u64>::new();
    for (activity, key) in activities.iter().zip(keys) {
        let earlier = *first_lines.entry(key).or_insert(activity.line);
        let found = if earlier != activity.line {
            Twice::InFile(earlier)
        } else if existing.contains(key) {
            Twice::Before
        } else {
            continue;
        };
        twice.insert(activity.line, found);
        match found {
            Twice::InFile(line) if policy != Policy::Skip => {
                let message = format!("says the same as line {line}");
                refusals.push(Refusal::of_line(activity.line, "duplicate_in_file", message));
            }
            Twice::Before if policy == Policy::Refuse => {
                refusals.push(Refusal::of_line(activity.line, "already_imported", "was taken over before"));
            }
            Twice::InFile(_) | Twice::Before => {}
        }
    }
    (twice, refusals)
}
