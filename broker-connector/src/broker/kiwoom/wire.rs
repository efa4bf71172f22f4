//! Kiwoom's shapes, as of November 2026 (REST API). What the adapter does not use is not read.
//!
//! All numbers are texts: padded with zeros, with a sign in front in figures of the account; before a price a sign only tells
//! whether it is above or below yesterday's.

use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;

/// Longest number that is read, in characters.
const NUMBER_LENGTH_MAX: usize = 40;

/// Largest number that is read, in won, and most shares: far above what anybody has, and so far below what a decimal holds
/// that no product and no sum of such numbers is beyond it.
const NUMBER_MAX: i64 = 10_000_000_000_000;
const SHARES_MAX: i64 = 10_000_000_000;

/// A number, exactly as it was written; an empty text is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Number(pub(super) Decimal);

impl Number {
    /// Reads a text.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self::default());
        }
        let text = text.strip_prefix('+').unwrap_or(text);
        if text.len() > NUMBER_LENGTH_MAX {
            return None;
        }
        let number = Decimal::from_str_exact(text).ok().map(|number| number.normalize());
        number.filter(|number| number.abs() <= Decimal::from(NUMBER_MAX)).map(Self)
    }

    /// As a price, whose sign is none.
    pub(super) fn price(self) -> Decimal {
        self.0.abs()
    }

    /// As a number of whole shares.
    pub(super) fn shares(self) -> Option<i64> {
        let whole = self.0.fract().is_zero() && self.0 >= Decimal::ZERO;
        let shares = whole.then(|| i64::try_from(self.0).ok()).flatten();
        shares.filter(|shares| *shares <= SHARES_MAX)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| D::Error::custom("no number"))
    }
}

/// What every answer has.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Outcome {
    #[serde(default)]
    pub(super) return_code: Option<serde_json::Value>,
    #[serde(default)]
    pub(super) return_msg: Option<String>,
}

impl Outcome {
    /// Its class: 0 is success. Mostly a number, sometimes a text of digits.
    pub(super) fn class(&self) -> Option<i64> {
        match self.return_code.as_ref()? {
            serde_json::Value::Number(number) => number.as_i64(),
            serde_json::Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// A token.
#[derive(Debug, Deserialize)]
pub(super) struct Token {
    pub(super) token: SecretString,
    #[serde(default)]
    pub(super) expires_dt: Option<String>,
}

/// A new order, a change or a cancel was taken.
#[derive(Debug, Deserialize)]
pub(super) struct Taken {
    #[serde(default)]
    pub(super) ord_no: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AccountNumber {
    #[serde(rename = "acctNo")]
    pub(super) number: String,
}

/// kt00001.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Deposit {
    /// Cash in two business days, when everything is settled.
    pub(super) d2_entra: Number,
    /// What new orders may use.
    pub(super) ord_alow_amt: Number,
}

/// kt00018.
#[derive(Debug, Deserialize)]
pub(super) struct Holdings {
    #[serde(default, rename = "acnt_evlt_remn_indv_tot")]
    pub(super) rows: Vec<Holding>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Holding {
    pub(super) stk_cd: String,
    pub(super) rmnd_qty: Number,
}

/// kt00007.
#[derive(Debug, Deserialize)]
pub(super) struct OrdersOfDay {
    #[serde(default, rename = "acnt_ord_cntr_prps_dtl")]
    pub(super) rows: Vec<OrderOfDay>,
}

/// An order, a change or a cancel of a day.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OrderOfDay {
    pub(super) ord_no: String,
    #[serde(default)]
    pub(super) ori_ord: String,
    pub(super) stk_cd: String,
    #[serde(default)]
    pub(super) trde_tp: String,
    pub(super) io_tp_nm: String,
    pub(super) ord_qty: Number,
    #[serde(default)]
    pub(super) ord_uv: Number,
    #[serde(default)]
    pub(super) cntr_qty: Number,
    #[serde(default)]
    pub(super) cntr_uv: Number,
    #[serde(default)]
    pub(super) ord_remnq: Number,
    #[serde(default)]
    pub(super) cnfm_qty: Number,
    #[serde(default)]
    pub(super) acpt_tp: String,
    #[serde(default)]
    pub(super) mdfy_cncl: String,
    pub(super) ord_tm: String,
    #[serde(default)]
    pub(super) cond_uv: Number,
}

/// ka10075.
#[derive(Debug, Deserialize)]
pub(super) struct OpenOrders {
    #[serde(default, rename = "oso")]
    pub(super) rows: Vec<OpenOrder>,
}

/// An order that is open.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OpenOrder {
    pub(super) ord_no: String,
    #[serde(default)]
    pub(super) orig_ord_no: String,
    pub(super) stk_cd: String,
    #[serde(default)]
    pub(super) trde_tp: String,
    pub(super) io_tp_nm: String,
    pub(super) ord_qty: Number,
    #[serde(default)]
    pub(super) ord_pric: Number,
    pub(super) oso_qty: Number,
    #[serde(default)]
    pub(super) cntr_qty: Number,
    #[serde(default)]
    pub(super) cntr_pric: Number,
    pub(super) tm: String,
    #[serde(default)]
    pub(super) stop_pric: Number,
}

/// ka10076.
#[derive(Debug, Deserialize)]
pub(super) struct Executions {
    #[serde(default, rename = "cntr")]
    pub(super) rows: Vec<Executed>,
}

/// What of an order was executed today.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Executed {
    pub(super) ord_no: String,
    pub(super) cntr_pric: Number,
    pub(super) cntr_qty: Number,
    #[serde(default)]
    pub(super) tdy_trde_cmsn: Number,
    #[serde(default)]
    pub(super) tdy_trde_tax: Number,
    #[serde(default)]
    pub(super) ord_tm: String,
}

/// ka10100.
#[derive(Debug, Deserialize)]
pub(super) struct Instrument {
    #[serde(rename = "marketCode")]
    pub(super) market_code: String,
}

/// A new order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewOrder {
    pub(super) dmst_stex_tp: &'static str,
    pub(super) stk_cd: String,
    pub(super) ord_qty: String,
    pub(super) ord_uv: String,
    pub(super) trde_tp: &'static str,
    pub(super) cond_uv: String,
}

/// Another price for what is left of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    pub(super) dmst_stex_tp: &'static str,
    pub(super) orig_ord_no: String,
    pub(super) stk_cd: String,
    pub(super) mdfy_qty: &'static str,
    pub(super) mdfy_uv: String,
    pub(super) mdfy_cond_uv: String,
}

/// A cancel of what is left of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Cancel {
    pub(super) dmst_stex_tp: &'static str,
    pub(super) orig_ord_no: String,
    pub(super) stk_cd: String,
    pub(super) cncl_qty: &'static str,
}

/// What the stream says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct StreamMessage {
    #[serde(default)]
    pub(super) trnm: String,
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) data: Vec<StreamData>,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

#[derive(Debug, Deserialize)]
pub(super) struct StreamData {
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) values: Values,
}

/// What an event says, by field number. Numbers are texts here, too.
pub(super) type Values = HashMap<String, serde_json::Value>;
