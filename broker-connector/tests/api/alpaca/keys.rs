//! What opens an account at Alpaca.

use super::{KEY, World, adapters, connect};
use crate::connector::{Connector, TOKEN, eventually};
use crate::database::TestDatabase;
use crate::terms::{code, word};
use alpaca_stand_in::{KEY_ID, SECRET_KEY};
use broker_connector::AdapterSettings;
use broker_connector::credentials::{KeySource, rotate_key};
use diesel_async::SimpleAsyncConnection;
use domain::AccountId;
use domain::broker::Unsent;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use uuid::Uuid;

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

/// A key in a file, in a folder that goes with it.
struct KeyFile(PathBuf);

impl KeyFile {
    fn new() -> Self {
        use std::io::Write;
        let folder = std::env::temp_dir().join(format!("gaemi-key-{}", Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("broker.key");
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        file.write_all(KEY.as_bytes()).unwrap();
        Self(path)
    }

    fn source(&self) -> KeySource {
        KeySource::File(self.0.clone())
    }

    /// Whether a key waits that is to take its place.
    fn has_next(&self) -> bool {
        self.0.with_added_extension("next").exists()
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// Another connector, with a key in a file, in the place of one that is killed.
async fn restart_with(world: &mut World, key: &KeyFile) {
    let settings = AdapterSettings { key: Some(key.source()), ..adapters(&world.stand_in) };
    let next = Connector::launch_with(&world.database, &world.quotes, settings).await;
    std::mem::replace(&mut world.connector, next).kill();
    world.connector.becomes_ready().await;
    world.becomes("connected").await;
}

async fn waits_for_a_lock(database: &TestDatabase) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("somebody waits for the lock", || async { database.count(waiting).await > 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_keys_that_is_killed_midway_loses_nothing_and_is_done_by_the_next() {
    let mut world = World::start().await;
    let key = KeyFile::new();
    restart_with(&mut world, &key).await;
    let mut lock = world.database.connection().await;
    lock.batch_execute("BEGIN; LOCK TABLE broker.credentials").await.unwrap();
    let (url, source) = (world.database.url(), key.source());
    let changing = tokio::spawn(async move { rotate_key(&url.into(), &source).await });
    waits_for_a_lock(&world.database).await;
    changing.abort();
    assert!(changing.await.is_err(), "it was killed");
    lock.batch_execute("COMMIT").await.unwrap();
    assert!(key.has_next(), "it left the next key behind");

    restart_with(&mut world, &key).await;
    let again = connect(&world.connector, world.account, KEY_ID, SECRET_KEY).await;
    assert_eq!(again.status(), 200, "keys are entered in the middle of it");
    restart_with(&mut world, &key).await;
    assert_eq!(rotate_key(&world.database.url().into(), &key.source()).await.unwrap(), 1);
    assert!(!key.has_next());
    restart_with(&mut world, &key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sealed_before_a_change_of_keys_and_is_written_after_it_can_be_read() {
    let mut world = World::start().await;
    let key = KeyFile::new();
    restart_with(&mut world, &key).await;
    let mut lock = world.database.connection().await;
    lock.batch_execute("BEGIN; LOCK TABLE broker.accounts").await.unwrap();
    let entering = connect(&world.connector, world.account, KEY_ID, SECRET_KEY);
    let changing = async {
        waits_for_a_lock(&world.database).await;
        let rows = rotate_key(&world.database.url().into(), &key.source()).await.unwrap();
        lock.batch_execute("COMMIT").await.unwrap();
        rows
    };
    let (entered, rows) = tokio::join!(entering, changing);
    assert_eq!((entered.status().as_u16(), rows), (200, 1));
    restart_with(&mut world, &key).await;
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
