//! `GET` and `PUT /api/users/profile`

use crate::helpers::TestApp;
use serde_json::json;

const PATH: &str = "/api/users/profile";

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_and_changes_their_own_profile_alone() {
    let app = TestApp::start().await;
    let (ant, bee) = (app.register("ant@example.com").await, app.register("bee@example.com").await);
    let changed =
        app.put(PATH, &ant, json!({ "displayName": "개미", "language": "ko" })).await.expect(200).json();
    assert_eq!((&changed["displayName"], &changed["language"]), (&json!("개미"), &json!("ko")));
    assert_eq!(app.get(PATH, &ant).await.expect(200).json(), changed);
    let other = app.get(PATH, &bee).await.expect(200).json();
    assert_eq!((&other["email"], &other["displayName"]), (&json!("bee@example.com"), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_absent_stays_and_null_removes_the_name() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    app.put(PATH, &user, json!({ "displayName": "Ant" })).await.expect(200);
    let unchanged = app.put(PATH, &user, json!({ "language": "ko" })).await.expect(200).json();
    assert_eq!(unchanged["displayName"], "Ant");
    let removed = app.put(PATH, &user, json!({ "displayName": null })).await.expect(200).json();
    assert_eq!((&removed["displayName"], &removed["language"]), (&json!(null), &json!("ko")));
    app.put(PATH, &user, json!({})).await.expect(200);
}
