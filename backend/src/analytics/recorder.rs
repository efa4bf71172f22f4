//! Writes down what accounts are worth, beside the requests.

use super::service::PerformanceService;
use actix_web::web;
use domain::AccountId;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two rounds. A round looks at a few accounts; with more of them, each is looked at less often.
const ROUND_PAUSE: Duration = Duration::from_secs(60);
/// Rounds between two times at which old samples are thinned.
const ROUNDS_PER_THINNING: u32 = 60;

/// Records until stopped.
pub(super) async fn run(performance: web::Data<PerformanceService>, stop: CancellationToken) {
    let mut last: Option<AccountId> = None;
    let mut rounds: u32 = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ROUND_PAUSE) => {}
        }
        match performance.record_some(last).await {
            Ok(next) => last = next,
            Err(error) => tracing::warn!(%error, "what accounts are worth could not be written down"),
        }
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(ROUNDS_PER_THINNING)
            && let Err(error) = performance.thin().await
        {
            tracing::warn!(%error, "old samples could not be thinned");
        }
    }
}
