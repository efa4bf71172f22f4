//! The words of the ledger. Pure.

use domain::{Currency, Symbol};

/// What is counted: a currency's cash or a symbol's shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Commodity {
    /// Cash.
    Cash(Currency),
    /// Shares.
    Shares(Symbol),
}

impl Commodity {
    /// Its stored name: the currency's code or the symbol. No symbol equals a currency code in use.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Cash(currency) => currency.code(),
            Self::Shares(symbol) => symbol.as_str(),
        }
    }

    /// The commodity of a stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let cash = name.parse().ok().map(Self::Cash);
        cash.or_else(|| name.parse().ok().map(Self::Shares))
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$note:meta])* $name:ident $word:literal)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type {
            $($(#[$note])* $name,)*
        }

        impl $type {
            /// Its stored name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The one of a stored name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

words! {
    /// The accounts of a ledger.
    LedgerAccount {
        /// Settled cash at the broker.
        Cash "cash"
        /// Proceeds of sales that settle later.
        Receivable "receivable"
        /// What purchases that settle later will cost; below zero.
        Payable "payable"
        /// Shares at the broker.
        Shares "shares"
        /// What the shares held have cost.
        PositionCost "position_cost"
        /// The other side of share movements.
        Market "market"
        /// Commissions paid.
        Commission "commission"
        /// Taxes and regulatory fees paid.
        Tax "tax"
        /// Profit (negative) and loss (positive) made by selling, before commission and tax.
        RealisedPnl "realised_pnl"
        /// Money brought in (negative) and taken out (positive).
        Deposits "deposits"
        /// The other side of transfers between accounts of one owner.
        Transfers "transfers"
        /// The other side of currency exchanges, one sum for each currency.
        Exchange "exchange"
        /// Paid for exchanging.
        ExchangeFee "exchange_fee"
        /// Dividends received (negative) and owed on shares sold short (positive), before tax.
        Dividend "dividend"
        /// Interest received (negative) and paid (positive), before tax, and what borrowed shares cost.
        Interest "interest"
        /// What shares that came or went without a trade had cost.
        OpeningEquity "opening_equity"
        /// What a broker has counted otherwise.
        BrokerDifference "broker_difference"
    }
}

impl LedgerAccount {
    /// Whether the cached balances count it.
    pub(super) const fn is_balance(self) -> bool {
        matches!(self, Self::Cash | Self::Receivable | Self::Payable | Self::Shares)
    }
}

words! {
    /// What a movement is.
    JournalKind {
        /// Money brought in from outside.
        Deposit "deposit"
        /// Money taken out.
        Withdrawal "withdrawal"
        /// Money on its way to another account of the owner.
        TransferOut "transfer_out"
        /// Money from another account of the owner.
        TransferIn "transfer_in"
        /// Money given for another currency, and the fee for it.
        ExchangeOut "exchange_out"
        /// Money of another currency received.
        ExchangeIn "exchange_in"
        /// Shares bought or sold.
        Fill "fill"
        /// Shares bought or sold elsewhere, taken over from a file.
        Trade "trade"
        /// A fee that belongs to no trade.
        Fee "fee"
        /// A day's interest on what is owed, or interest that a broker paid or took.
        Interest "interest"
        /// A day's fee for the shares of one symbol that are sold short.
        BorrowFee "borrow_fee"
        /// What a day's trades had promised.
        Settlement "settlement"
        /// A cash dividend.
        Dividend "dividend"
        /// Tax that was kept back from a dividend or from interest.
        Withholding "withholding"
        /// Shares counted in other pieces.
        Split "split"
        /// Money for a part of a share that a split has left.
        CashInLieu "cash_in_lieu"
        /// The same shares under another name.
        SymbolChange "symbol_change"
        /// Shares that came without a trade.
        SharesIn "shares_in"
        /// Shares that went without a trade.
        SharesOut "shares_out"
        /// Cash that a broker counts otherwise.
        BrokerDifference "broker_difference"
        /// Takes another journal back.
        Reversal "reversal"
        /// What a reversal changes about the movements behind it.
        Recost "recost"
        /// Legs of trades that were booked before legs were known.
        CarryOver "carry_over"
        /// Everything closed, for an account that begins anew.
        Reset "reset"
    }
}
