//! The REST service: what is asked, and what is answered. Pure but for the clock.

use crate::market::{Market, Refusal, listed};
use crate::{answers, lists::Paged};
use crate::{lists, prices};
use serde_json::{Value, json};

/// A request.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    /// Which function is asked for.
    pub(crate) api_id: String,
    pub(crate) token: String,
    /// Where the page that is asked for begins.
    pub(crate) next_key: String,
    pub(crate) body: Value,
}

impl Asked {
    /// Whether it sends, changes or takes back an order.
    pub(crate) fn is_about_an_order(&self) -> bool {
        self.path == "/api/dostk/ordr"
    }
}

fn done(body: Value) -> Paged {
    (body, None)
}

fn refused((code, words): Refusal) -> Paged {
    done(json!({ "return_code": code, "return_msg": words }))
}

fn numbered(number: &str, side: &str) -> Paged {
    let words = format!("{side}주문이 완료되었습니다");
    done(json!({ "ord_no": number, "dmst_stex_tp": "KRX", "return_code": 0, "return_msg": words }))
}

/// Answers.
pub(crate) fn answer(market: &mut Market, asked: &Asked) -> Paged {
    let (body, next_key) = (&asked.body, asked.next_key.as_str());
    match (asked.path.as_str(), asked.api_id.as_str()) {
        ("/api/dostk/ordr", "kt10000") => {
            market.submit(true, body).map_or_else(refused, |number| numbered(&number, "매수"))
        }
        ("/api/dostk/ordr", "kt10001") => {
            market.submit(false, body).map_or_else(refused, |number| numbered(&number, "매도"))
        }
        ("/api/dostk/ordr", "kt10002") => market.change(body).map_or_else(refused, |change| {
            done(json!({
                "ord_no": change.number, "base_orig_ord_no": change.original, "mdfy_qty": format!("{:012}", change.quantity),
                "dmst_stex_tp": "KRX", "return_code": 0, "return_msg": "정정주문이 완료되었습니다",
            }))
        }),
        ("/api/dostk/ordr", "kt10003") => market.cancel(body).map_or_else(refused, |cancel| {
            done(json!({
                "ord_no": cancel.number, "base_orig_ord_no": cancel.original, "cncl_qty": format!("{:012}", cancel.quantity),
                "dmst_stex_tp": "KRX", "return_code": 0, "return_msg": "취소주문이 완료되었습니다",
            }))
        }),
        ("/api/dostk/acnt", "ka00001") => {
            done(json!({ "acctNo": market.number, "return_code": 0, "return_msg": "정상적으로 처리되었습니다" }))
        }
        ("/api/dostk/acnt", "kt00001") => done(answers::deposit(market)),
        ("/api/dostk/acnt", "kt00018") => lists::positions(market, next_key),
        ("/api/dostk/acnt", "kt00007") => lists::orders_of_day(market, body, next_key),
        ("/api/dostk/acnt", "ka10075") => lists::open_orders(market, next_key),
        ("/api/dostk/acnt", "ka10076") => lists::executions(market, next_key),
        ("/api/dostk/stkinfo", "ka10100") => instrument(body),
        ("/api/dostk/stkinfo", "ka10099") => prices::shares(body).map_or_else(refused, done),
        ("/api/dostk/stkinfo", "ka10001") => prices::basics(market, body).map_or_else(refused, done),
        ("/api/dostk/mrkcond", "ka10004") => prices::book_asked(market, body).map_or_else(refused, done),
        ("/api/dostk/chart", "ka10080") => prices::minutes(market, body, next_key).unwrap_or_else(refused),
        ("/api/dostk/chart", "ka10081") => prices::days(market, body, next_key).unwrap_or_else(refused),
        _ => refused((2, "입력 값 오류입니다[1504:해당 URI에서는 지원하는 API ID가 아닙니다]".into())),
    }
}

fn instrument(body: &Value) -> Paged {
    let code = body.get("stk_cd").and_then(Value::as_str).unwrap_or_default();
    let Some((name, board)) = listed(code) else {
        return refused((1, "종목코드가 존재하지 않습니다[1902]".into()));
    };
    let market_name = if board == "10" { "코스닥" } else { "거래소" };
    done(json!({
        "code": code, "name": name, "listCount": "0000000000000000", "auditInfo": "정상", "regDay": "19750611",
        "lastPrice": "00070000", "state": "증거금20%", "marketCode": board, "marketName": market_name, "upName": "",
        "upSizeName": "", "orderWarning": "0", "nxtEnable": "Y", "return_code": 0, "return_msg": "정상적으로 처리되었습니다",
    }))
}
