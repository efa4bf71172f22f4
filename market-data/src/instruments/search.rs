//! Finding a share by its code, a part of its name, or the consonants its Korean name begins with. Pure.

use super::{Named, hangul, named};
use crate::problem::Problem;
use crate::query;
use domain::{Market, Symbol};

/// Shares in an answer when the query says nothing.
const SEARCH_LIMIT_DEFAULT: usize = 20;
/// Most shares in an answer.
pub(crate) const SEARCH_LIMIT_MAX: usize = 100;
/// Longest text that is searched for, in characters.
const TEXT_LENGTH_MAX: usize = 64;

/// The query of `/search`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SearchQuery {
    /// What was typed, as others are asked for it: words in small letters, a blank between them.
    pub(crate) words: String,
    /// The same as it is compared: without blanks.
    pub(crate) text: String,
    pub(crate) market: Option<Market>,
    pub(crate) limit: usize,
}

/// Reads `q`, `market` and `limit`.
///
/// # Errors
/// [`Problem::InvalidParameter`] that names the parameter.
pub(crate) fn parse_query(query: &str) -> Result<SearchQuery, Problem> {
    let [text, market, limit] = query::read(query, ["q", "market", "limit"])?;
    let text = text.ok_or_else(|| query::invalid("q", "required", "is required"))?;
    if text.chars().count() > TEXT_LENGTH_MAX {
        return Err(query::invalid("q", "length", format!("must have at most {TEXT_LENGTH_MAX} characters")));
    }
    let words = text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    let text = folded(&text);
    if text.is_empty() {
        return Err(query::invalid("q", "required", "must hold something to search for"));
    }
    let market = match market.as_deref() {
        None => None,
        Some("KRX") => Some(Market::Krx),
        Some("US") => Some(Market::Us),
        Some(_) => return Err(query::invalid("market", "known", "must be KRX or US")),
    };
    let limit = query::count("limit", limit, SEARCH_LIMIT_MAX)?.unwrap_or(SEARCH_LIMIT_DEFAULT);
    Ok(SearchQuery { words, text, market, limit })
}

/// How a share was found; what is listed first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    Code,
    Name,
    CodeStart,
    NameStart,
    NamePart,
}

/// A share that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) symbol: Symbol,
    how: Match,
}

/// So many shares whose code or name begins with what was typed answer it, though none is it: as many as a list of
/// choices shows.
const BEGINNINGS_ENOUGH: usize = 8;

/// Consonants and vowels by themselves, as a keyboard types them (Hangul compatibility letters): initial consonants mean
/// something to this list and to no vendor.
const LETTERS: std::ops::RangeInclusive<char> = '\u{3131}'..='\u{318E}';

impl SearchQuery {
    /// Whether others may know more than was found in the own list: nothing in it is what was typed, and there is too
    /// little that begins with it.
    pub(crate) fn asks_for_more(&self, found: &[Found]) -> bool {
        let is_it = |found: &Found| matches!(found.how, Match::Code | Match::Name);
        let begins = |found: &&Found| matches!(found.how, Match::CodeStart | Match::NameStart);
        let enough = BEGINNINGS_ENOUGH.min(self.limit);
        !self.text.contains(|typed| LETTERS.contains(&typed))
            && !found.iter().any(is_it)
            && found.iter().filter(begins).count() < enough
    }

    /// Whether a share found elsewhere has the very code that was typed.
    pub(crate) fn is_code_of(&self, symbol: Symbol) -> bool {
        judge_code(&self.text, symbol) == Some(Match::Code)
    }
}

/// The shares that a text may mean, the best first: out of the table, and out of `others` that the providers have
/// besides.
pub(crate) fn search(query: &SearchQuery, others: &[Symbol]) -> Vec<Found> {
    let in_table = named().iter().filter_map(|line| Some((judge(&query.text, line)?, line.symbol)));
    let besides = others.iter().filter(|symbol| named().iter().all(|line| line.symbol != **symbol));
    let besides = besides.filter_map(|symbol| Some((judge_code(&query.text, *symbol)?, *symbol)));
    let mut found: Vec<_> = in_table
        .chain(besides)
        .filter(|(_, symbol)| query.market.is_none_or(|market| symbol.market() == market))
        .collect();
    // A stable sort: among equals the order of the table, which begins with what is asked for most, is kept.
    found.sort_by_key(|(how, _)| *how);
    found.into_iter().take(query.limit).map(|(how, symbol)| Found { symbol, how }).collect()
}

