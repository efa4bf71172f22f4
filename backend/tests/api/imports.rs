//! `/api/accounts/{id}/imports`.

use crate::books::{assert_books_balance, count, rows_of};
use crate::helpers::{Answer, TestApp, TestUser};
use crate::trader::{Trader, decimal};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

const FILE: &str = "date,type,symbol,quantity,price,amount,fee,tax,ratio\n\
    2025-01-02,deposit,,,,\"10,000.00\",,,\n\
    2025-01-06,buy,AAPL,10,100,1000,1.00,,\n\
    2025-02-03,buy,AAPL,10,200,2000,1.00,,\n\
    2025-03-03,split,AAPL,,,,,,2:1\n\
    2025-04-01,sell,AAPL,10,150,1500,1.00,0.05,\n\
    2025-05-15,dividend,AAPL,,,3.00,,0.45,\n\
    2025-06-02,fee,,,,2.50,,,\n\
    2025-07-01,withdrawal,,,,500,,,\n";

impl Trader {
    async fn upload_as(
        &self,
        user: &TestUser,
        path: &str,
        media_type: &str,
        file: impl Into<Vec<u8>>,
    ) -> Answer {
        let path = format!("/api/accounts/{}/imports{path}", self.account);
        let request = self.app.request(Method::POST, &path).bearer_auth(&user.access_token);
        self.app.send(request.header("Content-Type", media_type).body(file.into())).await
    }

    pub(crate) async fn upload(&self, path: &str, file: &str) -> Answer {
        self.upload_as(&self.user, path, "text/csv; charset=utf-8", file).await
    }

    async fn nothing_was_booked(&self) {
        assert_eq!(rows_of(&self.app.database_url, "account.journals").await, 1, "the first deposit");
        assert_eq!(rows_of(&self.app.database_url, "activity.imports").await, 0);
        assert_eq!(rows_of(&self.app.database_url, "activity.import_lines").await, 0);
        assert_books_balance(&self.app.database_url).await;
    }
}

