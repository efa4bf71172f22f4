//! What Kiwoom's answers say about their requests: a refusal comes with status 200, a coarse class and the code in its words.
//! Pure.

use crate::provider::{ProviderError, plain};
use domain::Symbol;
use serde_json::Value;

/// Longest words of a refusal that are shown, in characters.
const WORDS_LENGTH_MAX: usize = 120;
/// The class of an answer that too much was asked.
const CLASS_TOO_MANY: i64 = 5;

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is what was asked for.
    Done,
    /// The token does not count any more; another one may.
    TokenIsDead,
    /// The key does not open, or not from here.
    Locked(String),
    /// Too much was asked.
    TooMany,
    /// There is no such share.
    UnknownShare,
    /// Anything else.
    Failed(String),
}

/// Reads an answer: its status and its body, which is nothing where it is no JSON.
pub(super) fn judge(status: u16, body: &Value) -> Verdict {
    let message = body.get("return_msg").and_then(Value::as_str).unwrap_or_default();
    let (class, code) = (class_of(body), code_of(message));
    if status == 200 && class == Some(0) {
        return Verdict::Done;
    }
    let words = || plain(message, WORDS_LENGTH_MAX);
    match (status, code) {
        (500.., _) => Verdict::Failed(format!("it answers {status}")),
        // It is not known, is of the other world, or was given to another address: a new one is not.
        (401, _) | (_, Some("8003" | "8005" | "8010" | "8031" | "8103")) => Verdict::TokenIsDead,
        (429, _) | (_, Some("1700" | "1701" | "1702")) => Verdict::TooMany,
        (_, Some("1901" | "1902" | "1903")) => Verdict::UnknownShare,
        // What the mock world does not offer has such a number as well, and says nothing about the key.
        (_, Some("8104")) => Verdict::Failed(words()),
        (_, Some(code)) if code.len() == 4 && code.starts_with('8') => Verdict::Locked(words()),
        (_, None) if class == Some(CLASS_TOO_MANY) => Verdict::TooMany,
        _ if class.is_none() => Verdict::Failed(format!("it answers {status} and nothing that can be read")),
        _ => Verdict::Failed(format!("it refuses: {}", words())),
    }
}

impl Verdict {
    /// The failure that it amounts to, about a share if it was asked about one; nothing when it is none.
    pub(super) fn failure(self, symbol: Option<Symbol>) -> Option<ProviderError> {
        let unavailable = |words: &str| Some(ProviderError::Unavailable(words.to_owned()));
        match self {
            Self::Done => None,
            Self::TokenIsDead => {
                Some(ProviderError::Refused("it does not take a token that it has just given".to_owned()))
            }
            Self::Locked(words) => {
                Some(ProviderError::Refused(format!("are app key and secret right? It says: {words}")))
            }
            Self::TooMany => unavailable("it was asked too often"),
            Self::UnknownShare => symbol.map_or_else(
                || unavailable("it does not know the share"),
                |symbol| Some(ProviderError::UnknownSymbol(symbol)),
            ),
            Self::Failed(words) => unavailable(&words),
        }
    }
}

/// The class: a number, or a text with one.
fn class_of(body: &Value) -> Option<i64> {
    match body.get("return_code")? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The code in the words of a refusal: `[1700:…]`, `[2000](RC4058:…)`, `[CODE=8005]`.
fn code_of(message: &str) -> Option<&str> {
    let is_code = |word: &&str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    message.split(|letter: char| !letter.is_ascii_alphanumeric()).find(is_code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(status: u16, class: impl Into<Value>, message: &str) -> Verdict {
        judge(status, &json!({ "return_code": class.into(), "return_msg": message }))
    }

    #[test]
    fn only_a_zero_with_status_200_is_an_answer() {
        assert_eq!(judged(200, 0, ""), Verdict::Done);
        assert_eq!(judged(200, "0000", "정상"), Verdict::Done);
        for verdict in
            [judged(500, 0, ""), judge(200, &Value::Null), judge(200, &json!({})), judged(200, 7, "모름")]
        {
            assert!(matches!(verdict, Verdict::Failed(_)), "{verdict:?}");
        }
    }

    #[test]
    fn a_refusal_is_known_by_the_code_in_its_words() {
        assert_eq!(judged(200, 3, "인증 실패[8005:Token이 유효하지 않습니다]"), Verdict::TokenIsDead);
        assert_eq!(judged(200, 3, "실패[CODE=8031]"), Verdict::TokenIsDead);
        assert_eq!(judged(401, 3, ""), Verdict::TokenIsDead);
        assert!(
            matches!(judged(200, 3, "[8001:키 검증에 실패했습니다]"), Verdict::Locked(words) if words.contains("8001"))
        );
        assert!(matches!(judged(200, 20, "[8104:모의투자 미지원]"), Verdict::Failed(_)));
        assert_eq!(judged(200, 1, "종목코드가 존재하지 않습니다[1902]"), Verdict::UnknownShare);
        for verdict in [judged(429, 5, ""), judged(200, 5, "[1700:flow=5]"), judged(200, 5, "")] {
            assert_eq!(verdict, Verdict::TooMany);
        }
    }

    #[test]
    fn a_key_that_does_not_open_waits_for_a_person_and_silence_does_not() {
        let symbol: Symbol = "005930.KS".parse().unwrap();
        let failure = |verdict: Verdict| verdict.failure(Some(symbol)).unwrap();
        assert!(matches!(failure(Verdict::Locked("8001".into())), ProviderError::Refused(_)));
        assert!(matches!(failure(Verdict::TooMany), ProviderError::Unavailable(_)));
        assert_eq!(failure(Verdict::UnknownShare), ProviderError::UnknownSymbol(symbol));
        assert_eq!(Verdict::Done.failure(None), None);
    }
}
