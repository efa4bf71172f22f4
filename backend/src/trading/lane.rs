//! Which broker an account is at, and so which lane its orders take. Each broker has lanes of its own for orders, questions
//! and comparisons: one that is slow or silent keeps nobody else waiting.

use super::store;
use crate::account::PLAY_BROKER;
use crate::db::Pool;
use domain::{AccountId, Market};
use exchange::Tariff;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A broker that accounts can be at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Play money on the built-in exchange.
    Simulator,
    /// Alpaca.
    Alpaca,
    /// Kiwoom.
    Kiwoom,
}

impl Lane {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Simulator, Self::Alpaca, Self::Kiwoom];

    /// The stored name, which is also the broker's on the wire.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Simulator => PLAY_BROKER,
            Self::Alpaca => "alpaca",
            Self::Kiwoom => "kiwoom",
        }
    }

    /// The markets of a broker that is not in this house.
    pub(super) const fn markets_abroad(self) -> &'static [Market] {
        match self {
            Self::Simulator => &[],
            Self::Alpaca => &[Market::Us],
            Self::Kiwoom => &[Market::Krx],
        }
    }

    /// What its broker charges.
    pub(super) const fn tariff(self) -> Tariff {
        match self {
            Self::Simulator => Tariff::Simulator,
            Self::Alpaca => Tariff::CommissionFree,
            Self::Kiwoom => Tariff::KiwoomOnline,
        }
    }

    /// Whether its broker tells of what it does beside orders: dividends, fees, interest, transfers.
    pub(super) const fn tells_activities(self) -> bool {
        matches!(self, Self::Alpaca)
    }

    /// The one of a stored name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.name() == name)
    }
}

/// Whether the broker of this name tells of the dividends that it pays and the splits that it makes, so that they are not
/// entered by hand.
#[must_use]
pub fn broker_tells_activities(broker: &str) -> bool {
    Lane::from_name(broker).is_some_and(Lane::tells_activities)
}

/// The lanes of accounts. Only those of accounts that are not at the simulator are remembered: there are few. Cloning is
/// cheap.
#[derive(Clone, Default)]
pub(super) struct Lanes(Arc<RwLock<HashMap<AccountId, Lane>>>);

impl Lanes {
    /// The lanes of all accounts there are.
    pub(super) async fn load(pool: &Pool) -> anyhow::Result<Self> {
        let elsewhere = store::accounts_elsewhere(&*pool.get().await?, Lane::Simulator.name()).await?;
        let lanes =
            elsewhere.into_iter().filter_map(|(account, name)| Some((account, Lane::from_name(&name)?)));
        Ok(Self(Arc::new(RwLock::new(lanes.collect()))))
    }

    /// The lane of an account.
    pub(super) fn of(&self, account: AccountId) -> Lane {
        let lanes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lanes.get(&account).copied().unwrap_or(Lane::Simulator)
    }

    /// Whether any account is on a lane.
    pub(super) fn is_used(&self, lane: Lane) -> bool {
        let lanes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lane == Lane::Simulator || lanes.values().any(|used| *used == lane)
    }

    /// The accounts on a lane that is not the simulator's.
    pub(super) fn on(&self, lane: Lane) -> Vec<AccountId> {
        let lanes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lanes.iter().filter(|(_, on)| **on == lane).map(|(account, _)| *account).collect()
    }

    /// Whether any account is at a broker that is not in this house.
    pub(super) fn is_any_elsewhere(&self) -> bool {
        !self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// An account is on a lane from now on.
    pub(super) fn put(&self, account: AccountId, lane: Lane) {
        if lane != Lane::Simulator {
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(account, lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_nobody_named_is_at_the_simulator() {
        let (lanes, account) = (Lanes::default(), AccountId::generate());
        assert_eq!(lanes.of(account), Lane::Simulator);
        assert!(lanes.is_used(Lane::Simulator) && !lanes.is_used(Lane::Alpaca));
        lanes.put(account, Lane::Alpaca);
        assert_eq!(lanes.of(account), Lane::Alpaca);
        assert_eq!(lanes.of(AccountId::generate()), Lane::Simulator);
        assert!(lanes.is_used(Lane::Alpaca));
    }

    #[test]
    fn every_lane_is_found_by_its_name() {
        for lane in Lane::ALL {
            assert_eq!(Lane::from_name(lane.name()), Some(lane));
        }
    }
}
