//! MessagePack as far as market data streams need it, read into the same values as JSON. Pure.
//!
//! Every length is checked against the bytes that are there before anything is made of it, and nesting has a limit, so
//! a hostile frame costs no more memory than itself.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Number, Value};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 16;
/// The extension that is a moment (MessagePack specification, timestamp extension type).
const TIMESTAMP: i8 = -1;

/// A frame that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the frame is not readable as MessagePack")]
pub(super) struct Unreadable;

/// Reads one value that fills the frame.
///
/// # Errors
/// [`Unreadable`] for anything cut off, left over, too deep or of an unknown form.
pub(super) fn read(frame: &[u8]) -> Result<Value, Unreadable> {
    let mut reader = Reader { rest: frame };
    let value = reader.value(0)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(Unreadable) }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Unreadable)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        self.take(N)?.try_into().map_err(|_| Unreadable)
    }

    fn byte(&mut self) -> Result<u8, Unreadable> {
        self.array().map(|[byte]| byte)
    }

    /// A length written in so many bytes.
    fn length(&mut self, bytes: u8) -> Result<usize, Unreadable> {
        let length = match bytes {
            1 => u32::from(self.byte()?),
            2 => u32::from(u16::from_be_bytes(self.array()?)),
            _ => u32::from_be_bytes(self.array()?),
        };
        usize::try_from(length).map_err(|_| Unreadable)
    }

    fn value(&mut self, depth: usize) -> Result<Value, Unreadable> {
        if depth > DEPTH_MAX {
            return Err(Unreadable);
        }
        let form = self.byte()?;
        match form {
            0x00..=0x7f => Ok(form.into()),
            0xe0..=0xff => Ok(i8::from_be_bytes([form]).into()),
            0x80..=0x8f => self.map(usize::from(form & 0x0f), depth),
            0x90..=0x9f => self.list(usize::from(form & 0x0f), depth),
            0xa0..=0xbf => self.text(usize::from(form & 0x1f)),
            0xc0 => Ok(Value::Null),
            0xc2 => Ok(false.into()),
            0xc3 => Ok(true.into()),
            0xc4..=0xc6 => {
                // Bytes mean nothing in these messages.
                let length = self.length(1 << (form - 0xc4))?;
                self.take(length).map(|_| Value::Null)
            }
            0xc7..=0xc9 => {
                let length = self.length(1 << (form - 0xc7))?;
                self.extension(length)
            }
            0xd4..=0xd8 => self.extension(1 << (form - 0xd4)),
            0xca => float(f64::from(f32::from_be_bytes(self.array()?))),
            0xcb => float(f64::from_be_bytes(self.array()?)),
            0xcc..=0xd3 => self.integer(form),
            0xd9..=0xdb => {
                let length = self.length(1 << (form - 0xd9))?;
                self.text(length)
            }
            0xdc | 0xdd => {
                let length = self.length(if form == 0xdc { 2 } else { 4 })?;
                self.list(length, depth)
            }
            0xde | 0xdf => {
                let length = self.length(if form == 0xde { 2 } else { 4 })?;
                self.map(length, depth)
            }
            _ => Err(Unreadable),
        }
    }

    fn integer(&mut self, form: u8) -> Result<Value, Unreadable> {
        Ok(match form {
            0xcc => self.byte()?.into(),
            0xcd => u16::from_be_bytes(self.array()?).into(),
            0xce => u32::from_be_bytes(self.array()?).into(),
            0xcf => u64::from_be_bytes(self.array()?).into(),
            0xd0 => i8::from_be_bytes(self.array()?).into(),
            0xd1 => i16::from_be_bytes(self.array()?).into(),
            0xd2 => i32::from_be_bytes(self.array()?).into(),
            _ => i64::from_be_bytes(self.array()?).into(),
        })
    }

    fn text(&mut self, length: usize) -> Result<Value, Unreadable> {
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| Unreadable)?;
        Ok(text.into())
    }

    fn list(&mut self, length: usize, depth: usize) -> Result<Value, Unreadable> {
        // Every item takes a byte at least.
        if length > self.rest.len() {
            return Err(Unreadable);
        }
        (0..length).map(|_| self.value(depth + 1)).collect::<Result<Vec<_>, _>>().map(Value::Array)
    }

    fn map(&mut self, length: usize, depth: usize) -> Result<Value, Unreadable> {
        if length.saturating_mul(2) > self.rest.len() {
            return Err(Unreadable);
        }
        let mut map = Map::new();
        for _ in 0..length {
            let Value::String(key) = self.value(depth + 1)? else { return Err(Unreadable) };
            map.insert(key, self.value(depth + 1)?);
        }
        Ok(Value::Object(map))
    }

    fn extension(&mut self, length: usize) -> Result<Value, Unreadable> {
        let kind = i8::from_be_bytes(self.array()?);
        let body = self.take(length)?;
        if kind == TIMESTAMP { timestamp(body).ok_or(Unreadable) } else { Ok(Value::Null) }
    }
}