async fn trader() -> Trader {
    Trader::on(TestApp::start().await, "USD", "100").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_previewed_then_taken_over_once() {
    let trader = trader().await;
    let preview = trader.upload("/preview", FILE).await.expect(200).json();
    assert_eq!(
        (&preview["lines"], &preview["accepted"], &preview["refusedCount"]),
        (&json!(8), &json!(8), &json!(0))
    );
    assert_eq!(preview["columns"]["commission"], "fee");
    assert_eq!(
        (&preview["preview"][1]["kind"], &preview["preview"][1]["price"]),
        (&json!("buy"), &json!("100"))
    );
    assert_eq!(
        preview["changes"],
        json!([{ "commodity": "AAPL", "change": "30" }, { "commodity": "USD", "change": "7997" }])
    );
    trader.nothing_was_booked().await;

    let booked = trader.upload("", FILE).await.expect(201);
    assert_eq!((booked.header("idempotency-replayed"), &booked.json()["accepted"]), (None, &json!(8)));
    // 100 + 10,000 − 1,001 − 2,001 + 1,498.95 + 2.55 − 2.50 − 500
    assert_eq!(trader.balance().await["cash"], "8097");
    let positions = trader.app.get("/api/portfolio/positions", &trader.user).await.expect(200).json();
    let apple = &positions["positions"][0];
    assert_eq!((&apple["quantity"], &apple["cost"]), (&json!("30"), &json!("2250")), "40 shares cost 3,000");
    assert_eq!(decimal(&apple["realisedPnl"]), Decimal::from(750));
    assert_books_balance(&trader.app.database_url).await;

    let again = trader.upload("", FILE).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), again.json()), (Some("true"), booked.json()));
    let path = format!("/api/accounts/{}/imports", trader.account);
    let listed = trader.app.get(&path, &trader.user).await.expect(200).json();
    assert_eq!(
        (&listed["imports"][0]["id"], &listed["imports"][0]["booked"]),
        (&booked.json()["importId"], &json!(8))
    );
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 0, "orders are never touched");
    let path = format!("/api/accounts/{}/statement?kind=trade&order=oldest_first", trader.account);
    let lines = trader.app.get(&path, &trader.user).await.expect(200).json();
    assert_eq!(lines["lines"][0]["tradeDate"], "2025-01-06");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_line_keeps_the_whole_file_out_and_is_named() {
    let trader = trader().await;
    let file = FILE
        .replace("2025-06-02,fee,,,,2.50", "2025-06-02,fee,,,,2.505")
        .replace("dividend,AAPL", "dividend,apple!");
    let preview = trader.upload("/preview", &file).await.expect(200).json();
    assert_eq!((&preview["accepted"], &preview["refusedCount"]), (&json!(0), &json!(2)));
    let first = &preview["refused"][0];
    assert_eq!(
        (&first["line"], &first["column"], &first["header"], &first["rule"]),
        (&json!(7), &json!(3), &json!("symbol"), &json!("not_a_symbol"))
    );
    let refused = trader.upload("", &file).await.expect(422);
    assert_eq!(refused.code(), "import_refused");
    assert_eq!(refused.complaint(), ("line 7, column 3 (symbol)".to_owned(), "not_a_symbol".to_owned()));
    assert_eq!(refused.json()["errors"][1]["field"], "line 8, column 6 (amount)");
    trader.nothing_was_booked().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_single_line_shows_is_found_as_well() {
    let trader = trader().await;
    for (file, line, rule) in [
        ("date,type,symbol,quantity,price\n2025-01-06,sell,AAPL,1,10\n", "line 2", "insufficient_shares"),
        (
            "date,type,symbol,quantity,price\n2025-01-07,sell,AAPL,5,10\n2025-01-06,buy,AAPL,4,10\n",
            "line 2",
            "insufficient_shares",
        ),
        ("date,type,symbol,quantity,price\n2025-01-06,buy,AAPL,10,11\n", "line 2", "insufficient_cash"),
        (
            "date,type,amount\n2025-01-06,withdrawal,60\n2025-01-07,withdrawal,50\n",
            "line 3",
            "insufficient_cash",
        ),
        ("date,type,symbol,ratio\n2025-01-06,split,AAPL,2:1\n", "line 2", "nothing_held"),
    ] {
        let refused = trader.upload("", file).await.expect(422);
        assert_eq!(refused.code(), "import_refused", "{file}");
        assert_eq!(refused.complaint(), (line.to_owned(), rule.to_owned()), "{file}");
    }
    trader.nothing_was_booked().await;
    // The order of days counts, not that of lines.
    let newest_first =
        "date,type,symbol,quantity,price\n2025-01-07,sell,AAPL,5,10\n2025-01-06,buy,AAPL,5,10\n";
    trader.upload("", newest_first).await.expect(201);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_there_already_are_found_in_the_file_and_in_earlier_ones() {
    let trader = trader().await;
    let january = "date,type,amount\n2025-01-02,deposit,5\n2025-01-03,deposit,6\n";
    trader.upload("", january).await.expect(201);
    let february = "date,type,amount\n2025-01-03,deposit,6.00\n2025-02-03,deposit,7\n";
    let refused = trader.upload("", february).await.expect(422);
    assert_eq!(refused.complaint(), ("line 2".to_owned(), "already_imported".to_owned()));
    let skipped = trader.upload("?duplicates=skip", february).await.expect(201).json();
    assert_eq!((&skipped["accepted"], &skipped["skipped"]), (&json!(1), &json!(1)));
    assert_eq!(skipped["duplicates"], json!([{ "line": 2, "sameAsLine": null }]));
    assert_eq!(trader.balance().await["cash"], "118");
    let twins = "date,type,amount\n2025-03-03,deposit,1\n2025-03-03,deposit,1\n";
    let refused = trader.upload("", twins).await.expect(422);
    assert_eq!(refused.complaint(), ("line 3".to_owned(), "duplicate_in_file".to_owned()));
    trader.upload("?duplicates=keep", twins).await.expect(201);
    assert_eq!(trader.balance().await["cash"], "120");
    let triplets = format!("{twins}2025-03-03,deposit,1\n");
    let kept = trader.upload("?duplicates=keep", &triplets).await.expect(201).json();
    assert_eq!((&kept["accepted"], &kept["skipped"]), (&json!(1), &json!(2)));
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_korean_file_is_read_in_its_own_code_page() {
    let trader = Trader::on(TestApp::start().await, "KRW", "1000000").await;
    let text = "거래일자,거래구분,종목코드,수량,단가,수수료\n2025.03.03,매수,A005930,10,\"60,000\",90\n";
    // The same in the Korean code page.
    let (header, body) = text.split_once('\n').unwrap();
    let words: Vec<(&str, &[u8])> = vec![
        ("거래일자", b"\xb0\xc5\xb7\xa1\xc0\xcf\xc0\xda"),
        ("거래구분", b"\xb0\xc5\xb7\xa1\xb1\xb8\xba\xd0"),
        ("종목코드", b"\xc1\xbe\xb8\xf1\xc4\xda\xb5\xe5"),
        ("수량", b"\xbc\xf6\xb7\xae"),
        ("단가", b"\xb4\xdc\xb0\xa1"),
        ("수수료", b"\xbc\xf6\xbc\xf6\xb7\xe1"),
    ];
    let columns: Vec<&[u8]> =
        header.split(',').map(|name| words.iter().find(|(word, _)| *word == name).unwrap().1).collect();
    let mut file = columns.join(&b","[..]);
    file.push(b'\n');
    let (before, after) = body.split_once("매수").unwrap();
    file.extend([before.as_bytes(), b"\xb8\xc5\xbc\xf6", after.as_bytes()].concat());
    let refused =
        trader.upload_as(&trader.user, "?koreanBoard=kospi", "text/csv", file.clone()).await.expect(422);
    assert_eq!(refused.complaint(), ("body".to_owned(), "not_text".to_owned()));
    let media_type = "text/csv; charset=euc-kr";
    let missing = trader.upload_as(&trader.user, "", media_type, file.clone()).await.expect(422);
    assert_eq!(missing.complaint(), ("line 2, column 3 (종목코드)".to_owned(), "board_unknown".to_owned()));
    trader.upload_as(&trader.user, "?koreanBoard=kospi", media_type, file).await.expect(201);
    assert_eq!(trader.balance().await["cash"], "399910");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_such_file_is_refused_and_nothing_is_booked() {
    let trader = trader().await;
    for (path, file, field, rule) in [
        ("", "", "body", "empty"),
        ("", "a,b\n1,2\n", "columnDate", "required"),
        ("?columnAmount=netto", "date,type,amount\n", "columnAmount", "unknown_column"),
        ("?dateFormat=ddd", "date,type\n", "dateFormat", "unknown_value"),
        ("?dryRun=true", "date,type\n", "dryRun", "unknown_field"),
        ("", "date,type,amount\n2025-01-01,deposit,\u{0}\n", "body", "not_text"),
    ] {
        let refused = trader.upload(path, file).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), rule.to_owned()), "{path} {file}");
    }
    let long = format!("date,type,amount\n{}", "2025-01-01,deposit,1\n".repeat(5_001));
    assert_eq!(trader.upload("", &long).await.expect(422).complaint().1, "too_many_lines");
    let large = "x".repeat(2 * 1024 * 1024 + 1);
    assert_eq!(trader.upload("", &large).await.expect(413).code(), "body_too_large");
    let json = trader.upload_as(&trader.user, "", "application/json", "{}").await.expect(415);
    assert_eq!(json.code(), "unsupported_media_type");
    trader.upload_as(&trader.user, "", "text/csv; charset=latin1", "date,type\n").await.expect(415);
    let other = trader.app.register("wasp@example.com").await;
    for path in ["", "/preview"] {
        trader.upload_as(&other, path, "text/csv", FILE).await.expect(404);
    }
    trader.nothing_was_booked().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_that_comes_eight_times_at_once_is_booked_once() {
    let trader = trader().await;
    let answers = futures_util::future::join_all((0..8).map(|_| trader.upload("", FILE))).await;
    let ids: std::collections::HashSet<_> =
        answers.into_iter().map(|answer| answer.expect(201).json()["importId"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(trader.balance().await["cash"], "8097");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_lines_are_taken_over_at_once() {
    let trader = trader().await;
    let mut file = "date,type,symbol,quantity,price,amount\n2025-01-01,deposit,,,,1000000\n".to_owned();
    for number in 0..4_999 {
        let (kind, symbol) = if number % 2 == 0 { ("buy", "AAPL") } else { ("sell", "AAPL") };
        file.push_str(&format!("2025-01-{:02},{kind},{symbol},2,{}.5,\n", 2 + number / 200, 10 + number % 7));
    }
    let booked = trader.upload("?duplicates=keep", &file).await.expect(201).json();
    assert_eq!(booked["accepted"], 5_000);
    let sales = "SELECT count(*) AS rows FROM portfolio.sales";
    assert_eq!(count(&trader.app.database_url, sales).await, 2_499);
    assert_books_balance(&trader.app.database_url).await;
    let _: Value = trader.balance().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_taken_over_is_no_difference_to_the_broker() {
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "2").await;
    let file = "date,type,symbol,quantity,price,amount\n\
                2025-01-02,deposit,,,,5000\n\
                2025-01-03,buy,AAPL,10,100,\n\
                2025-01-06,sell,AAPL,4,110,\n\
                2025-01-07,dividend,AAPL,,,3.50\n";
    trader.upload("", file).await.expect(201);
    trader.assert_in_order().await;
    // Shares of both kinds are sold in one order, which the broker knows as its own.
    let sold = trader.place("sell", "AAPL", "8", None).await.expect(201).json();
    trader.until(sold["id"].as_str().unwrap(), "FILLED").await;
    trader.assert_in_order().await;
    let trader = Trader { app: trader.app.restart().await, ..trader };
    // Nothing is placed before.
    trader.assert_in_order().await;
    trader.bought("AAPL", "1").await;
    trader.assert_in_order().await;
}
