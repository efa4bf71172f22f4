//! Reproducible noise: the same seed and place always give the same number.

use domain::Symbol;

/// A stream of numbers that depends on nothing but its seed (SplitMix64, public domain algorithm by Sebastiano Vigna).
#[derive(Debug, Clone)]
pub struct Noise {
    state: u64,
}

impl Noise {
    /// Noise of one symbol at one place of its life, for instance a day.
    #[must_use]
    pub fn new(seed: u64, symbol: Symbol, place: u64) -> Self {
        let mut state = seed ^ 0x6A09_E667_F3BC_C909;
        for byte in symbol.as_str().bytes() {
            state = state.wrapping_mul(0x0000_0100_0000_01B3) ^ u64::from(byte);
        }
        Self { state: state.wrapping_add(place.wrapping_mul(0xD1B5_4A32_D192_ED03)) }
    }

    /// Noise of a seed alone.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self { state: seed ^ 0x6A09_E667_F3BC_C909 }
    }

    /// The next number.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A whole number from `low` to `high`, both included; `low` when there is no room.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let Ok(span) = u64::try_from(high.saturating_sub(low)) else { return low };
        let step = self.draw().checked_rem(span.saturating_add(1)).unwrap_or(0);
        low.saturating_add(i64::try_from(step).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_make_equal_noise_and_others_do_not() {
        let numbers = |seed, symbol: &str, place| {
            let mut noise = Noise::new(seed, symbol.parse().unwrap(), place);
            (0..20).map(|_| noise.between(-5, 5)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1, "AAPL", 7), numbers(1, "AAPL", 7));
        assert_ne!(numbers(1, "AAPL", 7), numbers(2, "AAPL", 7));
        assert_ne!(numbers(1, "AAPL", 7), numbers(1, "IBM", 7));
        assert_ne!(numbers(1, "AAPL", 7), numbers(1, "AAPL", 8));
        assert!(numbers(3, "IBM", 0).iter().all(|number| (-5..=5).contains(number)));
    }
}
