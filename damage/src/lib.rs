//! Damaged copies of captured messages, for the tests of everything that reads what others send: the same seed damages the
//! same way.

/// What numbers, texts and structures turn into when somebody means harm.
const HOSTILE: [&[u8]; 20] = [
    b"0",
    b"-1",
    b"1e9999",
    b"NaN",
    b"null",
    b"\"\"",
    b"[]",
    b"{}",
    b"99999999999999999999999999999999",
    b"\0",
    b"\xff\xfe",
    b"[[[[[[[[[[[[[[[[[[[[",
    b"\"-0.0\"",
    b"18446744073709551616",
    b"\"\\u202e\"",
    b"true",
    b"\"79228162514264337593543950335\"",
    b"\"-9223372036854775808\"",
    b"\"0.0000000000000000000000000001\"",
    b"\"9999-12-31T23:59:59.999999999Z\"",
];
/// Multiplies the number of damaged copies; `scripts/fuzz` sets it.
const ROUNDS_VARIABLE: &str = "GAEMI_FUZZ_ROUNDS";
/// Most damages of one copy.
const DAMAGES_MAX: usize = 4;
/// Longest part that is repeated, left out or replaced, in bytes.
const PART_BYTES_MAX: usize = 24;

/// Numbers that depend on nothing but a seed (SplitMix64, public domain algorithm by Sebastiano Vigna).
struct Noise(u64);

impl Noise {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below another; 0 where there is none.
    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        self.draw().checked_rem(limit).and_then(|place| usize::try_from(place).ok()).unwrap_or(0)
    }

    fn hostile(&mut self) -> &'static [u8] {
        let place = self.below(HOSTILE.len());
        HOSTILE.get(place).copied().unwrap_or_default()
    }
}

fn rounds() -> u64 {
    let rounds = std::env::var(ROUNDS_VARIABLE).ok().and_then(|rounds| rounds.parse().ok());
    rounds.unwrap_or(1)
}

/// `count` damaged copies, or a multiple: cut off, bytes changed, parts repeated, left out, or replaced by something
/// hostile.
pub fn mutations(payload: &[u8], count: u64) -> impl Iterator<Item = Vec<u8>> {
    (0..count.saturating_mul(rounds())).map(move |seed| {
        let (mut noise, mut body) = (Noise(seed ^ 0x6A09_E667_F3BC_C909), payload.to_vec());
        for _ in 0..=noise.below(DAMAGES_MAX) {
            damage(&mut body, &mut noise);
        }
        body
    })
}

fn damage(body: &mut Vec<u8>, noise: &mut Noise) {
    let from = noise.below(body.len());
    let to = from.saturating_add(noise.below(PART_BYTES_MAX)).min(body.len());
    match noise.below(7) {
        0 => body.truncate(from),
        1 => {
            let letter = u8::try_from(noise.below(256)).unwrap_or_default();
            body.iter_mut().skip(from).take(1).for_each(|byte| *byte = letter);
        }
        2 => drop(body.drain(from..to)),
        3 => {
            let part: Vec<u8> = body.iter().skip(from).take(to - from).copied().collect();
            drop(body.splice(to..to, part));
        }
        4 => drop(body.splice(from..to, noise.hostile().iter().copied())),
        // Values are where a parser looks closest, so they are replaced most.
        _ => replace_value(body, from, noise),
    }
}

/// Puts something hostile in the place of the next value, which keeps the rest readable.
fn replace_value(body: &mut Vec<u8>, from: usize, noise: &mut Noise) {
    let after = |body: &[u8], from: usize, ends: fn(u8) -> bool| {
        body.iter().skip(from).position(|byte| ends(*byte)).map(|place| from + place)
    };
    let Some(colon) = after(body, from, |byte| byte == b':') else { return };
    let end = after(body, colon + 1, |byte| matches!(byte, b',' | b'}')).unwrap_or(body.len());
    drop(body.splice(colon + 1..end, noise.hostile().iter().copied()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_damages_the_same_way_and_almost_every_copy_is_another() {
        let payload = br#"{"price":"100.5","quantity":10,"symbol":"AAPL"}"#;
        let copies: Vec<_> = mutations(payload, 500).collect();
        assert_eq!(copies, mutations(payload, 500).collect::<Vec<_>>());
        let distinct: std::collections::BTreeSet<_> = copies.iter().collect();
        assert!(distinct.len() > 300, "{}", distinct.len());
    }

    #[test]
    fn nothing_can_be_damaged_too() {
        assert_eq!(mutations(b"", 100).count(), 100);
    }
}
