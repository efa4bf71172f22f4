//! All brokers of this process.

use super::Broker;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Brokers by name.
#[derive(Clone)]
pub struct Brokers {
    by_name: BTreeMap<&'static str, Arc<dyn Broker>>,
    keeper: Arc<dyn Broker>,
}

impl Brokers {
    /// The one broker whose accounts there are.
    pub(crate) fn new(broker: Arc<dyn Broker>) -> Self {
        let by_name = BTreeMap::from([(broker.capabilities().broker, Arc::clone(&broker))]);
        Self { by_name, keeper: broker }
    }

    /// The broker of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<dyn Broker>> {
        self.by_name.get(name)
    }

    /// The broker that keeps the orders. Every account is of one broker (the table of accounts allows no other).
    #[must_use]
    pub fn of_orders(&self) -> &Arc<dyn Broker> {
        &self.keeper
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Broker>> {
        self.by_name.values()
    }
}
