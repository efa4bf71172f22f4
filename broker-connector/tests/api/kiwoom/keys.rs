//! What opens an account at Kiwoom: a key, and the tokens that are fetched for it.

use super::{World, connect};
use crate::connector::TOKEN;
use crate::terms::{code, word};
use domain::AccountId;
use kiwoom_stand_in::{APP_KEY, SECRET_KEY};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_an_expired_and_a_revoked_key_are_three_answers() {
    let world = World::unconnected().await;
    let wrong = connect(&world.connector, world.account, APP_KEY, "wrong").await;
    assert_eq!(code(wrong).await, (422, "key_wrong".into()));
    world.stand_in.set_lock_words("App Key의 사용기간이 만료되었습니다[8001]");
    let expired = connect(&world.connector, world.account, APP_KEY, "wrong").await;
    assert_eq!(code(expired).await, (422, "key_expired".into()));
    assert_eq!(world.database.count("SELECT count(*) FROM broker.credentials").await, 0);

    assert_eq!(connect(&world.connector, world.account, APP_KEY, SECRET_KEY).await.status(), 200);
    world.becomes("connected").await;
    world.stand_in.set_lock_words("인증에 실패했습니다[8001:App Key와 Secret Key 검증에 실패했습니다]");
    world.stand_in.set_key("another", "key");
    world.stand_in.close_streams();
    world.becomes("key_revoked").await;
    assert_eq!(word(&world.connector.place(&world.buy("1", "70000")).await), "locked");

    assert_eq!(connect(&world.connector, world.account, "another", "key").await.status(), 200);
    world.becomes("connected").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_token_is_renewed_once_and_the_order_is_there_once() {
    let world = World::start().await;
    let before = world.stand_in.tokens_issued();
    world.stand_in.revoke_tokens();
    let order = world.buy("3", "70000");
    assert_eq!(word(&world.connector.place(&order).await), "accepted");
    assert_eq!((world.stand_in.tokens_issued(), world.at_kiwoom(&order).len()), (before + 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_before_it_ends() {
    let world = World::unconnected().await;
    world.stand_in.set_token_life(Duration::from_secs(2));
    assert_eq!(connect(&world.connector, world.account, APP_KEY, SECRET_KEY).await.status(), 200);
    world.becomes("connected").await;
    let path = format!("/broker/accounts/{}/balance", world.account);
    crate::connector::eventually("another token was fetched", || async {
        assert_eq!(world.connector.get(&path).await["cash"], "10000000");
        world.stand_in.tokens_issued() >= 3
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_once_and_while_nothing_is_open_in_it() {
    let world = World::unconnected().await;
    let number = world.stand_in.act(|market| market.take("005930", 1, 10_000));
    let open = connect(&world.connector, world.account, APP_KEY, SECRET_KEY).await;
    assert_eq!(code(open).await, (409, "orders_open".into()));
    world.stand_in.act(|market| market.take_back(&number));
    assert_eq!(connect(&world.connector, world.account, APP_KEY, SECRET_KEY).await.status(), 200);
    let second = connect(&world.connector, AccountId::generate(), APP_KEY, SECRET_KEY).await;
    assert_eq!(
        code(second).await,
        (409, "account_taken".into()),
        "one account of the broker's is one of ours"
    );
    let sealed = "SELECT count(*) FROM broker.credentials WHERE encode(sealed, 'escape') LIKE '%stand-in%'";
    assert_eq!(world.database.count(sealed).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_behind_the_same_key_is_not_read_and_not_sent_to() {
    let world = World::start().await;
    let number = world.stand_in.act(|market| std::mem::replace(&mut market.number, "9999999999".into()));
    world.stand_in.close_streams();
    world.becomes("account_changed").await;
    let refused = world.buy("1", "70000");
    assert_eq!(word(&world.connector.place(&refused).await), "rejected");
    assert!(world.at_kiwoom(&refused).is_empty());
    let path = format!("/broker/accounts/{}/sync", world.account);
    let answer = world.connector.send("GET", &path, Some(TOKEN), "").await;
    assert_eq!(code(answer).await, (422, "account_changed".into()));

    world.stand_in.act(|market| market.number = number);
    assert_eq!(connect(&world.connector, world.account, APP_KEY, SECRET_KEY).await.status(), 200);
    world.becomes("connected").await;
    assert_eq!(word(&world.connector.place(&world.buy("1", "70000")).await), "accepted");
}
