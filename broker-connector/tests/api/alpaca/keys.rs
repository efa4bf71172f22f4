//! What opens an account at Alpaca.

use super::{KEY, World, adapters, connect};
use crate::connector::{Connector, TOKEN, eventually};
use crate::terms::{code, word};
use alpaca_stand_in::{KEY_ID, SECRET_KEY};
use broker_connector::credentials::{KeySource, rotate_key};
use domain::AccountId;
use domain::broker::Unsent;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_an_expired_and_a_revoked_key_are_three_answers() {
    let world = World::unconnected().await;
    let wrong = connect(&world.connector, world.account, KEY_ID, "wrong").await;
    assert_eq!(code(wrong).await, (422, "key_wrong".into()));
    assert_eq!(world.state().await["state"], "connected", "an account that nobody knows is the simulator's");
    world.stand_in.set_lock_words("access key has expired");
    let expired = connect(&world.connector, world.account, KEY_ID, "wrong").await;
    assert_eq!(code(expired).await, (422, "key_expired".into()));
    assert_eq!(world.database.count("SELECT count(*) FROM broker.credentials").await, 0);

    assert_eq!(connect(&world.connector, world.account, KEY_ID, SECRET_KEY).await.status(), 200);
    world.becomes("connected").await;
    world.stand_in.set_lock_words("unauthorized.");
    world.stand_in.set_key("PKOTHER", "other");
    world.stand_in.close_streams();
    world.becomes("key_revoked").await;
    let outcome = world.connector.place(&world.buy("1", "100")).await;
    let said = outcome.unsent();
    assert!(matches!(said, Some(Unsent::AuthExpired { code, .. }) if code == "key_revoked"), "{outcome:?}");

    assert_eq!(connect(&world.connector, world.account, "PKOTHER", "other").await.status(), 200);
    world.becomes("connected").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_opens_an_account_is_nowhere_readable() {
    let world = World::start().await;
    let sealed = "SELECT count(*) FROM broker.credentials WHERE encode(sealed, 'escape') LIKE '%PKSTANDIN%'
        OR encode(sealed, 'escape') LIKE '%secret%'";
    assert_eq!(world.database.count(sealed).await, 0);
    assert_eq!(world.database.count("SELECT count(*) FROM broker.credentials").await, 1);
    for path in ["/broker/status", "/broker/capabilities"] {
        assert!(!world.connector.get(path).await.to_string().contains(KEY_ID));
    }
    assert!(!world.state().await.to_string().contains(SECRET_KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_parts_of_a_key_are_named_and_other_accounts_of_the_brokers_are_refused() {
    let world = World::start().await;
    let malformed = connect(&world.connector, world.account, "a b", "x").await;
    assert_eq!(code(malformed).await, (422, "validation_failed".into()));
    let second = connect(&world.connector, AccountId::generate(), KEY_ID, SECRET_KEY).await;
    assert_eq!(
        code(second).await,
        (409, "account_taken".into()),
        "one account of the broker's is one of ours"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_changed_and_the_connector_comes_back_with_the_new_one() {
    let mut world = World::start().await;
    let next = "f".repeat(64);
    let both = KeySource::Digits { present: KEY.into(), next: Some(next.clone().into()) };
    assert_eq!(rotate_key(&world.database.url().into(), &both).await.unwrap(), 1);
    assert_eq!(rotate_key(&world.database.url().into(), &both).await.unwrap(), 1, "again changes nothing");

    let mut settings = adapters(&world.stand_in);
    settings.key = Some(KeySource::Digits { present: next.into(), next: None });
    let connector = Connector::launch_with(&world.database, &world.quotes, settings).await;
    std::mem::replace(&mut world.connector, connector).kill();
    world.connector.becomes_ready().await;
    world.becomes("connected").await;

    // With the old key the account stays closed, and says so.
    let connector = Connector::launch_with(&world.database, &world.quotes, adapters(&world.stand_in)).await;
    std::mem::replace(&mut world.connector, connector).kill();
    world.connector.becomes_ready().await;
    eventually("the account is closed", || async { world.state().await["state"] == "key_missing" }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_behind_the_same_key_is_not_read_and_not_sent_to() {
    let world = World::start().await;
    let before = world.buy("5", "100");
    world.connector.place(&before).await;
    world.tells(&before, &["accepted"]).await;
    let number = world.stand_in.act(|market| std::mem::replace(&mut market.number, "PA-ANOTHER".into()));
    world.stand_in.close_streams();
    world.becomes("account_changed").await;
    world.fill(&before, "5", "100");
    let refused = world.buy("1", "100");
    let outcome = format!("{:?}", world.connector.place(&refused).await);
    assert!(outcome.contains("Rejected") && outcome.contains("account_changed"), "{outcome}");
    assert!(world.stand_in.act(|market| market.named(&refused.order_id.to_string()).is_empty()));
    let again = world.connector.place(&before).await;
    assert_eq!(word(&again), "locked", "what may be at the account that was opened is not refused");
    for path in ["sync", "balance", "positions"] {
        let path = format!("/broker/accounts/{}/{path}", world.account);
        let answer = world.connector.send("GET", &path, Some(TOKEN), "").await;
        assert_eq!(code(answer).await, (422, "account_changed".into()), "{path}");
    }
    let kinds = world.connector.kinds(&before).await;
    assert!(!kinds.iter().any(|kind| kind == "fill"), "nothing of the other account is told: {kinds:?}");

    world.stand_in.act(|market| market.number = number);
    assert_eq!(connect(&world.connector, world.account, KEY_ID, SECRET_KEY).await.status(), 200);
    world.becomes("connected").await;
    world.tells(&before, &["accepted", "fill"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_comes_back_asks_whose_account_it_is() {
    let mut world = World::start().await;
    world.stand_in.act(|market| market.number = "PA-ANOTHER".into());
    let next = Connector::launch_with(&world.database, &world.quotes, adapters(&world.stand_in)).await;
    std::mem::replace(&mut world.connector, next).kill();
    world.connector.becomes_ready().await;
    world.becomes("account_changed").await;
    let lines = "SELECT count(*) FROM broker.execution_reports WHERE kind <> 'rejected'";
    assert_eq!(world.database.count(lines).await, 0);
    let other = connect(&world.connector, world.account, KEY_ID, SECRET_KEY).await;
    assert_eq!(
        code(other).await,
        (409, "other_account".into()),
        "it is not taken for the one that was opened"
    );
}
