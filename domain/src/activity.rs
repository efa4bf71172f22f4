//! What a broker does in an account beside orders.

/// What moved, in the words of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActivityKind {
    /// A dividend, or a capital gain that a fund passes on; below zero where the broker takes one back.
    Dividend,
    /// Tax that was kept back from a dividend or from interest; above zero where it is given back.
    Withholding,
    /// A fee that belongs to no execution; above zero where it is given back.
    Fee,
    /// Interest, received or (below zero) paid.
    Interest,
    /// Money that came from outside or (below zero) went there.
    Transfer,
    /// One half of a split: the shares of before that go (below zero), or those of after that come.
    Split,
    /// Shares moved without an execution: a merger, a delivery. What it means for them is not told.
    Shares,
    /// What is not understood here.
    Other,
}

impl ActivityKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Dividend,
        Self::Withholding,
        Self::Fee,
        Self::Interest,
        Self::Transfer,
        Self::Split,
        Self::Shares,
        Self::Other,
    ];

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dividend => "dividend",
            Self::Withholding => "withholding",
            Self::Fee => "fee",
            Self::Interest => "interest",
            Self::Transfer => "transfer",
            Self::Split => "split",
            Self::Shares => "shares",
            Self::Other => "other",
        }
    }

    /// The one of a stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in ActivityKind::ALL {
            assert_eq!(ActivityKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(ActivityKind::from_name("DIV"), None);
    }
}
