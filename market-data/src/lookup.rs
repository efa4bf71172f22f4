//! Shares that the own list does not have, asked of the providers that can search: seldom, not for long, and once.

use crate::allowance::{Allowance, Rate};
use crate::provider::gate::Health;
use crate::provider::{Listing, Provider};
use domain::Market;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long a request waits for what others find: less than whoever asked gives it altogether.
pub(crate) const LOOKUP_PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer serves further requests, also an empty one: shares are listed and renamed seldom.
const LOOKUP_LIFETIME: Duration = Duration::from_secs(3_600);
/// Most answers that are kept.
const LOOKUPS_KEPT_MAX: usize = 128;
/// Most shares of an answer.
const LISTINGS_MAX: usize = 10;
/// How often others are asked: once for each pause of somebody who types. A third of what the most patient vendor allows,
/// so that prices do not wait.
const LOOKUP_RATE: Rate = Rate { burst_max: 10, refill: Duration::from_secs(3) };

/// What a provider has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// Name of the provider.
    pub(crate) found_by: &'static str,
    /// The likeliest first.
    pub(crate) listings: Vec<Listing>,
}

/// What was asked for, in which market.
type Question = (String, Option<Market>);
type Kept = HashMap<Question, (Instant, Arc<Elsewhere>)>;

/// See the module.
pub(crate) struct Lookup {
    kept: Mutex<Kept>,
    /// One asks at a time; who has waited may find that the answer is there.
    turn: tokio::sync::Mutex<Allowance>,
}

impl Default for Lookup {
    fn default() -> Self {
        Self { kept: Mutex::default(), turn: tokio::sync::Mutex::new(Allowance::new(LOOKUP_RATE)) }
    }
}

/// The providers that are asked, in the order in which they are: whoever rations its requests comes last, and only while
/// it has some to spare.
fn in_turn<'a>(providers: &[&'a Arc<dyn Provider>]) -> Vec<&'a Arc<dyn Provider>> {
    let able = |provider: &&&Arc<dyn Provider>| {
        !provider.is_resting() && provider.health().as_ref().is_none_or(Health::has_to_spare)
    };
    let mut able: Vec<_> = providers.iter().filter(able).copied().collect();
    able.sort_by_key(|provider| provider.health().as_ref().is_some_and(Health::is_rationed));
    able
}

impl Lookup {
    /// What the first provider that answers finds for a text; nothing when there is none, or not now.
    pub(crate) async fn find(
        &self,
        text: &str,
        market: Option<Market>,
        searchers: &[&Arc<dyn Provider>],
    ) -> Option<Arc<Elsewhere>> {
        let providers = in_turn(searchers);
        let asking = self.ask((text.to_owned(), market), &providers);
        timeout(LOOKUP_PATIENCE, asking).await.ok().flatten()
    }

    async fn ask(&self, question: Question, providers: &[&Arc<dyn Provider>]) -> Option<Arc<Elsewhere>> {
        if let Some(known) = self.known(&question) {
            return Some(known);
        }
        if providers.is_empty() {
            return None;
        }
        let mut allowance = self.turn.lock().await;
        if let Some(known) = self.known(&question) {
            return Some(known);
        }
        if !allowance.spend(LOOKUP_RATE) {
            return None;
        }
        for provider in providers {
            match provider.search(&question.0, LISTINGS_MAX).await {
                Ok(mut listings) => {
                    listings.truncate(LISTINGS_MAX);
                    let found_by = provider.name();
                    return Some(self.keep(question, Elsewhere { found_by, listings }));
                }
                Err(error) => tracing::debug!(provider = provider.name(), %error, "nothing was searched"),
            }
        }
        None
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, question: &Question) -> Option<Arc<Elsewhere>> {
        let kept = self.kept();
        kept.get(question).filter(|(until, _)| *until > Instant::now()).map(|(_, found)| Arc::clone(found))
    }

    fn keep(&self, question: Question, found: Elsewhere) -> Arc<Elsewhere> {
        let found = Arc::new(found);
        let mut kept = self.kept();
        if kept.len() >= LOOKUPS_KEPT_MAX {
            let oldest =
                kept.iter().min_by_key(|(_, (until, _))| *until).map(|(question, _)| question.clone());
            oldest.into_iter().for_each(|question| drop(kept.remove(&question)));
        }
        kept.insert(question, (Instant::now() + LOOKUP_LIFETIME, Arc::clone(&found)));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        Capabilities, HistoryRange, ProviderError, ProviderReport, Update, Wanted, gate::Circuit,
    };
    use async_trait::async_trait;
    use domain::{Bar, Symbol};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::{mpsc, watch};

    /// A vendor that searches: who has how many requests left, and whether it answers.
    struct Searcher {
        name: &'static str,
        left: Option<u32>,
        answers: bool,
        silent: bool,
        asked: AtomicUsize,
    }

    fn searcher(name: &'static str, left: Option<u32>, answers: bool) -> Arc<Searcher> {
        Arc::new(Searcher { name, left, answers, silent: false, asked: AtomicUsize::new(0) })
    }

