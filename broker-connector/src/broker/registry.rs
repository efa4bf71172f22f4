//! All brokers of this process.

use super::{Broker, simulator};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Brokers by name.
#[derive(Clone)]
pub struct Brokers {
    by_name: BTreeMap<&'static str, Arc<dyn Broker>>,
    simulator: Arc<dyn Broker>,
}

impl Brokers {
    /// One line for each broker.
    pub(crate) fn new(simulator: Arc<simulator::Simulator>) -> Self {
        let simulator: Arc<dyn Broker> = simulator;
        let by_name = BTreeMap::from([(simulator::NAME, Arc::clone(&simulator))]);
        Self { by_name, simulator }
    }

    /// The broker of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<dyn Broker>> {
        self.by_name.get(name)
    }

    /// The broker that keeps the orders. Every account is the simulator's (the table of accounts allows no other).
    #[must_use]
    pub fn of_orders(&self) -> &Arc<dyn Broker> {
        &self.simulator
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Broker>> {
        self.by_name.values()
    }
}
