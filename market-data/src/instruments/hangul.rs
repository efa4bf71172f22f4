//! Korean syllables and the consonants they begin with. Pure.

/// First syllable of the block, and how the syllables are laid out in it: by initial, vowel and final (Unicode 3.12).
const SYLLABLE_FIRST: u32 = 0xAC00;
const SYLLABLE_LAST: u32 = 0xD7A3;
const FINALS: u32 = 28;
const PER_INITIAL: u32 = 21 * FINALS;
/// The initials in their order, as the letters that a keyboard types.
const INITIALS: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ',
    'ㅍ', 'ㅎ',
];

fn index(character: char) -> Option<u32> {
    let code = u32::from(character);
    (SYLLABLE_FIRST..=SYLLABLE_LAST).contains(&code).then(|| code - SYLLABLE_FIRST)
}

/// The consonant that a syllable begins with.
pub(super) fn initial(syllable: char) -> Option<char> {
    INITIALS.get(usize::try_from(index(syllable)? / PER_INITIAL).ok()?).copied()
}

/// Whether a typed character stands for one of a name: itself, the initial of it, or a syllable whose final consonant is
/// still to be typed.
pub(super) fn stands_for(typed: char, named: char) -> bool {
    if typed == named || initial(named) == Some(typed) {
        return true;
    }
    match (index(typed), index(named)) {
        (Some(typed), Some(named)) => typed % FINALS == 0 && named - named % FINALS == typed,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syllable_begins_with_its_consonant() {
        for (syllable, consonant) in [('가', 'ㄱ'), ('삼', 'ㅅ'), ('쌍', 'ㅆ'), ('자', 'ㅈ'), ('힣', 'ㅎ')]
        {
            assert_eq!(initial(syllable), Some(consonant));
        }
        for other in ['a', 'ㅏ', 'ㄱ', '漢', '\u{ABFF}', '\u{D7A4}'] {
            assert_eq!(initial(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_half_typed_stands_for_what_it_may_become() {
        for (typed, named) in [('ㅅ', '삼'), ('사', '삼'), ('삼', '삼'), ('k', 'k')] {
            assert!(stands_for(typed, named), "{typed} {named}");
        }
        for (typed, named) in [('삼', '사'), ('ㅈ', '삼'), ('소', '삼'), ('삽', '삼')] {
            assert!(!stands_for(typed, named), "{typed} {named}");
        }
    }
}
