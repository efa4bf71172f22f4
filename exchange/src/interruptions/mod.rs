//! Interruptions of trading in one share after a large move: KRX's volatility interruptions and the American bands with
//! their pauses, as far as they can be seen in the prices that a book is told.
//!
//! Nothing here is told by a source. What is drawn follows from the prices alone, so it can only be as exact as they are:
//! see the decision "Interruptions are drawn from prices". Market-wide breakers follow an index, which no book sees.

mod bands;
mod mean;
mod watch;

pub use bands::Band;
pub use watch::{Interruption, InterruptionKind, MarketState};
pub(crate) use watch::{Mode, Sight, Watch};
