//! All brokers of this process, side by side: what is for several of them is taken apart, and none waits for, or falls
//! with, another.

use super::{Broker, BrokerError};
use crate::directory::Directory;
use domain::{AccountId, OrderId};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

/// Brokers by name.
#[derive(Clone)]
pub struct Brokers {
    by_name: BTreeMap<&'static str, Arc<dyn Broker>>,
    keeper: Arc<dyn Broker>,
    directory: Option<Arc<Directory>>,
}

impl Brokers {
    /// One broker alone.
    pub(crate) fn new(broker: Arc<dyn Broker>) -> Self {
        let by_name = BTreeMap::from([(broker.name(), Arc::clone(&broker))]);
        Self { by_name, keeper: broker, directory: None }
    }

    /// Others beside a broker that keeps what is nowhere else.
    pub(crate) fn side_by_side(
        keeper: Arc<dyn Broker>,
        others: Vec<Arc<dyn Broker>>,
        directory: Directory,
    ) -> Self {
        let all = std::iter::once(&keeper).chain(&others);
        let by_name = all.map(|broker| (broker.name(), Arc::clone(broker))).collect();
        Self { by_name, keeper, directory: Some(Arc::new(directory)) }
    }

    /// The broker of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<dyn Broker>> {
        self.by_name.get(name)
    }

    /// The broker that keeps what is nowhere else.
    #[must_use]
    pub const fn keeper(&self) -> &Arc<dyn Broker> {
        &self.keeper
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Broker>> {
        self.by_name.values()
    }

    /// An account was connected at a broker.
    pub(crate) fn remember(&self, account: AccountId, broker: &str) {
        if let Some(directory) = &self.directory {
            directory.remember(account, broker);
        }
    }

    /// The broker of an account.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub async fn of_account(&self, account: AccountId) -> Result<Arc<dyn Broker>, BrokerError> {
        let Some(directory) = &self.directory else { return Ok(Arc::clone(&self.keeper)) };
        match directory.of_account(account).await? {
            None => Ok(Arc::clone(&self.keeper)),
            Some(name) => self.known(&name),
        }
    }

    /// The brokers of orders, in their order.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub async fn of_orders(&self, orders: &[OrderId]) -> Result<Vec<Arc<dyn Broker>>, BrokerError> {
        let Some(directory) = &self.directory else {
            return Ok(vec![Arc::clone(&self.keeper); orders.len()]);
        };
        let elsewhere = directory.of_orders(orders).await?;
        let broker =
            |order| elsewhere.get(order).map_or(Ok(Arc::clone(&self.keeper)), |name| self.known(name));
        orders.iter().map(broker).collect()
    }

    fn known(&self, name: &str) -> Result<Arc<dyn Broker>, BrokerError> {
        let unknown = || BrokerError::Unavailable(format!("this connector does not know the broker {name}"));
        self.by_name.get(name).cloned().ok_or_else(unknown)
    }
}

/// Hands each broker what is for it, all at once, and puts their answers into the order of the questions. A broker whose
/// code panics answers what `broken` says, and the others what they say.
pub(crate) async fn each_its_own<T, A, F>(
    items: Vec<T>,
    brokers: Vec<Arc<dyn Broker>>,
    ask: impl Fn(Arc<dyn Broker>, Vec<T>) -> F,
    broken: impl Fn(&T) -> A,
) -> Vec<A>
where
    T: Clone,
    A: Send + 'static,
    F: Future<Output = Vec<A>> + Send + 'static,
{
    let mut groups = BTreeMap::<&'static str, (Arc<dyn Broker>, Vec<usize>, Vec<T>)>::new();
    for (place, (item, broker)) in items.iter().zip(brokers).enumerate() {
        let name = broker.name();
        let (_, places, group) = groups.entry(name).or_insert_with(|| (broker, Vec::new(), Vec::new()));
        places.push(place);
        group.push(item.clone());
    }
    let asked = groups.into_values().map(|(broker, places, group)| {
        let count = group.len();
        let answering = tokio::spawn(ask(broker, group));
        async move { (places, answering.await.ok().filter(|answers| answers.len() == count)) }
    });
    let mut answers: Vec<Option<A>> = items.iter().map(|_| None).collect();
    for (places, group) in join_all(asked).await {
        for (place, answer) in places.into_iter().zip(group.into_iter().flatten()) {
            if let Some(slot) = answers.get_mut(place) {
                *slot = Some(answer);
            }
        }
    }
    answers.into_iter().zip(&items).map(|(answer, item)| answer.unwrap_or_else(|| broken(item))).collect()
}
