//! What stands in a field. Pure.

use chrono::NaiveDate;
use domain::Symbol;
use domain::decimal::{self, DecimalError};
use rust_decimal::Decimal;

/// In which order the parts of a date stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum DateOrder {
    /// `2026-01-31`, `2026/01/31`, `2026.01.31`, `20260131`.
    #[default]
    YearMonthDay,
    /// `01/31/2026`.
    MonthDayYear,
    /// `31/01/2026`, `31.01.2026`.
    DayMonthYear,
}

/// What separates the whole from its fraction; the other of the two may group thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum DecimalMark {
    /// `1,234.56`
    #[default]
    Point,
    /// `1.234,56`
    Comma,
}

/// Why a field cannot be read: a stable word, and the same for people.
pub(super) type Unreadable = (&'static str, String);

/// A day, with or without a time behind it.
pub(super) fn date(text: &str, order: DateOrder) -> Result<NaiveDate, Unreadable> {
    let refused = || ("not_a_date", "is not a date of the form that was given".to_owned());
    let day = text.split([' ', 'T']).next().unwrap_or_default().trim_end_matches('.');
    let is_number =
        |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = if order == DateOrder::YearMonthDay
        && day.len() == 8
        && day.bytes().all(|byte| byte.is_ascii_digit())
    {
        [day.get(..4), day.get(4..6), day.get(6..)].into_iter().flatten().collect()
    } else {
        day.split(['-', '/', '.']).collect()
    };
    let [first, second, third] = parts.as_slice() else { return Err(refused()) };
    let (year, month, day) = match order {
        DateOrder::YearMonthDay => (first, second, third),
        DateOrder::MonthDayYear => (third, first, second),
        DateOrder::DayMonthYear => (third, second, first),
    };
    if year.len() != 4 || ![year, month, day].into_iter().all(|part| is_number(part)) {
        return Err(refused());
    }
    let number = |part: &str| part.parse::<u32>().map_err(|_| refused());
    let year = i32::try_from(number(year)?).map_err(|_| refused())?;
    NaiveDate::from_ymd_opt(year, number(month)?, number(day)?).ok_or_else(refused)
}

/// A number as people write it: thousands grouped by threes, a currency sign before or a word behind it.
pub(super) fn number(text: &str, mark: DecimalMark) -> Result<Decimal, Unreadable> {
    let (grouping, point) = match mark {
        DecimalMark::Point => (',', '.'),
        DecimalMark::Comma => ('.', ','),
    };
    let trimmed = text.trim();
    let (sign, rest) = match trimmed.strip_prefix('-').or_else(|| trimmed.strip_prefix('−')) {
        Some(rest) => ("-", rest.trim_start()),
        None => ("", trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let bare = rest.trim_start_matches(['$', '₩', '￦']).trim_end_matches(['원', '주']).trim();
    let (whole, fraction) = match bare.split_once(point) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (bare, None),
    };
    let is_space = |character: char| matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '\'');
    let groups: Vec<&str> = whole.split(|character| character == grouping || is_space(character)).collect();
    let grouped_well = groups.iter().skip(1).all(|group| group.len() == 3)
        && (groups.len() == 1 || groups.first().is_some_and(|group| (1..=3).contains(&group.len())));
    if !grouped_well {
        return Err(("not_a_number", format!("is not a number with '{point}' before its fraction")));
    }
    let plain = match fraction {
        Some(fraction) => format!("{sign}{}.{fraction}", groups.concat()),
        None => format!("{sign}{}", groups.concat()),
    };
    decimal::parse(&plain).map_err(|error| match error {
        DecimalError::TooLarge => ("too_large", error.to_string()),
        DecimalError::TooPrecise(_) => ("too_precise", error.to_string()),
        _ => ("not_a_number", format!("is not a number with '{point}' before its fraction")),
    })
}

/// What kind of activity a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Deposit,
    Withdrawal,
    Buy,
    Sell,
    Dividend,
    Fee,
    Split,
}

/// Words for each kind: English, and those of Korean brokers' lists.
const KINDS: [(Kind, &[&str]); 7] = [
    (Kind::Deposit, &["deposit", "cash in", "입금", "이체입금", "대체입금", "은행입금"]),
    (Kind::Withdrawal, &["withdrawal", "withdraw", "cash out", "출금", "이체출금", "대체출금", "은행출금"]),
    (Kind::Buy, &["buy", "bought", "purchase", "매수", "현금매수", "장내매수", "주식매수"]),
    (Kind::Sell, &["sell", "sold", "sale", "매도", "현금매도", "장내매도", "주식매도"]),
    (Kind::Dividend, &["dividend", "cash dividend", "배당", "배당금", "배당금입금", "현금배당"]),
    (Kind::Fee, &["fee", "charge", "수수료", "수수료출금", "비용"]),
    (Kind::Split, &["split", "stock split", "reverse split", "액면분할", "주식분할", "액면병합", "주식병합"]),
];

/// The kind that a word means.
pub(super) fn kind(text: &str) -> Result<Kind, Unreadable> {
    let word = text.trim().to_lowercase();
    let known = KINDS.iter().find(|(_, words)| words.contains(&word.as_str()));
    known.map(|(kind, _)| *kind).ok_or_else(|| {
        ("unknown_kind", "is none of deposit, withdrawal, buy, sell, dividend, fee, split".to_owned())
    })
}

/// The board on which a Korean code without one is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KoreanBoard {
    Kospi,
    Kosdaq,
}

