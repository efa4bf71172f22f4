//! What brokers take, as the connector has said it, remembered for a while: every order to a broker outside asks.

use super::brokerage::{AllCapabilities, CapabilitiesDocument};
use super::connector::Connector;
use super::lane::Lane;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it is believed before the connector is asked again: another release of it may say another thing.
const BELIEVED_FOR: Duration = Duration::from_secs(60);

type Known = (Instant, Arc<AllCapabilities>);

/// What is remembered.
pub(super) struct Offers {
    connector: Connector,
    known: Mutex<Option<Known>>,
}

impl Offers {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, known: Mutex::default() }
    }

    fn remembered(&self) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a broker outside of this house takes; what it took last where the connector is silent, and nothing where it never
    /// said. Of the simulator nothing is asked: it takes all that can be asked for.
    pub(super) async fn of(&self, lane: Lane) -> Option<CapabilitiesDocument> {
        if lane == Lane::Simulator {
            return None;
        }
        let known = match self.remembered() {
            Some((at, all)) if at.elapsed() < BELIEVED_FOR => Some(all),
            before => match self.connector.capabilities::<AllCapabilities>().await {
                Ok(all) => {
                    let all = Arc::new(all);
                    let known = Some((Instant::now(), Arc::clone(&all)));
                    *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
                    Some(all)
                }
                Err(error) => {
                    tracing::warn!(%error, "nobody says what brokers take");
                    before.map(|(_, all)| all)
                }
            },
        };
        known?.brokers.iter().find(|broker| broker.broker == lane.name()).cloned()
    }
}
