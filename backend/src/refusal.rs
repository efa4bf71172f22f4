//! What is said of a request's parts that could not be read: a field, a stable rule and a sentence, for every part that
//! is wrong and not only for the first.
//!
//! The readers are serde's. Their words are meant for programmers and may name types of this program, so each is put
//! into words of the API here.

use crate::error::FieldError;
use domain::decimal::{self, DecimalError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt::Display;
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// Name of the whole body among the fields.
pub const WHOLE_BODY: &str = "body";
/// Longest explanation that is sent: it may quote what the caller sent.
const EXPLANATION_LENGTH_MAX: usize = 300;
/// Most fields of a body that are looked at one by one, and most that are told.
const FIELDS_MAX: usize = 32;
/// Stands between the rule and the sentence of an error that knows its rule.
const RULE_END: char = '\u{1f}';

/// An error for serde that names its own rule.
#[must_use]
pub fn with_rule(rule: &str, message: impl Display) -> String {
    format!("{rule}{RULE_END}{message}")
}

/// Every field of a JSON body that is wrong, that of serde's own error first.
pub fn all_of<T: DeserializeOwned + PartialSchema>(
    body: &Value,
    path: &str,
    message: &str,
) -> Vec<FieldError> {
    let first = explain(path, message);
    // What a body names twice is seen only in its text.
    let Some(fields) = body.as_object().filter(|_| first.rule != "duplicate_field") else {
        return vec![first];
    };
    let mut errors = vec![first];
    let wrong = fields.iter().take(FIELDS_MAX).filter_map(|(name, value)| wrong_alone::<T>(name, value));
    let missing = missing::<T>(fields).map(|name| FieldError::new(name, "required", "is required"));
    for error in wrong.chain(missing) {
        if errors.len() < FIELDS_MAX && errors.iter().all(|known| known.field != error.field) {
            errors.push(error);
        }
    }
    errors
}

/// What is wrong with one field, read as if it were the only one: then whatever else is complained of is another's
/// absence.
fn wrong_alone<T: DeserializeOwned>(name: &str, value: &Value) -> Option<FieldError> {
    let alone = Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
    let error = serde_path_to_error::deserialize::<_, T>(alone).err()?;
    let told = explain(&error.path().to_string(), &error.inner().to_string());
    let own = told.field == name
        || told.field.starts_with(&format!("{name}."))
        || told.field.starts_with(&format!("{name}["));
    own.then_some(told)
}

/// The fields that the API's description calls required and the body does not have.
fn missing<T: PartialSchema>(fields: &Map<String, Value>) -> impl Iterator<Item = String> {
    let required = match T::schema() {
        RefOr::T(Schema::Object(object)) => object.required,
        _ => Vec::new(),
    };
    required.into_iter().filter(|name| !fields.contains_key(name))
}

/// Puts the words of serde into a field, a rule and a message.
#[must_use]
pub fn explain(path: &str, message: &str) -> FieldError {
    let message = message.split(" at line ").next().unwrap_or_default();
    let parent = match path.trim_matches('.') {
        "" | "?" => WHOLE_BODY,
        path => path,
    };
    if let Some((rule, message)) = message.split_once(RULE_END) {
        return FieldError::new(parent, rule, message);
    }
    if message.starts_with("missing field") {
        FieldError::new(child_of(parent, message), "required", "is required")
    } else if message.starts_with("unknown field") {
        FieldError::new(child_of(parent, message), "unknown_field", "is not a known field")
    } else if message.starts_with("duplicate field") {
        FieldError::new(child_of(parent, message), "duplicate_field", "is given more than once")
    } else if message.starts_with("unknown variant") {
        let expected = message.split_once(", ").map_or("", |(_, expected)| expected);
        FieldError::new(parent, "unknown_value", format!("must be one of the known values: {expected}"))
    } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
        FieldError::new(parent, "wrong_type", format!("must be {}", expected(message)))
    } else if message.starts_with("expected value") {
        FieldError::new(parent, "wrong_type", "must be a string")
    } else {
        let shortened: String = message.chars().take(EXPLANATION_LENGTH_MAX).collect();
        let (rule, message) = rule_of(&shortened);
        FieldError::new(parent, rule, message)
    }
}

