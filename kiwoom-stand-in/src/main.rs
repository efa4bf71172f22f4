//! The stand-in as a program, for clients of Kiwoom that are no part of this house. Market orders are executed at 70,000.

use kiwoom_stand_in::StandIn;
use std::io::Write;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let stand_in = StandIn::start_at(&address).await?;
    stand_in.act(|market| market.market_price = Some(70_000));
    writeln!(std::io::stdout(), "{}", stand_in.url())?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
