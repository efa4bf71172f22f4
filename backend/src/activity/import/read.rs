//! From the text of a file to activities and refusals. Pure.

use super::columns::{self, ColumnsError, Field};
use super::values::{self, DateOrder, DecimalMark, Kind, KoreanBoard, Unreadable};
use super::{Activity, LINES_MAX, Refusal, Terms, Trade};
use chrono::NaiveDate;
use domain::{Currency, Money, Price, Quantity, Symbol};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Longest reference, in characters.
const REFERENCE_LENGTH_MAX: usize = 200;
/// Largest amount of one line, in units of its currency: as much as an account can ever hold.
const AMOUNT_MAX: i64 = 1_000_000_000_000;
/// First day of which activities are taken over.
const YEAR_MIN: i32 = 1970;

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Options {
    /// Columns that are named by the caller.
    pub(super) named: BTreeMap<Field, String>,
    pub(super) date_order: DateOrder,
    pub(super) decimal_mark: DecimalMark,
    pub(super) korean_board: Option<KoreanBoard>,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct ReadFile {
    /// Its first line.
    pub(super) header: Vec<String>,
    /// What each column means, from 0.
    pub(super) columns: BTreeMap<Field, usize>,
    /// Its lines that can be taken over, in the order of the file.
    pub(super) activities: Vec<Activity>,
    /// Every reason against the others.
    pub(super) refusals: Vec<Refusal>,
    /// How many lines there are, the header not counted.
    pub(super) lines: usize,
}

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileError {
    /// It has no first line.
    Empty,
    /// It has more than [`LINES_MAX`] lines.
    TooLong,
    /// Its columns are not known.
    Columns(ColumnsError, Vec<String>),
}

/// What separates the fields: whichever occurs most in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let occurs = |mark: &u8| first.bytes().filter(|byte| byte == mark).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(occurs).unwrap_or(b',')
}

/// Reads a file. `today` is the last day of which something can have happened.
pub(super) fn read(
    text: &str,
    options: &Options,
    base_currency: Currency,
    today: NaiveDate,
) -> Result<ReadFile, FileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let header: Vec<String> = match records.next() {
        Some(Ok(record)) if record.iter().any(|name| !name.is_empty()) => {
            record.iter().map(str::to_owned).collect()
        }
        _ => return Err(FileError::Empty),
    };
    let columns = match columns::find(&header, &options.named) {
        Ok(columns) => columns,
        Err(error) => return Err(FileError::Columns(error, header)),
    };
    let mut file = ReadFile { header, columns, activities: Vec::new(), refusals: Vec::new(), lines: 0 };
    for record in records {
        // The text is valid and the number of fields is free, so nothing else can be wrong with a record.
        let Ok(record) = record else { continue };
        if record.iter().all(str::is_empty) {
            continue;
        }
        file.lines += 1;
        if file.lines > LINES_MAX {
            return Err(FileError::TooLong);
        }
        let line = record.position().map_or(0, |position| line_at(text, position));
        let mut reader = LineReader {
            file: &file,
            options,
            record: &record,
            line,
            today,
            base_currency,
            refusals: Vec::new(),
        };
        let activity = reader.activity();
        let refusals = reader.refusals;
        match activity {
            Some(activity) if refusals.is_empty() => file.activities.push(activity),
            _ => file.refusals.extend(refusals),
        }
    }
    Ok(file)
}

/// The line on which a record begins: the reader counts from where it stood before it passed over empty lines.
fn line_at(text: &str, position: &csv::Position) -> u64 {
    let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let empty = text.bytes().skip(begin).take_while(|byte| matches!(byte, b'\n' | b'\r'));
    let passed = empty.filter(|byte| *byte == b'\n').count();
    position.line() + u64::try_from(passed).unwrap_or_default()
}

/// Reads one line, and gathers everything that is wrong with it.
struct LineReader<'a> {
    file: &'a ReadFile,
    options: &'a Options,
    record: &'a csv::StringRecord,
    line: u64,
    today: NaiveDate,
    base_currency: Currency,
    refusals: Vec<Refusal>,
}

