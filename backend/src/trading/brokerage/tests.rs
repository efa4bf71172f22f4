use super::super::keys::KeyState;
use super::*;
use broker_connector::broker::{KeyTrouble, OpeningTrouble};
use std::collections::BTreeSet;

fn answered(code: &str) -> ApiError {
    refused(OpenError::Refused { code: code.to_owned(), detail: "why".to_owned() })
}

/// What the owner of an account is told for each trouble with its key. A new one does not compile without an answer.
const fn expected_of_key(trouble: KeyTrouble) -> ErrorCode {
    match trouble {
        KeyTrouble::Missing => ErrorCode::BrokerKeyMissing,
        KeyTrouble::Wrong => ErrorCode::BrokerKeyWrong,
        KeyTrouble::Expired => ErrorCode::BrokerKeyExpired,
        KeyTrouble::Revoked => ErrorCode::BrokerKeyRevoked,
        KeyTrouble::OtherAccount => ErrorCode::BrokerAccountChanged,
    }
}

/// The same for each reason why an account is not opened.
const fn expected_of_opening(trouble: OpeningTrouble) -> ErrorCode {
    match trouble {
        OpeningTrouble::OrdersOpen => ErrorCode::BrokerOrdersOpen,
        OpeningTrouble::BridgeMissing => ErrorCode::BrokerBridgeMissing,
        OpeningTrouble::Inactive => ErrorCode::BrokerAccountInactive,
        OpeningTrouble::OtherCurrency => ErrorCode::BrokerOtherCurrency,
        OpeningTrouble::OtherAccount => ErrorCode::BrokerAccountChanged,
        OpeningTrouble::Taken => ErrorCode::BrokerAccountTaken,
    }
}

#[test]
fn each_word_of_the_connector_for_a_key_is_a_code_of_its_own_and_a_state_of_the_key() {
    for trouble in KeyTrouble::ALL {
        assert_eq!(answered(trouble.word()).code(), expected_of_key(trouble), "{trouble:?}");
        let state = KeyState::of_word(trouble.word()).map(KeyState::name);
        assert_eq!(state, Some(trouble.word()), "orders that wait for it are told of");
    }
    let codes: BTreeSet<String> =
        KeyTrouble::ALL.iter().map(|trouble| format!("{:?}", answered(trouble.word()).code())).collect();
    assert_eq!(codes.len(), KeyTrouble::ALL.len(), "no two troubles are one");
}

#[test]
fn each_reason_why_an_account_is_not_opened_is_a_code_and_none_falls_into_the_rest() {
    for trouble in OpeningTrouble::ALL {
        assert_eq!(answered(trouble.word()).code(), expected_of_opening(trouble), "{trouble:?}");
    }
    assert_eq!(answered("broker_refused").code(), ErrorCode::BrokerRefuses);
}

#[test]
fn what_is_no_refusal_of_the_account_is_told_as_what_it_is() {
    for (word, code) in [
        ("unsupported", ErrorCode::BrokerKeyNotNeeded),
        ("validation_failed", ErrorCode::ValidationFailed),
        ("rate_limited", ErrorCode::TooManyRequests),
    ] {
        assert_eq!(answered(word).code(), code, "{word}");
    }
    let silent = refused(OpenError::Unreachable("no line".to_owned()));
    assert_eq!(silent.code(), ErrorCode::ServiceUnavailable);
}
