//! The words of a request for a list of orders.

use super::{OrderFilter, Place, names};
use crate::account::AccountService;
use crate::error::{ApiError, ApiResult};
use chrono::{DateTime, Utc};
use domain::{AccountId, OrderStatus, OrderType, Side, Symbol, UserId};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::str::FromStr;
use utoipa::IntoParams;

/// Most orders of a page, and how many there are unless asked otherwise.
const PAGE_ORDERS_MAX: usize = 200;
const PAGE_ORDERS_DEFAULT: usize = 50;
/// Longest words to look for, in characters.
const TEXT_LENGTH_MAX: usize = 100;
/// Most words of a list that is separated by commas.
const WORDS_MAX: usize = 64;

/// Which orders.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FilterParameters {
    /// Some accounts, separated by commas, instead of all.
    account_id: Option<String>,
    /// Words separated by commas: `all`, `open`, `closed`, a state (`pending`, `filled`, `cancelled`, `expired`,
    /// `rejected`, `replaced`) or a status. Those of open orders are `CREATED`, `PENDING_NEW`, `NEW`, `PARTIALLY_FILLED`,
    /// `SUSPENDED` and `DONE_FOR_DAY`; an order has ended as `DENIED` (refused here), `REJECTED` (refused by the broker),
    /// `FILLED`, `CANCELED`, `EXPIRED` or `REPLACED`. `all` unless given.
    status: Option<String>,
    symbol: Option<Symbol>,
    #[param(inline)]
    side: Option<Side>,
    #[param(inline)]
    r#type: Option<OrderType>,
    /// Only orders of this moment and later.
    from: Option<DateTime<Utc>>,
    /// Only orders before this moment.
    to: Option<DateTime<Utc>>,
    /// Words in the symbol, the client order id or the reason, in any case.
    text: Option<String>,
}

/// Which page of which orders. The same fields as for a file, and where the page begins and ends.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParameters {
    /// Some accounts, separated by commas, instead of all.
    account_id: Option<String>,
    /// Words separated by commas: `all`, `open`, `closed`, a state (`pending`, `filled`, `cancelled`, `expired`,
    /// `rejected`, `replaced`) or a status. Those of open orders are `CREATED`, `PENDING_NEW`, `NEW`, `PARTIALLY_FILLED`,
    /// `SUSPENDED` and `DONE_FOR_DAY`; an order has ended as `DENIED` (refused here), `REJECTED` (refused by the broker),
    /// `FILLED`, `CANCELED`, `EXPIRED` or `REPLACED`. `all` unless given.
    status: Option<String>,
    symbol: Option<Symbol>,
    #[param(inline)]
    side: Option<Side>,
    #[param(inline)]
    r#type: Option<OrderType>,
    /// Only orders of this moment and later.
    from: Option<DateTime<Utc>>,
    /// Only orders before this moment.
    to: Option<DateTime<Utc>>,
    /// Words in the symbol, the client order id or the reason, in any case.
    text: Option<String>,
    /// 1 to 200; 50 unless given. A page whose search was cut short may have fewer and still not be the last.
    limit: Option<usize>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// The page that is asked for.
pub(super) struct PageRequest {
    pub(super) filter: OrderFilter,
    pub(super) after: Option<Place>,
    pub(super) orders_max: usize,
}

impl PageParameters {
    pub(super) async fn read(self, user: UserId, accounts: &AccountService) -> ApiResult<PageRequest> {
        let orders_max = self.limit.unwrap_or(PAGE_ORDERS_DEFAULT);
        if !(1..=PAGE_ORDERS_MAX).contains(&orders_max) {
            let message = format!("must be between 1 and {PAGE_ORDERS_MAX}");
            return Err(ApiError::field("limit", "out_of_range", message));
        }
        let after = self.cursor.as_deref().map(Place::from_str).transpose();
        let after = after.map_err(|error| ApiError::field("cursor", "invalid", error.to_string()))?;
        let filter = FilterParameters {
            account_id: self.account_id,
            status: self.status,
            symbol: self.symbol,
            side: self.side,
            r#type: self.r#type,
            from: self.from,
            to: self.to,
            text: self.text,
        };
        Ok(PageRequest { filter: filter.read(user, accounts).await?, after, orders_max })
    }
}

