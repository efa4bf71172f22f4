//! Which column of a file means what. Pure.

use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;

/// What a column can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Date,
    Kind,
    Symbol,
    Quantity,
    Price,
    Amount,
    Commission,
    Tax,
    Currency,
    Ratio,
    Reference,
}

impl Field {
    /// Every meaning.
    pub(super) const ALL: [Self; 11] = [
        Self::Date,
        Self::Kind,
        Self::Symbol,
        Self::Quantity,
        Self::Price,
        Self::Amount,
        Self::Commission,
        Self::Tax,
        Self::Currency,
        Self::Ratio,
        Self::Reference,
    ];

    /// Its word; also the end of the parameter that names its column.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Kind => "kind",
            Self::Symbol => "symbol",
            Self::Quantity => "quantity",
            Self::Price => "price",
            Self::Amount => "amount",
            Self::Commission => "commission",
            Self::Tax => "tax",
            Self::Currency => "currency",
            Self::Ratio => "ratio",
            Self::Reference => "reference",
        }
    }

    /// The parameter that names its column.
    pub(super) const fn parameter(self) -> &'static str {
        match self {
            Self::Date => "columnDate",
            Self::Kind => "columnKind",
            Self::Symbol => "columnSymbol",
            Self::Quantity => "columnQuantity",
            Self::Price => "columnPrice",
            Self::Amount => "columnAmount",
            Self::Commission => "columnCommission",
            Self::Tax => "columnTax",
            Self::Currency => "columnCurrency",
            Self::Ratio => "columnRatio",
            Self::Reference => "columnReference",
        }
    }

    /// Headers that mean it, as [`plain`] makes them, the surest first: English, and those of Korean brokers' lists.
    const fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Date => &[
                "date",
                "tradedate",
                "transactiondate",
                "day",
                "거래일자",
                "거래일",
                "체결일자",
                "체결일",
                "매매일자",
                "일자",
                "날짜",
            ],
            Self::Kind => &[
                "kind",
                "type",
                "transactiontype",
                "activitytype",
                "action",
                "side",
                "거래구분",
                "매매구분",
                "거래종류",
                "거래유형",
                "구분",
                "유형",
            ],
            Self::Symbol => &["symbol", "ticker", "code", "종목코드", "종목번호", "티커", "심볼"],
            Self::Quantity => &["quantity", "qty", "shares", "units", "거래수량", "체결수량", "수량", "주수"],
            Self::Price => {
                &["price", "unitprice", "거래단가", "체결단가", "체결가", "체결가격", "단가", "가격"]
            }
            Self::Amount => {
                &["amount", "grossamount", "total", "value", "거래금액", "체결금액", "입출금액", "금액"]
            }
            Self::Commission => &["commission", "fee", "fees", "수수료", "거래수수료"],
            Self::Tax => {
                &["tax", "taxes", "withholdingtax", "withheld", "제세금", "거래세", "세금", "원천징수세"]
            }
            Self::Currency => &["currency", "ccy", "통화코드", "통화"],
            Self::Ratio => &["ratio", "splitratio", "분할비율", "병합비율", "비율"],
            Self::Reference => {
                &["reference", "ref", "id", "transactionid", "tradeid", "거래번호", "체결번호", "주문번호"]
            }
        }
    }
}

/// A header as it is compared: composed, in small letters, without blanks and marks.
fn plain(header: &str) -> String {
    header.nfc().flat_map(char::to_lowercase).filter(|character| character.is_alphanumeric()).collect()
}

/// Why columns could not be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnsError {
    /// A parameter names a header that the file does not have, or has twice.
    NotThere(Field),
    /// Nothing in the header means this.
    Missing(Field),
}

/// The column of each meaning, from 0. What a parameter names is taken from there; the rest is found by its header.
pub(super) fn find(
    header: &[String],
    named: &BTreeMap<Field, String>,
) -> Result<BTreeMap<Field, usize>, ColumnsError> {
    let plain_header: Vec<String> = header.iter().map(|name| plain(name)).collect();
    let mut columns = BTreeMap::new();
    for (field, name) in named {
        let wanted = plain(name);
        let mut found = plain_header.iter().enumerate().filter(|(_, header)| **header == wanted);
        match (found.next(), found.next()) {
            (Some((column, _)), None) => columns.insert(*field, column),
            _ => return Err(ColumnsError::NotThere(*field)),
        };
    }
    for field in Field::ALL.into_iter().filter(|field| !named.contains_key(field)) {
        let by_header = |wanted: &&str| plain_header.iter().position(|header| header == wanted);
        let free = |column: &usize| !columns.values().any(|taken| taken == column);
        if let Some(column) = field.headers().iter().filter_map(by_header).find(free) {
            columns.insert(field, column);
        }
    }
    for field in [Field::Date, Field::Kind] {
        if !columns.contains_key(&field) {
            return Err(ColumnsError::Missing(field));
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_by_the_headers_brokers_use() {
        let korean = header(&[
            "거래일자",
            "거래구분",
            "종목코드",
            "종목명",
            "수량",
            "단가",
            "거래금액",
            "수수료",
            "제세금",
        ]);
        let columns = find(&korean, &BTreeMap::new()).unwrap();
        assert_eq!(columns[&Field::Date], 0);
        assert_eq!(columns[&Field::Symbol], 2);
        assert_eq!((columns[&Field::Amount], columns[&Field::Tax]), (6, 8));
        let english = header(&[
            "\u{feff}Trade Date",
            "Action",
            "SYMBOL",
            "Qty",
            "Unit_Price",
            "Fees & commission",
            "Fee",
        ]);
        let columns = find(&english, &BTreeMap::new()).unwrap();
        assert_eq!((columns[&Field::Price], columns[&Field::Commission]), (4, 6));
    }

    #[test]
    fn a_named_column_goes_before_a_guess_and_must_be_there() {
        let names = header(&["date", "type", "amount", "net"]);
        let named = BTreeMap::from([(Field::Amount, "Net".to_owned())]);
        assert_eq!(find(&names, &named).unwrap()[&Field::Amount], 3);
        let named = BTreeMap::from([(Field::Amount, "gross".to_owned())]);
        assert_eq!(find(&names, &named), Err(ColumnsError::NotThere(Field::Amount)));
        assert_eq!(find(&header(&["a", "type"]), &BTreeMap::new()), Err(ColumnsError::Missing(Field::Date)));
    }
}
