//! `/metrics`: counts and states in the text form of Prometheus.

use crate::feed::Feed;
use std::fmt::{Display, Write as _};
use std::sync::atomic::Ordering;

/// Text under construction.
#[derive(Default)]
struct Text(String);

impl Text {
    /// Begins a metric.
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name} {value}");
    }

    /// A value of one of many; labels are our own words and need no escapes.
    fn labelled(&mut self, name: &str, label: &str, of: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{{{label}=\"{of}\"}} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.metric(name, kind, help);
        self.value(name, value);
    }
}

/// Writes everything.
pub(crate) fn write(feed: &Feed) -> String {
    let mut text = Text::default();
    let counters = &feed.hub.counters;
    let published = counters.published.load(Ordering::Relaxed);
    text.one("gaemi_quotes_published_total", "counter", "Quotes believed and sent on.", published);
    let conflated = counters.conflated.load(Ordering::Relaxed);
    text.one(
        "gaemi_quotes_conflated_total",
        "counter",
        "Quotes replaced by newer ones before a slow reader took them.",
        conflated,
    );
    text.metric("gaemi_quotes_kept_back_total", "counter", "Quotes that were not believed, by reason.");
    for (reason, count) in feed.hub.quarantine.counts() {
        text.labelled("gaemi_quotes_kept_back_total", "reason", reason, count);
    }
    let connections = counters.connections.load(Ordering::Relaxed);
    text.one("gaemi_subscribers", "gauge", "WebSocket connections.", connections);
    text.one(
        "gaemi_symbols_subscribed",
        "gauge",
        "Symbols that somebody is subscribed to.",
        feed.hub.subscribed_symbols(),
    );
    text.one(
        "gaemi_ingesting",
        "gauge",
        "Whether prices are taken in here, and not by another server of the group.",
        u8::from(feed.ingests()),
    );
    providers(feed, &mut text);
    let cache = feed.cache.status();
    text.one(
        "gaemi_cache_reachable",
        "gauge",
        "Whether the last call to Redis succeeded.",
        u8::from(cache.reachable),
    );
    text.one("gaemi_cache_failures_total", "counter", "Calls to Redis that failed.", cache.failures);
    if let Some(bars) = feed.archive.as_ref().map(|archive| archive.status()) {
        text.one(
            "gaemi_bars_reachable",
            "gauge",
            "Whether the last call to the store of bars succeeded.",
            u8::from(bars.reachable),
        );
        text.one("gaemi_bars_written_total", "counter", "Bars written to the store.", bars.written);
        text.one(
            "gaemi_bars_failures_total",
            "counter",
            "Calls to the store of bars that failed.",
            bars.failures,
        );
    }
    text.0
}

fn providers(feed: &Feed, text: &mut Text) {
    text.metric("gaemi_provider_accepted_total", "counter", "Rows and answers taken, by provider.");
    for provider in &feed.providers {
        text.labelled(
            "gaemi_provider_accepted_total",
            "provider",
            provider.name(),
            provider.report().accepted,
        );
    }
    let healths: Vec<_> =
        feed.providers.iter().filter_map(|provider| Some((provider, provider.health()?))).collect();
    text.metric("gaemi_provider_resting", "gauge", "Whether a vendor is given a rest.");
    for (provider, _) in &healths {
        text.labelled("gaemi_provider_resting", "provider", provider.name(), u8::from(provider.is_resting()));
    }
    text.metric("gaemi_provider_failures_in_a_row", "gauge", "Failures of a vendor since its last answer.");
    for (provider, health) in &healths {
        text.labelled(
            "gaemi_provider_failures_in_a_row",
            "provider",
            provider.name(),
            health.failures_in_a_row,
        );
    }
    text.metric("gaemi_provider_requests_today", "gauge", "Requests to a vendor today, in UTC.");
    for (provider, health) in &healths {
        text.labelled("gaemi_provider_requests_today", "provider", provider.name(), health.requests_today);
    }
}