/// A text as it is compared.
fn folded(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn judge(text: &str, line: &Named) -> Option<Match> {
    let names = [folded(line.name), folded(line.name_korean)];
    if names.iter().any(|name| name == text) {
        return Some(Match::Name);
    }
    let by_name = names.iter().filter_map(|name| judge_name(text, name)).min();
    [judge_code(text, line.symbol), by_name].into_iter().flatten().min()
}

fn judge_code(text: &str, symbol: Symbol) -> Option<Match> {
    let symbol = folded(symbol.as_str());
    let code = symbol.split('.').next().unwrap_or_default();
    if text == symbol || text == code {
        return Some(Match::Code);
    }
    symbol.starts_with(text).then_some(Match::CodeStart)
}

fn judge_name(text: &str, name: &str) -> Option<Match> {
    let mut rest = name;
    let mut how = Match::NameStart;
    loop {
        if begins(text, rest) {
            return Some(how);
        }
        how = Match::NamePart;
        let mut characters = rest.chars();
        characters.next()?;
        rest = characters.as_str();
    }
}

fn begins(text: &str, name: &str) -> bool {
    let mut named = name.chars();
    text.chars().all(|typed| named.next().is_some_and(|named| hangul::stands_for(typed, named)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(text: &str, limit: usize) -> SearchQuery {
        SearchQuery { words: text.to_lowercase(), text: folded(text), market: None, limit }
    }

    fn find(text: &str) -> Vec<String> {
        search(&typed(text, 5), &["ZZZ".parse().unwrap()])
            .iter()
            .map(|found| found.symbol.to_string())
            .collect()
    }

    #[test]
    fn a_share_is_found_by_code_name_and_initial_consonants() {
        for (text, symbol) in [
            ("005930", "005930.KS"),
            ("005930.KS", "005930.KS"),
            ("aapl", "AAPL"),
            ("삼성전자", "005930.KS"),
            ("ㅅㅅㅈㅈ", "005930.KS"),
            ("삼ㅅㅈ", "005930.KS"),
            ("samsung elec", "005930.KS"),
            ("SK하이", "000660.KS"),
            ("skㅎㅇㄴㅅ", "000660.KS"),
            ("ㅋㅋㅇ", "035720.KS"),
            ("애플", "AAPL"),
            ("ㅇㅍ", "AAPL"),
            ("hathaway", "BRK-B"),
            ("brk-b", "BRK-B"),
            ("ZZ", "ZZZ"),
        ] {
            assert_eq!(find(text).first().map(String::as_str), Some(symbol), "{text}: {:?}", find(text));
        }
        assert!(find("하이닉스").contains(&"000660.KS".to_owned()), "a part inside the name");
        assert!(find("없는회사이름").is_empty());
    }

    #[test]
    fn a_whole_code_or_name_comes_before_longer_ones() {
        assert_eq!(find("F")[0], "F");
        assert_eq!(find("SK")[0], "034730.KS", "the holding, not what it holds");
        assert_eq!(find("카카오")[0], "035720.KS");
        assert_eq!(find("005930")[0], "005930.KS");
    }

    #[test]
    fn others_are_asked_only_for_what_the_own_list_does_not_answer() {
        let asks = |text: &str| {
            let query = typed(text, 20);
            query.asks_for_more(&search(&query, &[]))
        };
        for text in ["aapl", "005930", "005930.KS", "삼성전자", "apple", "s"] {
            assert!(!asks(text), "{text}");
        }
        for text in ["rklb", "rocket lab", "900001", "없는회사", "ai"] {
            assert!(asks(text), "{text}");
        }
        for text in ["ㅅㅅㅈㅈ", "ㅋㅋㅋㅋㅋ", "레인보ㅇ"] {
            assert!(!asks(text), "no vendor knows what {text} stands for");
        }
        assert!(typed("rklb", 20).is_code_of("RKLB".parse().unwrap()));
        assert!(typed("900001", 20).is_code_of("900001.KQ".parse().unwrap()));
        assert!(!typed("rkl", 20).is_code_of("RKLB".parse().unwrap()));
    }

    #[test]
    fn the_query_is_read_strictly() {
        let query = parse_query("q=%E3%85%85%E3%85%85&market=KRX&limit=3").unwrap();
        let read =
            SearchQuery {
                words: "ㅅㅅ".into(), text: "ㅅㅅ".into(), market: Some(Market::Krx), limit: 3
            };
        assert_eq!(query, read);
        assert_eq!(parse_query("q=+Berkshire%20%20HATHAWAY+").unwrap().words, "berkshire hathaway");
        assert!(search(&query, &[]).iter().all(|found| found.symbol.market() == Market::Krx));
        let long = format!("q={}", "x".repeat(65));
        for query in ["", "q=", "q=%20", "q=a&market=NYSE", "q=a&limit=101", long.as_str()] {
            assert!(parse_query(query).is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_search_panic(text in "\\PC{1,64}") {
            let _ = find(&text);
        }
    }
}
