//! Damaged copies of captured payloads, for the tests of every parser: the same seed damages the same way.

use crate::random::Noise;

/// What numbers, texts and structures turn into when somebody means harm.
const HOSTILE: [&[u8]; 16] = [
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
];

fn place(noise: &mut Noise, length: usize) -> usize {
    usize::try_from(noise.between(0, i64::try_from(length).unwrap() - 1)).unwrap()
}

/// Multiplies the number of damaged copies; `scripts/fuzz` sets it.
const ROUNDS_VARIABLE: &str = "GAEMI_FUZZ_ROUNDS";

fn rounds() -> u64 {
    std::env::var(ROUNDS_VARIABLE).map_or(1, |rounds| rounds.parse().expect("a number of rounds"))
}

/// `count` damaged copies, or a multiple: cut off, bytes changed, parts repeated, left out, or replaced by something
/// hostile.
pub(crate) fn mutations(payload: &[u8], count: u64) -> impl Iterator<Item = Vec<u8>> {
    (0..count.saturating_mul(rounds())).map(move |seed| {
        let mut noise = Noise::of(seed);
        let mut body = payload.to_vec();
        for _ in 0..=noise.between(0, 3) {
            if body.is_empty() {
                break;
            }
            let from = place(&mut noise, body.len());
            let to = (from + place(&mut noise, 24)).min(body.len());
            match noise.between(0, 5) {
                0 => body.truncate(from),
                1 => body[from] = u8::try_from(noise.between(0, 255)).unwrap(),
                2 => body.drain(from..to).for_each(drop),
                3 => {
                    let part = body[from..to].to_vec();
                    body.splice(to..to, part);
                }
                4 => {
                    let hostile = HOSTILE[place(&mut noise, HOSTILE.len())];
                    body.splice(from..to, hostile.iter().copied());
                }
                _ => replace_value(&mut body, from, &mut noise),
            }
        }
        body
    })
}

/// Puts something hostile in the place of the next value, which keeps the rest readable.
fn replace_value(body: &mut Vec<u8>, from: usize, noise: &mut Noise) {
    let Some(colon) = body[from..].iter().position(|byte| *byte == b':').map(|at| from + at + 1) else {
        return;
    };
    let end =
        body[colon..].iter().position(|byte| matches!(byte, b',' | b'}')).map_or(body.len(), |at| colon + at);
    let hostile = HOSTILE[place(noise, HOSTILE.len())];
    body.splice(colon..end, hostile.iter().copied());
}
