use super::columns::Field;
use super::duplicates::{Policy, Twice, find, keys};
use super::read::{FileError, Options, ReadFile, read};
use super::values::{DateOrder, DecimalMark, KoreanBoard};
use super::*;
use domain::Currency;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
}

fn read_with(text: &str, options: &Options) -> ReadFile {
    read(text, options, Currency::Usd, today()).unwrap()
}

fn plain(text: &str) -> ReadFile {
    read_with(text, &Options::default())
}

fn complaints(file: &ReadFile) -> Vec<(u64, Option<usize>, &'static str)> {
    file.refusals.iter().map(|refusal| (refusal.line, refusal.column, refusal.rule)).collect()
}

#[test]
fn every_kind_of_line_is_understood() {
    let file = plain(
        "date,type,symbol,quantity,price,amount,fee,tax,ratio\n\
         2026-01-02,deposit,,,,\"10,000.00\",,,\n\
         2026-01-05,buy,aapl,10,150.25,1502.50,1.00,,\n\
         2026-02-05,sell,AAPL,-4,160,640,1.00,0.02,\n\
         2026-02-06,dividend,AAPL,,,2.40,,0.36,\n\
         2026-03-01,split,AAPL,,,,,,4:1\n\
         2026-03-02,fee,,,,-3.5,,,\n\
         2026-03-03,withdrawal,,,,100,,,\n",
    );
    assert_eq!(complaints(&file), []);
    let kinds: Vec<_> = file.activities.iter().map(|activity| activity.terms.kind()).collect();
    assert_eq!(kinds, ["deposit", "buy", "sell", "dividend", "split", "fee", "withdrawal"]);
    assert_eq!(file.activities[0].terms, Terms::Deposit(Money::new(Decimal::from(10_000), Currency::Usd)));
    let Terms::Sell(trade) = file.activities[2].terms else { panic!("{file:?}") };
    assert_eq!((trade.quantity.value(), trade.tax), (Decimal::from(4), "0.02".parse().unwrap()));
    assert_eq!(file.activities[5].terms, Terms::Fee(Money::new("3.5".parse().unwrap(), Currency::Usd)));
}

#[test]
fn a_korean_brokers_list_is_read_as_it_is() {
    let options = Options { korean_board: Some(KoreanBoard::Kospi), ..Options::default() };
    let text = "거래일자;거래구분;종목코드;종목명;수량;단가;거래금액;수수료;제세금\n\
                2026.03.02;매수;A005930;삼성전자;10주;₩70,000;700,000;105;0\n\
                2026.03.09;매도;005930;삼성전자;4;71,500;286,000;42;572\n";
    let file = read(text, &options, Currency::Krw, today()).unwrap();
    assert_eq!(complaints(&file), []);
    let symbols: Vec<_> = file.activities.iter().filter_map(|activity| activity.terms.symbol()).collect();
    assert!(symbols.iter().all(|symbol| symbol.as_str() == "005930.KS") && symbols.len() == 2);
}

#[test]
fn european_numbers_and_dates_are_read_when_asked_for() {
    let options = Options {
        date_order: DateOrder::DayMonthYear,
        decimal_mark: DecimalMark::Comma,
        ..Options::default()
    };
    let file = read_with("date;type;amount\n31.01.2026;deposit;1.234,56\n", &options);
    assert_eq!(
        file.activities[0].terms,
        Terms::Deposit(Money::new("1234.56".parse().unwrap(), Currency::Usd))
    );
}

#[test]
fn what_is_wrong_is_named_by_line_column_and_rule() {
    let file = plain(
        "date,type,symbol,quantity,price,amount,fee,currency\n\
         2026-13-01,buy,AAPL,1,1,,,\n\
         2026-01-01,gift,AAPL,1,1,,,\n\
         2026-01-01,buy,apple!,x,0,,-1,\n\
         2026-01-01,buy,,1,1,,,\n\
         2027-01-01,deposit,,,,5,,\n\
         1969-12-31,deposit,,,,5,,\n\
         2026-01-01,deposit,,,,5.001,,\n\
         2026-01-01,deposit,,,,0,,\n\
         2026-01-01,deposit,,,,5,,EUR\n\
         2026-01-01,buy,AAPL,10,15,1500,,\n\
         2026-01-01,buy,AAPL,10,15,150,,KRW\n\
         2026-01-01\n\
         \n\
         2026-01-01,buy,005930,1,1,,,\n",
    );
    let expected = [
        (2, Some(1), "not_a_date"),
        (3, Some(2), "unknown_kind"),
        (4, Some(3), "not_a_symbol"),
        (4, Some(4), "not_a_number"),
        (4, Some(5), "not_positive"),
        (5, Some(3), "required"),
        (6, Some(1), "in_future"),
        (7, Some(1), "too_old"),
        (8, Some(6), "too_precise"),
        (9, Some(6), "not_positive"),
        (10, Some(8), "unknown_currency"),
        (11, Some(6), "contradiction"),
        (12, Some(8), "contradiction"),
        (13, Some(2), "required"),
        (15, Some(3), "board_unknown"),
    ];
    assert_eq!(complaints(&file), expected);
    assert_eq!(file.refusals[0].header.as_deref(), Some("date"));
    assert_eq!((file.lines, file.activities.len()), (13, 0));
}

