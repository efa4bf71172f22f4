//! What is sent: quotes of invented shares that carry the moment of their sending as the volume.

use chrono::Utc;
use std::time::Instant;

/// The fields before the stamp; whoever reads a message looks for them.
const STAMP_FIELD: &[u8] = b"\"volume\":";

/// Names of shares: four letters that no real share has together.
pub(crate) fn symbol(number: usize) -> String {
    let letter = |place: u32| {
        let digit = number / 26_usize.pow(place) % 26;
        char::from(b'A' + u8::try_from(digit).unwrap_or(0))
    };
    format!("Q{}{}{}", letter(2), letter(1), letter(0))
}

/// The number of a share, from its name.
pub(crate) fn number(symbol: &str) -> Option<usize> {
    let letters = symbol.strip_prefix('Q')?.bytes();
    letters
        .map(|letter| letter.checked_sub(b'A').map(usize::from))
        .try_fold(0, |sum, digit| Some(sum * 26 + digit?))
}

/// Microseconds since the run began.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn micros(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A quote on its way.
pub(crate) struct Stamped {
    /// Which share.
    pub(crate) number: usize,
    /// When it was sent; grows with each quote of the share.
    pub(crate) stamp: u64,
    /// How many of the share were sent before.
    pub(crate) count: u64,
}

impl Stamped {
    /// Hundredths above 150 dollars.
    const fn cents(&self) -> u64 {
        self.count % 100
    }

    /// As the vendor tells it: a trade whose size moves the volume to the stamp.
    pub(crate) fn trade(&self, stamp_before: u64) -> String {
        format!(
            r#"{{"T":"t","S":"{}","p":150.{:02},"s":{},"t":"{}"}}"#,
            symbol(self.number),
            self.cents(),
            self.stamp - stamp_before,
            Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ")
        )
    }

    /// As the quote server tells it on its channel `ticks`, letter by letter: what a yardstick sends.
    pub(crate) fn text(&self) -> String {
        let change = 200 + self.cents();
        format!(
            r#"{{"type":"tick","symbol":"{}","price":150.{:02},"change":{}.{:02},"changePercent":{}.{:02},"volume":{},"timestamp":{},"sequence":{}}}"#,
            symbol(self.number),
            self.cents(),
            change / 100,
            change % 100,
            change * 100 / 148 / 100,
            change * 100 / 148 % 100,
            self.stamp,
            Utc::now().timestamp(),
            1_700_000_000_000_000 + self.count,
        )
    }
}

/// The stamp of a message; none when it is no quote.
pub(crate) fn read_stamp(message: &[u8]) -> Option<u64> {
    let at = message.windows(STAMP_FIELD.len()).position(|window| window == STAMP_FIELD)?;
    let digits = message.get(at + STAMP_FIELD.len()..)?.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}