/// The path of the field that a message quotes.
fn child_of(parent: &str, message: &str) -> String {
    let name = message.split('`').nth(1).unwrap_or_default();
    if parent == WHOLE_BODY {
        name.to_owned()
    } else if parent == name || parent.ends_with(&format!(".{name}")) {
        parent.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

/// What serde expected, without the names of types that only this program knows.
fn expected(message: &str) -> &str {
    let wanted = message.rsplit_once("expected ").map_or("of another kind", |(_, wanted)| wanted);
    let first = wanted.split(' ').next().unwrap_or_default();
    match first {
        "a" if wanted == "a map" => "an object",
        "struct" | "internally" | "adjacently" | "map" => "an object",
        "sequence" | "tuple" | "array" => "a list",
        "enum" | "variant" | "string" | "str" | "borrowed" => "a string",
        "boolean" | "bool" => "true or false",
        "unit" => "null",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        _ => wanted,
    }
}

/// The rule that a sentence of the shared types stands for.
fn rule_of(message: &str) -> (&'static str, String) {
    let is = |error: DecimalError| message == error.to_string();
    let digits_max = |error: DecimalError| {
        // The number of digits differs by field; the words around it do not.
        let digits = |text: &str| text.replace(|character: char| character.is_ascii_digit(), "");
        digits(message) == digits(&error.to_string())
    };
    let rule = if is(DecimalError::NotPositive) {
        "not_positive"
    } else if is(DecimalError::Negative) {
        "negative"
    } else if is(DecimalError::NotANumber) {
        "not_a_number"
    } else if is(DecimalError::TooLarge) {
        "too_large"
    } else if digits_max(DecimalError::TooPrecise(u32::try_from(decimal::SCALE_MAX).unwrap_or(0))) {
        "too_precise"
    } else if message == domain::instrument::SymbolError.to_string() {
        "invalid_symbol"
    } else if is_about_time(message) {
        return (
            "not_a_date",
            "must be a date such as 2026-11-20 or a time such as 2026-11-20T09:30:00Z".to_owned(),
        );
    } else if message.starts_with("invalid digit") || message.starts_with("cannot parse integer") {
        return ("wrong_type", "must be a whole number".to_owned());
    } else if message.starts_with("number too") {
        return ("out_of_range", "is outside the range of the field".to_owned());
    } else {
        "invalid"
    };
    (rule, message.to_owned())
}

/// Whether these are the words of the crate that reads dates.
fn is_about_time(message: &str) -> bool {
    [
        "input is out of range",
        "no possible date and time matching input",
        "input is not enough for unique date and time",
        "input contains invalid characters",
        "premature end of input",
        "trailing input",
    ]
    .contains(&message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use serde::Deserialize;
    use utoipa::ToSchema;

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[allow(dead_code, reason = "only its reading is tested")]
    struct Order {
        limit_price: domain::Price,
        quantity: domain::Quantity,
        symbol: domain::Symbol,
        #[serde(default)]
        count: u16,
        on: Option<NaiveDate>,
    }

    fn refusals(json: &str) -> Vec<(String, String)> {
        let body: Value = serde_json::from_str(json).unwrap();
        let error = serde_path_to_error::deserialize::<_, Order>(body.clone()).unwrap_err();
        let told = all_of::<Order>(&body, &error.path().to_string(), &error.inner().to_string());
        told.into_iter().map(|error| (error.field, error.rule)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(field, rule)| ((*field).to_owned(), (*rule).to_owned())).collect()
    }

    #[test]
    fn every_missing_and_every_wrong_field_is_told() {
        let mut told = refusals("{}");
        told.sort();
        assert_eq!(
            told,
            pairs(&[("limitPrice", "required"), ("quantity", "required"), ("symbol", "required")])
        );
        let mut told = refusals(r#"{"limitPrice":"0","quantity":"1.1234567891","count":-1,"x":1}"#);
        told.sort();
        assert_eq!(
            told,
            pairs(&[
                ("count", "wrong_type"),
                ("limitPrice", "not_positive"),
                ("quantity", "too_precise"),
                ("symbol", "required"),
                ("x", "unknown_field"),
            ])
        );
    }

    #[test]
    fn each_kind_of_wrong_number_symbol_and_date_has_its_rule() {
        let all = |field: &str, value: &str| {
            let mut body: Value =
                serde_json::from_str(r#"{"limitPrice":"1","quantity":"1","symbol":"AAPL"}"#).unwrap();
            body[field] = value.into();
            refusals(&body.to_string())
        };
        for (field, value, rule) in [
            ("limitPrice", "0", "not_positive"),
            ("limitPrice", "-1", "not_positive"),
            ("limitPrice", "999999999999999999999999", "too_large"),
            ("limitPrice", "0.1234567891", "too_precise"),
            ("limitPrice", "1e5", "not_a_number"),
            ("symbol", "aapl", "invalid_symbol"),
            ("on", "2026-13-01", "not_a_date"),
            ("on", "yesterday", "not_a_date"),
            ("on", "2026-11", "not_a_date"),
        ] {
            assert_eq!(all(field, value), pairs(&[(field, rule)]), "{field} {value}");
        }
    }

    #[test]
    fn no_type_of_this_program_is_named() {
        for (message, said) in [
            ("invalid type: null, expected struct RegisterRequest", "must be an object"),
            ("invalid type: integer `1`, expected a string", "must be a string"),
            ("invalid value: integer `-1`, expected u16", "must be a whole number"),
            ("invalid type: string \"x\", expected a boolean", "must be a boolean"),
        ] {
            let told = explain("", message);
            assert_eq!((told.field.as_str(), told.rule.as_str()), (WHOLE_BODY, "wrong_type"));
            assert_eq!(told.message, said);
        }
    }
}
