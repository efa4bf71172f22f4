//! What is, in Kiwoom's shapes: every number a text, padded in figures of the account. Pure.

use crate::market::{Kind, Market, Order, listed};
use chrono_tz::Asia::Seoul;
use serde_json::{Value, json};

/// The words for the side of an order in lists of the day.
fn side_words(order: &Order) -> String {
    let side = if order.buys { "+매수" } else { "-매도" };
    match order.kind {
        Kind::New => side.to_owned(),
        Kind::Change => format!("{side}정정"),
        Kind::Cancel => format!("{side}취소"),
    }
}

/// The words for the type of an order.
fn type_words(order: &Order) -> &'static str {
    match order.trade_type.as_str() {
        "3" => "시장가",
        "10" => "보통(IOC)",
        "13" => "시장가(IOC)",
        "20" => "보통(FOK)",
        "23" => "시장가(FOK)",
        "28" => "스톱지정가",
        _ => "보통",
    }
}

fn time(order: &Order, format: &str) -> String {
    order.at.with_timezone(&Seoul).format(format).to_string()
}

/// An average in whole won.
fn average(order: &Order) -> u64 {
    order.worth.checked_div(order.filled).unwrap_or_default()
}

fn original(order: &Order) -> String {
    order.original.clone().unwrap_or_else(|| "0000000".into())
}

fn ten(number: u64) -> String {
    format!("{number:010}")
}

/// A row of ka10075.
pub(crate) fn open_order(order: &Order) -> Value {
    json!({
        "acnt_no": "", "ord_no": order.number, "mang_empno": "", "stk_cd": order.code, "tsk_tp": "",
        "ord_stt": if order.filled > 0 { "체결" } else { "접수" }, "stk_nm": listed(&order.code).map(|row| row.0),
        "ord_qty": order.quantity.to_string(), "ord_pric": order.price.to_string(),
        "oso_qty": order.open.to_string(), "cntr_tot_amt": order.worth.to_string(),
        "orig_ord_no": original(order), "io_tp_nm": side_words(order), "trde_tp": type_words(order),
        "tm": time(order, "%H%M%S"), "cntr_no": "", "cntr_pric": average(order).to_string(),
        "cntr_qty": order.filled.to_string(), "cur_prc": "-69900", "sel_bid": "-70000", "buy_bid": "-69900",
        "unit_cntr_pric": "", "unit_cntr_qty": "", "tdy_trde_cmsn": order.commission().to_string(),
        "tdy_trde_tax": order.tax().to_string(), "ind_invsr": "", "stex_tp": "1", "stex_tp_txt": "KRX",
        "sor_yn": "N", "stop_pric": order.stop.to_string(),
    })
}

/// A row of ka10076.
pub(crate) fn execution(order: &Order) -> Value {
    json!({
        "ord_no": order.number, "stk_nm": listed(&order.code).map(|row| row.0), "io_tp_nm": side_words(order),
        "ord_pric": order.price.to_string(), "ord_qty": order.quantity.to_string(),
        "cntr_pric": average(order).to_string(), "cntr_qty": order.filled.to_string(),
        "oso_qty": order.open.to_string(), "tdy_trde_cmsn": order.commission().to_string(),
        "tdy_trde_tax": order.tax().to_string(), "ord_stt": "체결", "trde_tp": type_words(order),
        "orig_ord_no": original(order), "ord_tm": time(order, "%H%M%S"), "stk_cd": order.code,
        "stex_tp": "1", "stex_tp_txt": "KRX", "sor_yn": "N", "stop_pric": order.stop.to_string(),
    })
}

/// A row of kt00007.
pub(crate) fn order_of_day(order: &Order) -> Value {
    let (accepted, change, confirmed) = match order.kind {
        _ if order.is_rejected => ("거부", "", 0),
        Kind::New => ("접수", "", 0),
        Kind::Change => ("확인", "정정", order.quantity),
        Kind::Cancel => ("확인", "취소", order.quantity),
    };
    json!({
        "ord_no": order.number, "stk_cd": format!("A{}", order.code), "trde_tp": type_words(order),
        "crd_tp": "보통매매", "ord_qty": ten(order.quantity), "ord_uv": ten(order.price),
        "cnfm_qty": ten(confirmed), "acpt_tp": accepted, "rsrv_tp": "", "ord_tm": time(order, "%H:%M:%S"),
        "ori_ord": original(order), "stk_nm": listed(&order.code).map(|row| row.0),
        "io_tp_nm": if order.buys { "현금매수" } else { "현금매도" }, "loan_dt": "",
        "cntr_qty": ten(order.filled), "cntr_uv": ten(average(order)), "ord_remnq": ten(order.open),
        "comm_ord_tp": "REST API", "mdfy_cncl": change, "cnfm_tm": "", "dmst_stex_tp": "KRX",
        "cond_uv": ten(order.stop),
    })
}

/// A row of kt00018.
pub(crate) fn position(code: &str, quantity: u64) -> Value {
    json!({
        "stk_cd": format!("A{code}"), "stk_nm": listed(code).map(|row| row.0), "evltv_prft": "-00000000000100",
        "prft_rt": "-0.10", "pur_pric": "000000000070000", "pred_close_pric": "000000070000",
        "rmnd_qty": format!("{quantity:015}"), "trde_able_qty": format!("{quantity:015}"),
        "cur_prc": "000000069900", "pur_amt": "000000000000000", "evlt_amt": "000000000000000",
        "poss_rt": "0.00", "crd_tp": "00",
    })
}

/// kt00001.
pub(crate) fn deposit(market: &Market) -> Value {
    let cash = if market.cash < 0 {
        format!("-{:014}", market.cash.unsigned_abs())
    } else {
        format!("{:015}", market.cash)
    };
    let reserved: u64 =
        market.orders.iter().filter(|order| order.buys).map(|order| order.open * order.price).sum();
    let free = u64::try_from(market.cash).unwrap_or_default().saturating_sub(reserved);
    json!({
        "entr": cash, "d1_entra": cash, "d2_entra": cash, "pymn_alow_amt": cash,
        "ord_alow_amt": format!("{free:015}"), "stk_entr_prst": [], "return_code": 0,
        "return_msg": "조회가 완료되었습니다",
    })
}
