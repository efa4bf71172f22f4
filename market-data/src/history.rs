//! The query of `/history`, read strictly.

use crate::problem::Problem;
use crate::provider::HistoryRange;
use chrono::NaiveDate;

/// Bars in an answer when the query says nothing.
pub(crate) const LIMIT_DEFAULT: usize = 500;
/// Most bars in an answer.
pub(crate) const LIMIT_MAX: usize = 5_000;

fn invalid(field: &str, rule: &'static str, message: impl Into<String>) -> Problem {
    Problem::InvalidParameter { field: field.to_owned(), rule, message: message.into() }
}

/// Reads `from`, `to` and `limit`.
///
/// # Errors
/// [`Problem::InvalidParameter`] for anything else, twice the same, or a value that is none.
pub(crate) fn parse_query(query: &str) -> Result<HistoryRange, Problem> {
    let (mut from, mut to, mut limit) = (None, None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let twice = match name {
            "from" => from.replace(date("from", value)?).is_some(),
            "to" => to.replace(date("to", value)?).is_some(),
            "limit" => limit.replace(parse_limit(value)?).is_some(),
            _ => return Err(invalid("query", "unknown", "may hold from, to and limit only")),
        };
        if twice {
            return Err(invalid(name, "once", "must be given once"));
        }
    }
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(invalid("from", "order", "must not be after to"));
    }
    Ok(HistoryRange { from, to, limit: limit.unwrap_or(LIMIT_DEFAULT) })
}

fn date(field: &str, value: &str) -> Result<NaiveDate, Problem> {
    let plain = value.len() == 10 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = plain.then(|| NaiveDate::parse_from_str(value, "%Y-%m-%d").ok()).flatten();
    date.ok_or_else(|| invalid(field, "date", "must be a date such as 2010-12-31"))
}

fn parse_limit(value: &str) -> Result<usize, Problem> {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let limit = value.parse().ok().filter(|limit| plain && (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| invalid("limit", "range", format!("must be a whole number from 1 to {LIMIT_MAX}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_query_is_read() {
        let range = parse_query("from=2010-01-02&to=2010-12-31&limit=7").unwrap();
        assert_eq!(range.from.unwrap().to_string(), "2010-01-02");
        assert_eq!((range.to.unwrap().to_string().as_str(), range.limit), ("2010-12-31", 7));
        assert_eq!(parse_query("").unwrap(), HistoryRange { from: None, to: None, limit: LIMIT_DEFAULT });
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        for (query, field) in [
            ("from=2010-02-30", "from"),
            ("to=+2010-1-1", "to"),
            ("from=2011-01-01&to=2010-01-01", "from"),
            ("limit=0", "limit"),
            ("limit=5001", "limit"),
            ("limit=+5", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("interval=1m", "query"),
        ] {
            assert!(
                matches!(parse_query(query), Err(Problem::InvalidParameter { field: named, .. }) if named == field),
                "{query}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_the_parser_panic(query in "\\PC{0,60}") {
            let _ = parse_query(&query);
        }
    }
}