fn float(value: f64) -> Result<Value, Unreadable> {
    Number::from_f64(value).map(Value::Number).ok_or(Unreadable)
}

/// A moment in its three forms: seconds, nanoseconds and seconds in eight bytes, both in twelve.
fn timestamp(body: &[u8]) -> Option<Value> {
    let (seconds, nanos) = match body.len() {
        4 => (i64::from(u32::from_be_bytes(body.try_into().ok()?)), 0),
        8 => {
            let both = u64::from_be_bytes(body.try_into().ok()?);
            (i64::try_from(both & 0x3_ffff_ffff).ok()?, u32::try_from(both >> 34).ok()?)
        }
        12 => {
            let (nanos, seconds) = body.split_at_checked(4)?;
            (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes(nanos.try_into().ok()?))
        }
        _ => return None,
    };
    let at = DateTime::from_timestamp(seconds, nanos)?;
    Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())
}

/// Writes a value, as a stand-in for the vendor does; moments are told by the key `t`.
#[cfg(test)]
pub(super) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xc0),
        Value::Bool(flag) => out.push(if *flag { 0xc3 } else { 0xc2 }),
        Value::Number(number) if number.is_u64() => {
            out.push(0xcf);
            out.extend(number.as_u64().unwrap().to_be_bytes());
        }
        Value::Number(number) => {
            out.push(0xcb);
            out.extend(number.as_f64().unwrap().to_be_bytes());
        }
        Value::String(text) => {
            out.push(0xd9);
            out.push(u8::try_from(text.len()).unwrap());
            out.extend(text.as_bytes());
        }
        Value::Array(items) => {
            out.push(0xdc);
            out.extend(u16::try_from(items.len()).unwrap().to_be_bytes());
            items.iter().for_each(|item| write(item, out));
        }
        Value::Object(map) => {
            out.push(0xde);
            out.extend(u16::try_from(map.len()).unwrap().to_be_bytes());
            for (key, item) in map {
                write(&key.as_str().into(), out);
                match item.as_str().and_then(|text| text.parse::<DateTime<chrono::Utc>>().ok()) {
                    Some(at) if key == "t" => {
                        out.extend([0xc7, 12, 0xff]);
                        out.extend(at.timestamp_subsec_nanos().to_be_bytes());
                        out.extend(at.timestamp().to_be_bytes());
                    }
                    _ => write(item, out),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use damage::mutations;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read() {
        let value = json!([{"T": "t", "S": "AAPL", "p": 178.26, "s": 100, "t": "2022-01-03T14:30:00.123456789Z", "c": ["@", null, true]}]);
        let mut frame = Vec::new();
        write(&value, &mut frame);
        assert_eq!(read(&frame).unwrap(), value);
    }

    #[test]
    fn every_short_form_is_read() {
        for (frame, value) in [
            (&[0x81, 0xa1, b'a', 0x92, 0x01, 0xff][..], json!({"a": [1, -1]})),
            (&[0xcd, 0x01, 0x00], json!(256)),
            (&[0xd1, 0xff, 0x00], json!(-256)),
            (&[0xca, 0x3f, 0xc0, 0, 0], json!(1.5)),
            (&[0xd6, 0xff, 0, 0, 0, 1], json!("1970-01-01T00:00:01Z")),
            (&[0xd7, 0xff, 0, 0, 0, 4, 0, 0, 0, 1], json!("1970-01-01T00:00:01.000000001Z")),
            (&[0xc4, 1, 9], Value::Null),
        ] {
            assert_eq!(read(frame), Ok(value), "{frame:x?}");
        }
    }

    #[test]
    fn lengths_that_lie_and_nesting_without_end_are_refused() {
        for frame in [
            &[][..],
            &[0xdd, 0xff, 0xff, 0xff, 0xff],
            &[0xdf, 0xff, 0xff, 0xff, 0xff, 0],
            &[0xdb, 0xff, 0xff, 0xff, 0xff],
            &[0xc6, 0x7f, 0xff, 0xff, 0xff],
            &[0x81, 0x01, 0x01],
            &[0x01, 0x01],
            &[0xc1],
            &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
            &[0x91; 40],
        ] {
            assert_eq!(read(frame), Err(Unreadable), "{frame:x?}");
        }
    }

    #[test]
    fn no_frame_makes_the_reader_panic() {
        let mut frame = Vec::new();
        write(&json!([{"T": "q", "S": "AAPL", "bp": 1.5, "t": "2022-01-03T14:30:00Z"}]), &mut frame);
        mutations(&frame, 10_000).for_each(|frame| _ = read(&frame));
    }
}