impl FilterParameters {
    pub(super) async fn read(self, user: UserId, accounts: &AccountService) -> ApiResult<OrderFilter> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(ApiError::field("to", "out_of_range", "must not be before `from`"));
        }
        if self.text.as_ref().is_some_and(|text| text.chars().count() > TEXT_LENGTH_MAX) {
            let message = format!("must have at most {TEXT_LENGTH_MAX} characters");
            return Err(ApiError::field("text", "too_long", message));
        }
        Ok(OrderFilter {
            statuses: self.status.as_deref().map(read_statuses).transpose()?.flatten(),
            accounts: read_accounts(self.account_id.as_deref(), user, accounts).await?,
            symbol: self.symbol,
            side: self.side,
            order_type: self.r#type,
            from: self.from,
            to: self.to,
            text: self.text,
        })
    }
}

/// The accounts of a list, each of which must be the user's own; all of them where none is named.
async fn read_accounts(
    list: Option<&str>,
    user: UserId,
    accounts: &AccountService,
) -> ApiResult<Vec<AccountId>> {
    let own = accounts.list(user).await?;
    let Some(list) = list else { return Ok(own.iter().map(|account| account.id).collect()) };
    let mut chosen = BTreeSet::new();
    for word in list.split(',').take(WORDS_MAX) {
        let id: AccountId =
            word.parse().map_err(|_| ApiError::field("accountId", "invalid", "must be ids of accounts"))?;
        if !own.iter().any(|account| account.id == id) {
            return Err(ApiError::new(crate::error::ErrorCode::NotFound, "there is no such account"));
        }
        chosen.insert(id);
    }
    Ok(chosen.into_iter().collect())
}

/// The statuses that words stand for; `None` for all of them.
fn read_statuses(list: &str) -> ApiResult<Option<BTreeSet<&'static str>>> {
    let mut wanted = BTreeSet::new();
    for word in list.split(',').take(WORDS_MAX) {
        let more = statuses_of(word)
            .ok_or_else(|| ApiError::field("status", "unknown_value", format!("knows no status {word:?}")))?;
        wanted.extend(more);
    }
    Ok((wanted.len() < names(|_| true).len()).then_some(wanted))
}

fn statuses_of(word: &str) -> Option<BTreeSet<&'static str>> {
    use OrderStatus as S;
    Some(match word {
        "all" => names(|_| true),
        "open" => names(|status| !status.is_terminal()),
        "closed" => names(OrderStatus::is_terminal),
        "pending" => names(|status| matches!(status, S::Created | S::PendingNew)),
        "filled" => names(|status| status == S::Filled),
        "cancelled" => names(|status| status == S::Canceled),
        "expired" => names(|status| status == S::Expired),
        "rejected" => names(|status| matches!(status, S::Denied | S::Rejected)),
        "replaced" => names(|status| status == S::Replaced),
        name => {
            let wanted = OrderStatus::from_name(name)?;
            names(|status| status == wanted)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_names_every_status() {
        for parameters in [PageParameters::into_params(|| None), FilterParameters::into_params(|| None)] {
            let status = parameters.into_iter().find(|parameter| parameter.name == "status").unwrap();
            let description = status.description.unwrap();
            for status in OrderStatus::ALL {
                assert!(description.contains(&format!("`{}`", status.name())), "{status}: {description}");
            }
        }
    }

    #[test]
    fn words_stand_for_statuses() {
        let read = |list: &str| read_statuses(list).unwrap();
        assert_eq!(read("all"), None);
        assert_eq!(read("open,closed"), None);
        assert_eq!(read("filled,NEW"), Some(BTreeSet::from(["FILLED", "NEW"])));
        assert_eq!(read("rejected"), Some(BTreeSet::from(["DENIED", "REJECTED"])));
        for list in ["", "Open", "filled,", "filled, NEW", "new"] {
            assert!(read_statuses(list).is_err(), "{list:?}");
        }
    }
}