impl LineReader<'_> {
    fn refuse(&mut self, field: Field, (rule, message): Unreadable) {
        let column = self.file.columns.get(&field).copied();
        let header = column.and_then(|column| self.file.header.get(column).cloned());
        let refusal =
            Refusal { line: self.line, column: column.map(|column| column + 1), header, rule, message };
        self.refusals.push(refusal);
    }

    /// What stands in a column; nothing where it is empty or there is no such column.
    fn text(&self, field: Field) -> Option<&str> {
        let column = self.file.columns.get(&field)?;
        self.record.get(*column).filter(|text| !text.is_empty())
    }

    fn read<T>(&mut self, field: Field, read: impl Fn(&str) -> Result<T, Unreadable>) -> Option<T> {
        match read(self.text(field)?) {
            Ok(value) => Some(value),
            Err(unreadable) => {
                self.refuse(field, unreadable);
                None
            }
        }
    }

    fn required<T>(&mut self, field: Field, read: impl Fn(&str) -> Result<T, Unreadable>) -> Option<T> {
        if self.text(field).is_none() {
            self.refuse(field, ("required", format!("{} is required", field.name())));
            return None;
        }
        self.read(field, read)
    }

    fn activity(&mut self) -> Option<Activity> {
        let order = self.options.date_order;
        let date = self.required(Field::Date, |text| values::date(text, order));
        if let Some(date) = date {
            self.check_date(date);
        }
        let kind = self.required(Field::Kind, values::kind);
        let reference = self.reference();
        let terms = match kind? {
            Kind::Deposit => self.money(Sign::Either).map(Terms::Deposit),
            Kind::Withdrawal => self.money(Sign::Either).map(Terms::Withdrawal),
            Kind::Fee => self.money(Sign::Either).map(Terms::Fee),
            Kind::Buy => self.trade(Sign::Positive).map(Terms::Buy),
            Kind::Sell => self.trade(Sign::Either).map(Terms::Sell),
            Kind::Dividend => self.dividend(),
            Kind::Split => self.split(),
        };
        Some(Activity { line: self.line, date: date?, terms: terms?, reference })
    }

    fn check_date(&mut self, date: NaiveDate) {
        if date > self.today {
            self.refuse(Field::Date, ("in_future", "lies in the future".to_owned()));
        } else if chrono::Datelike::year(&date) < YEAR_MIN {
            self.refuse(Field::Date, ("too_old", format!("lies before {YEAR_MIN}")));
        }
    }

    fn reference(&mut self) -> Option<String> {
        self.read(Field::Reference, |text| {
            if text.chars().count() > REFERENCE_LENGTH_MAX {
                return Err(("too_long", format!("has more than {REFERENCE_LENGTH_MAX} characters")));
            }
            if text.chars().any(char::is_control) {
                return Err(("forbidden_character", "has characters that cannot be seen".to_owned()));
            }
            Ok(text.to_owned())
        })
    }

    fn symbol(&mut self) -> Option<Symbol> {
        let board = self.options.korean_board;
        self.required(Field::Symbol, |text| values::symbol(text, board))
    }

    fn currency(&mut self) -> Option<Currency> {
        if self.text(Field::Currency).is_none() {
            return Some(self.base_currency);
        }
        self.read(Field::Currency, |text| {
            text.to_uppercase().parse().map_err(|_| ("unknown_currency", "is none of KRW, USD".to_owned()))
        })
    }

    /// A positive number that a column must have.
    fn positive(&mut self, field: Field, sign: Sign) -> Option<Decimal> {
        let mark = self.options.decimal_mark;
        self.required(field, |text| {
            let value = values::number(text, mark)?;
            let value = if sign == Sign::Either { value.abs() } else { value };
            if value <= Decimal::ZERO {
                Err(("not_positive", "must be greater than zero".to_owned()))
            } else if value > Decimal::from(AMOUNT_MAX) {
                Err(("too_large", format!("must be at most {AMOUNT_MAX}")))
            } else {
                Ok(value)
            }
        })
    }

    /// A fee or a tax: zero where nothing stands.
    fn charge(&mut self, field: Field, currency: Currency) -> Option<Decimal> {
        if self.text(field).is_none() {
            return Some(Decimal::ZERO);
        }
        let mark = self.options.decimal_mark;
        self.read(field, |text| {
            let value = values::number(text, mark)?;
            if value < Decimal::ZERO {
                return Err(("negative", "must not be negative".to_owned()));
            }
            in_minor_units(value, currency)
        })
    }

    fn money(&mut self, sign: Sign) -> Option<Money> {
        let (amount, currency) = (self.positive(Field::Amount, sign), self.currency());
        let (amount, currency) = amount.zip(currency)?;
        match in_minor_units(amount, currency) {
            Ok(amount) => Some(Money::new(amount, currency)),
            Err(unreadable) => {
                self.refuse(Field::Amount, unreadable);
                None
            }
        }
    }

    fn check_currency(&mut self, symbol: Symbol) {
        let written = self.text(Field::Currency).is_some().then(|| self.currency()).flatten();
        if written.is_some_and(|currency| currency != symbol.currency()) {
            let message = format!("{symbol} is traded in {}", symbol.currency());
            self.refuse(Field::Currency, ("contradiction", message));
        }
    }

    fn trade(&mut self, sign: Sign) -> Option<Trade> {
        let symbol = self.symbol();
        let quantity = self.positive(Field::Quantity, sign);
        let price = self.positive(Field::Price, Sign::Positive);
        let symbol = symbol?;
        self.check_currency(symbol);
        let commission = self.charge(Field::Commission, symbol.currency())?;
        let tax = self.charge(Field::Tax, symbol.currency())?;
        let quantity = Quantity::new(quantity?).ok()?;
        let trade = Trade { symbol, quantity, price: Price::new(price?).ok()?, commission, tax };
        self.check_amount(&trade);
        Some(trade)
    }

    /// Where an amount stands beside a trade it must be the trade's, with or without its fees: a column that was taken
    /// for another is found by this.
    fn check_amount(&mut self, trade: &Trade) {
        let currency = trade.symbol.currency();
        let Ok(notional) = trade.price.notional(trade.quantity.value()) else {
            self.refuse(Field::Quantity, ("too_large", "is worth more than the books can hold".to_owned()));
            return;
        };
        let (worth, fees) = (currency.round(notional), trade.commission + trade.tax);
        if worth > Decimal::from(AMOUNT_MAX) {
            self.refuse(Field::Quantity, ("too_large", format!("is worth more than {AMOUNT_MAX}")));
        }
        let mark = self.options.decimal_mark;
        let Some(amount) = self.read(Field::Amount, |text| values::number(text, mark)) else { return };
        let near = |expected: Decimal| (amount.abs() - expected).abs() <= currency.minor_unit();
        if !near(worth) && !near(worth + fees) && !near(worth - fees) {
            let message =
                format!("is neither quantity times price ({worth}) nor that with commission and tax");
            self.refuse(Field::Amount, ("contradiction", message));
        }
    }

    fn dividend(&mut self) -> Option<Terms> {
        let (symbol, amount) = (self.symbol(), self.positive(Field::Amount, Sign::Positive));
        let symbol = symbol?;
        self.check_currency(symbol);
        let withheld = self.charge(Field::Tax, symbol.currency())?;
        match in_minor_units(amount?, symbol.currency()) {
            Ok(gross) if withheld <= gross => Some(Terms::Dividend { symbol, gross, withheld }),
            Ok(_) => {
                self.refuse(Field::Tax, ("too_large", "is more than the dividend".to_owned()));
                None
            }
            Err(unreadable) => {
                self.refuse(Field::Amount, unreadable);
                None
            }
        }
    }

    fn split(&mut self) -> Option<Terms> {
        let mark = self.options.decimal_mark;
        let (symbol, ratio) = (self.symbol(), self.required(Field::Ratio, |text| values::ratio(text, mark)));
        let (symbol, (new, old)) = symbol.zip(ratio)?;
        Some(Terms::Split { symbol, new, old })
    }
}

/// Whether a number may be below zero, which then only says in which direction money or shares went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Positive,
    Either,
}

fn in_minor_units(amount: Decimal, currency: Currency) -> Result<Decimal, Unreadable> {
    if currency.round(amount) == amount {
        return Ok(amount);
    }
    let digits = currency.minor_digits();
    Err(("too_precise", format!("must have at most {digits} digits behind the decimal point in {currency}")))
}