/// A symbol: as this server writes it, in small letters, or a Korean code of six digits, with or without the `A` that
/// brokers write before it.
pub(super) fn symbol(text: &str, board: Option<KoreanBoard>) -> Result<Symbol, Unreadable> {
    let written = text.trim().trim_matches('\'').to_uppercase().replace("BRK.", "BRK-");
    if let Ok(symbol) = written.parse() {
        return Ok(symbol);
    }
    let code = written.strip_prefix('A').filter(|code| code.len() == 6).unwrap_or(&written);
    let on_board = |suffix: &str| format!("{code}.{suffix}").parse::<Symbol>();
    match board {
        Some(KoreanBoard::Kospi) => on_board("KS"),
        Some(KoreanBoard::Kosdaq) => on_board("KQ"),
        None if on_board("KS").is_ok() => {
            let message =
                "is a Korean code without its board: write .KS or .KQ behind it, or give `koreanBoard`";
            return Err(("board_unknown", message.to_owned()));
        }
        None => return Err(("not_a_symbol", "is not a symbol".to_owned())),
    }
    .map_err(|_| ("not_a_symbol", "is not a symbol".to_owned()))
}

/// A ratio of new shares to old ones: `4:1`, `4/1`, `1 for 10`, or `4`.
pub(super) fn ratio(text: &str, mark: DecimalMark) -> Result<(Decimal, Decimal), Unreadable> {
    let lower = text.trim().to_lowercase();
    let (new, old) = [":", "/", " for ", "대"]
        .iter()
        .find_map(|separator| lower.split_once(separator))
        .unwrap_or((lower.as_str(), "1"));
    let (new, old) = (number(new, mark)?, number(old, mark)?);
    let sensible = |part: Decimal| part > Decimal::ZERO && part <= Decimal::from(10_000);
    if sensible(new) && sensible(old) && new != old {
        Ok((new, old))
    } else {
        Err(("not_a_ratio", "is not a ratio of new shares to old ones such as 4:1".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read_in_the_order_given() {
        let day = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap();
        for text in [
            "2026-01-31",
            "2026/1/31",
            "2026.01.31",
            "2026.01.31.",
            "20260131",
            "2026-01-31 09:00:00",
            "2026-01-31T00:00:00Z",
        ] {
            assert_eq!(date(text, DateOrder::YearMonthDay), Ok(day), "{text}");
        }
        assert_eq!(date("01/31/2026", DateOrder::MonthDayYear), Ok(day));
        assert_eq!(date("31.01.2026", DateOrder::DayMonthYear), Ok(day));
        for text in
            ["", "2026-02-30", "26-01-31", "31.01.2026", "2026-01", "2026-01-31-01", "二〇二六", "2026-1e-1"]
        {
            assert!(date(text, DateOrder::YearMonthDay).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let point = |text: &str| number(text, DecimalMark::Point).map(|value| value.to_string());
        for (text, value) in [
            ("1234.5", "1234.5"),
            ("1,234.50", "1234.5"),
            ("₩1,234,567", "1234567"),
            ("1 234", "1234"),
            ("- 5", "-5"),
            ("+5", "5"),
            ("1,000원", "1000"),
            ("10주", "10"),
            (" 7 ", "7"),
            ("1'000", "1000"),
        ] {
            assert_eq!(point(text), Ok(value.to_owned()), "{text}");
        }
        for text in
            ["", "-", "1,23", "12,34,567", "1.2.3", "1e5", "NaN", "0x10", ",5", "1,", "1234,567", "=1+1", "٣"]
        {
            assert!(point(text).is_err(), "{text}");
        }
        assert_eq!(number("1.234,56", DecimalMark::Comma).unwrap().to_string(), "1234.56");
        assert!(number("1,234.56", DecimalMark::Comma).is_err());
    }

    #[test]
    fn korean_codes_need_their_board() {
        assert_eq!(symbol("005930", None).unwrap_err().0, "board_unknown");
        assert_eq!(symbol("A005930", Some(KoreanBoard::Kospi)).unwrap().as_str(), "005930.KS");
        assert_eq!(symbol("035720.KQ", Some(KoreanBoard::Kospi)).unwrap().as_str(), "035720.KQ");
        assert_eq!(symbol("aapl", None).unwrap().as_str(), "AAPL");
        assert_eq!(symbol("Apple Inc.", None).unwrap_err().0, "not_a_symbol");
    }

    #[test]
    fn ratios_and_kinds_are_words_of_the_trade() {
        assert_eq!(ratio("4:1", DecimalMark::Point), Ok((Decimal::from(4), Decimal::ONE)));
        assert_eq!(ratio("1 for 10", DecimalMark::Point), Ok((Decimal::ONE, Decimal::TEN)));
        for text in ["", "0:1", "1:1", "a:b", "4:0", "-4:1"] {
            assert!(ratio(text, DecimalMark::Point).is_err(), "{text}");
        }
        assert_eq!(kind(" 매수 "), Ok(Kind::Buy));
        assert_eq!(kind("SOLD"), Ok(Kind::Sell));
        assert!(kind("gift").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC{0,30}|[0-9.,:/' -]{0,20}", comma in any::<bool>()) {
            let mark = if comma { DecimalMark::Comma } else { DecimalMark::Point };
            for order in [DateOrder::YearMonthDay, DateOrder::MonthDayYear, DateOrder::DayMonthYear] {
                let _ = date(&text, order);
            }
            let _ = (number(&text, mark), ratio(&text, mark), kind(&text));
            for board in [None, Some(KoreanBoard::Kospi), Some(KoreanBoard::Kosdaq)] {
                let _ = symbol(&text, board);
            }
        }

        #[test]
        fn a_grouped_number_is_its_digits(value in 0u64..1_000_000_000_000) {
            let digits = value.to_string();
            let mut grouped = String::new();
            for (index, digit) in digits.chars().enumerate() {
                if index > 0 && (digits.len() - index).is_multiple_of(3) {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            prop_assert_eq!(number(&grouped, DecimalMark::Point), Ok(Decimal::from(value)));
        }
    }
}