    #[async_trait]
    impl Provider for Searcher {
        fn name(&self) -> &'static str {
            self.name
        }
        fn capabilities(&self) -> Capabilities {
            Capabilities {
                simulated: false,
                delayed: true,
                history: false,
                bid_ask: false,
                order_book: false,
                recorded: false,
                search: true,
                intervals: &[],
                adjustments: &[],
            }
        }
        fn instruments(&self) -> Vec<Symbol> {
            Vec::new()
        }
        fn supports(&self, _: Symbol) -> bool {
            true
        }
        async fn probe(&self) -> Result<(), ProviderError> {
            Ok(())
        }
        async fn run(
            &self,
            _: watch::Receiver<Wanted>,
            _: mpsc::Sender<Update>,
        ) -> Result<(), ProviderError> {
            Ok(())
        }
        async fn history(&self, symbol: Symbol, _: HistoryRange) -> Result<Vec<Bar>, ProviderError> {
            Err(ProviderError::UnknownSymbol(symbol))
        }
        async fn search(&self, text: &str, _: usize) -> Result<Vec<Listing>, ProviderError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.silent {
                std::future::pending::<()>().await;
            }
            let symbol = text.to_uppercase().parse::<Symbol>();
            match (self.answers, symbol) {
                (false, _) => Err(ProviderError::Unavailable("away".to_owned())),
                (true, Ok(symbol)) => Ok(vec![Listing::new(symbol, "A share")]),
                (true, Err(_)) => Ok(Vec::new()),
            }
        }
        fn health(&self) -> Option<Health> {
            Some(Health {
                circuit: Circuit::Closed,
                rest_seconds: 0,
                failures_in_a_row: 0,
                requests_today: 10,
                requests_left: self.left,
                last_success_at: None,
                last_error: None,
            })
        }
        fn report(&self) -> ProviderReport {
            ProviderReport::default()
        }
    }

    async fn find(
        lookup: &Lookup,
        text: &str,
        searchers: &[&Arc<Searcher>],
    ) -> Option<(&'static str, usize)> {
        let provider = |searcher: &&Arc<Searcher>| -> Arc<dyn Provider> { Arc::<Searcher>::clone(searcher) };
        let providers: Vec<_> = searchers.iter().map(provider).collect();
        let found = lookup.find(text, None, &providers.iter().collect::<Vec<_>>()).await?;
        Some((found.found_by, found.listings.len()))
    }

    fn asked(searcher: &Searcher) -> usize {
        searcher.asked.load(Ordering::SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn who_rations_its_requests_is_asked_last_and_only_with_some_to_spare() {
        let (rationed, free) = (searcher("rationed", Some(15), true), searcher("free", None, true));
        assert_eq!(find(&Lookup::default(), "rklb", &[&rationed, &free]).await, Some(("free", 1)));
        assert_eq!(asked(&rationed), 0);
        let away = searcher("away", None, false);
        assert_eq!(find(&Lookup::default(), "rklb", &[&rationed, &away]).await, Some(("rationed", 1)));
        let spent = searcher("spent", Some(10), true);
        assert_eq!(find(&Lookup::default(), "rklb", &[&spent, &away]).await, None);
        assert_eq!(asked(&spent), 0, "the second half of the ration is for prices");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_asked_for_once_also_when_it_is_empty_and_a_failure_is_none() {
        let (lookup, free) = (Lookup::default(), searcher("free", None, true));
        for text in ["rklb", "no such company"] {
            let before = asked(&free);
            let first = find(&lookup, text, &[&free]).await;
            assert_eq!(find(&lookup, text, &[&free]).await, first);
            assert_eq!(asked(&free), before + 1, "{text}");
        }
        tokio::time::advance(LOOKUP_LIFETIME).await;
        find(&lookup, "rklb", &[&free]).await;
        assert_eq!(asked(&free), 3, "it is old");
        let away = searcher("away", None, false);
        assert_eq!(find(&lookup, "shop", &[&away]).await, None);
        assert_eq!(find(&lookup, "shop", &[&free]).await, Some(("free", 1)), "a failure is not remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_types_without_end_is_not_passed_on() {
        let (lookup, free) = (Lookup::default(), searcher("free", None, true));
        for number in 0..100 {
            find(&lookup, &format!("text {number}"), &[&free]).await;
        }
        assert_eq!(asked(&free), 10);
        tokio::time::advance(Duration::from_secs(3)).await;
        find(&lookup, "another", &[&free]).await;
        assert_eq!(asked(&free), 11);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_waited_for_within_bounds_and_answers_do_not_heap_up() {
        let (lookup, free) = (Lookup::default(), searcher("free", None, true));
        let silent = Arc::new(Searcher {
            name: "silent",
            left: None,
            answers: true,
            silent: true,
            asked: AtomicUsize::new(0),
        });
        let began = Instant::now();
        assert_eq!(find(&lookup, "rklb", &[&silent, &free]).await, None);
        assert_eq!(began.elapsed(), LOOKUP_PATIENCE);
        for number in 0..2 * LOOKUPS_KEPT_MAX {
            tokio::time::advance(Duration::from_secs(3)).await;
            find(&lookup, &format!("text {number}"), &[&free]).await;
        }
        assert_eq!(lookup.kept().len(), LOOKUPS_KEPT_MAX);
        assert!(lookup.known(&(format!("text {}", 2 * LOOKUPS_KEPT_MAX - 1), None)).is_some());
    }
}