#[test]
fn quoted_lines_keep_their_numbers() {
    let file = plain("date,type,amount,note\n2026-01-01,deposit,5,\"two\nlines\"\n2026-01-01,deposit,x,\n");
    assert_eq!(file.activities[0].line, 2);
    assert_eq!(complaints(&file), [(4, Some(3), "not_a_number")]);
}

#[test]
fn what_is_no_file_of_activities_is_refused_as_a_whole() {
    let refused = |text: &str| read(text, &Options::default(), Currency::Usd, today()).unwrap_err();
    assert_eq!(refused(""), FileError::Empty);
    assert_eq!(refused("\n\n"), FileError::Empty);
    assert!(matches!(refused("a,b\n1,2\n"), FileError::Columns(_, header) if header == ["a", "b"]));
    let long = format!("date,type,amount\n{}", "2026-01-01,deposit,1\n".repeat(LINES_MAX + 1));
    assert_eq!(refused(&long), FileError::TooLong);
}

#[test]
fn equal_lines_are_found_and_a_reference_names_its_line() {
    let file = plain(
        "date,type,amount,reference\n2026-01-01,deposit,5,\n2026-01-01,deposit,5.00,\n2026-01-01,deposit,5,a\n\
         2026-01-02,deposit,6,a\n",
    );
    let activities = &file.activities;
    let named = keys(activities, Policy::Refuse);
    let (twice, refusals) = find(activities, &named, &HashSet::new(), Policy::Refuse);
    assert_eq!(twice, BTreeMap::from([(3, Twice::InFile(2)), (5, Twice::InFile(4))]));
    assert_eq!(refusals.len(), 2);
    let (twice, refusals) = find(activities, &named, &HashSet::from([named[0].clone()]), Policy::Skip);
    assert_eq!(twice.keys().copied().collect::<Vec<_>>(), [2, 3, 5]);
    assert_eq!(refusals, []);
    let kept = keys(activities, Policy::Keep);
    let (twice, refusals) = find(activities, &kept, &HashSet::new(), Policy::Keep);
    assert_eq!(twice.keys().copied().collect::<Vec<_>>(), [5], "one number cannot name two activities");
    assert_eq!(refusals.len(), 1);
}

fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[0-9.,/:-]{0,14}",
        prop::sample::select(vec![
            "2026-01-05",
            "buy",
            "sell",
            "deposit",
            "dividend",
            "split",
            "매수",
            "AAPL",
            "005930",
            "4:1",
            "1,000.50",
            "\"",
            "\n",
            "=1+1",
            "-5",
            "",
            "999999999999999",
            "0.000000001",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(
        rows in prop::collection::vec(prop::collection::vec(any_cell(), 0..12), 0..12),
        delimiter in prop::sample::select(vec![",", ";", "\t"]), comma in any::<bool>(),
    ) {
        let header = "date,type,symbol,quantity,price,amount,fee,tax,currency,ratio,reference".replace(',', delimiter);
        let body: Vec<String> = rows.iter().map(|row| row.join(delimiter)).collect();
        let decimal_mark = if comma { DecimalMark::Comma } else { DecimalMark::Point };
        let options = Options { decimal_mark, ..Options::default() };
        let file = read(&format!("{header}\n{}", body.join("\n")), &options, Currency::Usd, today()).unwrap();
        prop_assert!(file.activities.len() <= file.lines);
        let refused: HashSet<u64> = file.refusals.iter().map(|refusal| refusal.line).collect();
        prop_assert_eq!(file.activities.len() + refused.len(), file.lines, "every line is taken or refused");
        let _ = keys(&file.activities, Policy::Keep);
    }

    #[test]
    fn no_text_at_all_makes_the_reader_panic(text in "(?s).{0,200}", named in "\\PC{0,8}") {
        let options = Options { named: BTreeMap::from([(Field::Amount, named)]), ..Options::default() };
        let _ = read(&text, &options, Currency::Usd, today());
    }
}
