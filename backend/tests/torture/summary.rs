//! What there was, in a few lines.

use crate::supervisor::Report;
use std::fmt;
use std::time::Duration;

/// A siege, or several.
#[derive(Default)]
pub(crate) struct Summary {
    /// In which everything was ready and the load went on.
    pub(crate) up: Duration,
    /// Orders that were asked for by themselves and taken.
    pub(crate) sent: usize,
    /// Orders that were taken, those of groups and closes among them.
    pub(crate) orders: usize,
    /// Orders of which nobody knew for a while whether the broker has them.
    pub(crate) unresolved: usize,
    pub(crate) executions: usize,
    /// Other terms that came true.
    pub(crate) replaced: usize,
    pub(crate) groups: usize,
    /// Symbols of accounts in which both exits for the same shares were executed.
    pub(crate) crossed: usize,
    /// Times that a position was turned from shares held to shares owed, or began so.
    pub(crate) sold_short: usize,
    /// Requests repeated because their fate was unknown.
    pub(crate) unknown: u64,
    /// Event streams that were opened.
    pub(crate) streams: u64,
    pub(crate) report: Report,
}

impl Summary {
    /// Both together.
    pub(crate) fn and(mut self, other: Self) -> Self {
        for (name, kills) in other.report.kills {
            *self.report.kills.entry(name).or_default() += kills;
        }
        self.report.reached.extend(other.report.reached);
        let report = Report {
            slowest_ready: self.report.slowest_ready.max(other.report.slowest_ready),
            down: self.report.down + other.report.down,
            ..self.report
        };
        Self {
            up: self.up + other.up,
            sent: self.sent + other.sent,
            orders: self.orders + other.orders,
            unresolved: self.unresolved + other.unresolved,
            executions: self.executions + other.executions,
            replaced: self.replaced + other.replaced,
            groups: self.groups + other.groups,
            crossed: self.crossed + other.crossed,
            sold_short: self.sold_short + other.sold_short,
            unknown: self.unknown + other.unknown,
            streams: self.streams + other.streams,
            report,
        }
    }

    /// Orders that were asked for by themselves and taken, in a second of up-time.
    pub(crate) fn orders_per_second(&self) -> u64 {
        let millis = u64::try_from(self.up.as_millis()).unwrap().max(1);
        u64::try_from(self.sent).unwrap() * 1_000 / millis
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kills: Vec<String> =
            self.report.kills.iter().map(|(name, kills)| format!("{name} {kills}")).collect();
        writeln!(
            formatter,
            "{} orders, {} of them unresolved for a while; {} executions; {} changes of terms",
            self.orders, self.unresolved, self.executions, self.replaced
        )?;
        writeln!(
            formatter,
            "{} groups, exits crossed in {}; {} short sales; {} requests repeated because their fate was unknown; {} event streams",
            self.groups, self.crossed, self.sold_short, self.unknown, self.streams
        )?;
        writeln!(
            formatter,
            "{} orders/s taken in {} s of up-time",
            self.orders_per_second(),
            self.up.as_secs()
        )?;
        let slowest = self.report.slowest_ready.as_millis();
        write!(formatter, "killed: {}; slowest ready again: {slowest} ms", kills.join(", "))?;
        if !self.report.reached.is_empty() {
            let reached = &self.report.reached;
            write!(formatter, "\n{} failpoints reached: {}", reached.len(), reached.join(", "))?;
        }
        Ok(())
    }
}
