//! Query strings, read strictly: every parameter once, none that is not known.

use crate::problem::Problem;
use chrono::NaiveDate;

/// Longest query string that is looked at, in bytes.
pub(crate) const QUERY_LENGTH_MAX: usize = 8_192;

/// The refusal of a parameter.
pub(crate) fn invalid(field: &str, rule: &'static str, message: impl Into<String>) -> Problem {
    Problem::InvalidParameter { field: field.to_owned(), rule, message: message.into() }
}

/// The parameters of a query, decoded, in the order of `known`; absent ones are `None`.
///
/// # Errors
/// [`Problem::InvalidParameter`] for an unknown name, one given twice, and a query that is too long.
pub(crate) fn read<const N: usize>(query: &str, known: [&str; N]) -> Result<[Option<String>; N], Problem> {
    if query.len() > QUERY_LENGTH_MAX {
        return Err(invalid("query", "length", format!("must have at most {QUERY_LENGTH_MAX} bytes")));
    }
    let mut values = [const { None }; N];
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = known.iter().position(|known| *known == name);
        let Some((slot, name)) = place.and_then(|place| values.get_mut(place).zip(known.get(place))) else {
            let names = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            return Err(invalid("query", "unknown", format!("may hold {names} only")));
        };
        if slot.replace(value.into_owned()).is_some() {
            return Err(invalid(name, "once", "must be given once"));
        }
    }
    Ok(values)
}

/// A day, as in `2010-12-31`.
///
/// # Errors
/// [`Problem::InvalidParameter`] for anything else.
pub(crate) fn date(field: &str, value: Option<String>) -> Result<Option<NaiveDate>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let plain = value.len() == 10 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = plain.then(|| NaiveDate::parse_from_str(&value, "%Y-%m-%d").ok()).flatten();
    date.map(Some).ok_or_else(|| invalid(field, "date", "must be a date such as 2010-12-31"))
}

/// A number of things, from one to `most`.
///
/// # Errors
/// [`Problem::InvalidParameter`] for anything else.
pub(crate) fn count(field: &str, value: Option<String>, most: usize) -> Result<Option<usize>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let count = value.parse().ok().filter(|count| plain && (1..=most).contains(count));
    count.map(Some).ok_or_else(|| invalid(field, "range", format!("must be a whole number from 1 to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameters_are_decoded_and_known_once() {
        let [text, limit] = read("limit=5&q=%EC%82%BC%EC%84%B1+x", ["q", "limit"]).unwrap();
        assert_eq!((text.as_deref(), limit.as_deref()), (Some("삼성 x"), Some("5")));
        assert_eq!(read("", ["q"]).unwrap(), [None]);
        for (query, field) in [("q=1&q=2", "q"), ("r=1", "query"), (&"q".repeat(9_000), "query")] {
            let refused = read(query, ["q"]);
            assert!(
                matches!(&refused, Err(Problem::InvalidParameter { field: named, .. }) if named == field),
                "{refused:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_the_reader_panic(query in "\\PC{0,60}|[%0-9A-Fa-f=&+]{0,60}") {
            let _ = read(&query, ["from", "to"]);
        }
    }
}
