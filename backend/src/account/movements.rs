//! Money that is brought in, taken out, moved between accounts, or exchanged.
//!
//! Each happens once per key: the account is locked, then its books are asked for the key, so of two requests that come
//! at the same time the second finds what the first has booked.

use super::ledger::{Journal, LedgerAccount, StoredJournal, Unsettled, withdrawable};
use super::service::{AccountService, balance_event};
use super::store::LockedBalances;
use super::{Account, CashBalance, Commodity, MARGIN_CURRENCY, store};
use crate::clock;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events;
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, ClientOrderId, Currency, Money, Price, UserId};
use failpoint::Failpoint;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Largest single movement and largest balance of play money, in units of the currency: far inside 28 digits.
const CASH_MAX: i64 = 1_000_000_000_000;

/// A movement that is in the books.
pub(super) struct Moved {
    /// Its journal; of two that belong together the one of the account that was asked for.
    pub(super) journal_id: Uuid,
    /// The fee that was paid for it.
    pub(super) fee: Decimal,
    /// What came in on the other side, where there is one.
    pub(super) received: Option<Money>,
    /// The balances it has moved, now.
    pub(super) balances: Vec<CashBalance>,
    /// Whether this very request had been answered before.
    pub(super) replayed: bool,
}

/// An exchange of currencies that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExchangeWish {
    /// What is given, without the fee.
    pub(super) given: Money,
    /// What is wanted.
    pub(super) wanted: Currency,
    /// Units of the currency wanted for one of the currency given.
    pub(super) rate: Price,
}

/// The key a request is booked under; without one the request is a movement of its own.
fn key_of(kind: &str, key: Option<ClientOrderId>) -> String {
    key.map_or_else(|| format!("{kind}:{}", Uuid::now_v7()), |key| format!("{kind}:{key}"))
}

fn check_amount(Money { amount, currency }: Money) -> ApiResult<()> {
    if amount <= Decimal::ZERO {
        return Err(ApiError::field("amount", "not_positive", "must be greater than zero"));
    }
    if currency.round(amount) != amount {
        let message = format!(
            "must have at most {} digits behind the decimal point in {currency}",
            currency.minor_digits()
        );
        return Err(ApiError::field("amount", "too_precise", message));
    }
    if amount > Decimal::from(CASH_MAX) {
        return Err(ApiError::field("amount", "too_large", format!("must be at most {CASH_MAX}")));
    }
    Ok(())
}

fn reused() -> ApiError {
    ApiError::new(ErrorCode::IdempotencyKeyReused, "the key was used for another movement")
}

/// What is to be moved; amounts are checked.
#[derive(Debug, Clone, Copy)]
enum Movement {
    Deposit(AccountId, Money),
    Withdrawal(AccountId, Money),
    Transfer { from: AccountId, to: AccountId, money: Money },
    Exchange { account: AccountId, given: Money, received: Money },
}

impl Movement {
    fn accounts(&self) -> BTreeSet<AccountId> {
        match self {
            Self::Deposit(account, _) | Self::Withdrawal(account, _) | Self::Exchange { account, .. } => {
                [*account].into()
            }
            Self::Transfer { from, to, .. } => [*from, *to].into(),
        }
    }

    /// The account whose books know the caller's key.
    const fn key_holder(&self) -> AccountId {
        match self {
            Self::Deposit(account, _) | Self::Withdrawal(account, _) | Self::Exchange { account, .. } => {
                *account
            }
            Self::Transfer { from, .. } => *from,
        }
    }

    /// What it does to settled cash, fees left out: what tells it from another movement under the same key.
    fn effect(&self) -> Vec<(AccountId, Money)> {
        match *self {
            Self::Deposit(account, money) => vec![(account, money)],
            Self::Withdrawal(account, money) => vec![(account, negative(money))],
            Self::Transfer { from, to, money } => vec![(from, negative(money)), (to, money)],
            Self::Exchange { account, given, received } => {
                vec![(account, negative(given)), (account, received)]
            }
        }
    }
}

impl AccountService {
    /// Books what an account held when its broker opened it to us; once, however often.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], or an amount that cannot be booked.
    pub async fn book_opening(&self, user: UserId, account: AccountId, money: Money) -> ApiResult<()> {
        check_amount(money)?;
        let account = self.find(user, account).await?;
        let key = format!("opening:{}", account.id);
        self.carry_out(user, Movement::Deposit(account.id, money), key).await.map(|_| ())
    }

    async fn active(&self, user: UserId, account: AccountId) -> ApiResult<Account> {
        let account = self.find(user, account).await?;
        if !account.is_of_play_money() {
            return Err(ApiError::new(ErrorCode::BrokerKeepsCash, ""));
        }
        if account.status != "active" {
            let detail = format!("the account is {}", account.status);
            return Err(ApiError::new(ErrorCode::AccountNotActive, detail));
        }
        Ok(account)
    }

    /// Brings play money in, by default of the account's own currency.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::IdempotencyKeyReused`], or a field that is not acceptable.
    pub(super) async fn deposit(
        &self,
        user: UserId,
        account: AccountId,
        (amount, currency): (Decimal, Option<Currency>),
        key: Option<ClientOrderId>,
    ) -> ApiResult<Moved> {
        let account = self.active(user, account).await?;
        let money = Money::new(amount, currency.unwrap_or(account.currency));
        check_amount(money)?;
        self.carry_out(user, Movement::Deposit(account.id, money), key_of("deposit", key)).await
    }

    /// Takes money out: what is settled, and neither reserved nor needed for what settles later.
    ///
    /// # Errors
    /// As [`Self::deposit`]; `exceeds_withdrawable` names what can be taken.
    pub(super) async fn withdraw(
        &self,
        user: UserId,
        account: AccountId,
        (amount, currency): (Decimal, Option<Currency>),
        key: Option<ClientOrderId>,
    ) -> ApiResult<Moved> {
        let account = self.active(user, account).await?;
        let money = Money::new(amount, currency.unwrap_or(account.currency));
        check_amount(money)?;
        self.carry_out(user, Movement::Withdrawal(account.id, money), key_of("withdrawal", key)).await
    }

    /// Moves money to another account of the same owner.
    ///
    /// # Errors
    /// As [`Self::withdraw`]; `unknown_account` for an account that is not the user's.
    pub(super) async fn transfer(
        &self,
        user: UserId,
        (from, to): (AccountId, AccountId),
        (amount, currency): (Decimal, Option<Currency>),
        key: Option<ClientOrderId>,
    ) -> ApiResult<Moved> {
        let from = self.active(user, from).await?;
        let money = Money::new(amount, currency.unwrap_or(from.currency));
        check_amount(money)?;
        if from.id == to {
            return Err(ApiError::field("toAccountId", "same_account", "must be another account"));
        }
        let to = self.active(user, to).await.map_err(|error| match error.code() {
            ErrorCode::NotFound => {
                ApiError::field("toAccountId", "unknown_account", "is none of your accounts")
            }
            _ => error,
        })?;
        let movement = Movement::Transfer { from: from.id, to: to.id, money };
        self.carry_out(user, movement, key_of("transfer", key)).await
    }

    /// Gives money of one currency for another, at the caller's rate, less the simulator's fee.
    ///
    /// # Errors
    /// As [`Self::withdraw`]; `too_small` when nothing would be received.
    pub(super) async fn exchange(
        &self,
        user: UserId,
        account: AccountId,
        wish: ExchangeWish,
        key: Option<ClientOrderId>,
    ) -> ApiResult<Moved> {
        let (account, given) = (self.active(user, account).await?, wish.given);
        check_amount(given)?;
        if given.currency == wish.wanted {
            return Err(ApiError::field("to", "same_currency", "must be another currency"));
        }
        let received = exchange::convert(given.amount, wish.rate, wish.wanted);
        let received = received.filter(|received| *received <= Decimal::from(CASH_MAX));
        let received = received.ok_or_else(|| {
            ApiError::field("rate", "too_large", "would bring more than an account can hold")
        })?;
        if received.is_zero() {
            let message = format!("brings less than the smallest unit of {}", wish.wanted);
            return Err(ApiError::field("amount", "too_small", message));
        }
        let received = Money::new(received, wish.wanted);
        let movement = Movement::Exchange { account: account.id, given, received };
        self.carry_out(user, movement, key_of("exchange", key)).await
    }

    /// Locks the accounts and moves the money, in one transaction.
    async fn carry_out(&self, user: UserId, movement: Movement, key: String) -> ApiResult<Moved> {
        let mut connection = self.pool.get().await?;
        let moved = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let accounts = movement.accounts();
                let locked = store::lock_balances(connection, &accounts, std::iter::empty()).await?;
                let desk = Desk { connection, user, locked, at: clock::now() };
                let moved = desk.carry_out(movement, &key).await?;
                failpoint::pass(Failpoint::MovementWritten);
                Ok::<_, ApiError>(moved)
            })
            .await?;
        failpoint::pass(Failpoint::MovementCommitted);
        self.events.wake();
        Ok(moved)
    }
}

fn negative(money: Money) -> Money {
    Money::new(-money.amount, money.currency)
}

fn fee_of(journal: &StoredJournal) -> Option<Decimal> {
    let fee = journal.amount_on(LedgerAccount::ExchangeFee);
    (!fee.is_zero()).then_some(fee)
}

/// What a stored journal has moved of an account's settled cash, without the fee.
fn effect_of(journal: &StoredJournal) -> Option<(AccountId, Money)> {
    let currency = journal.postings.iter().find_map(|posting| match posting.commodity {
        Commodity::Cash(currency) => Some(currency),
        Commodity::Shares(_) => None,
    })?;
    let fee = fee_of(journal).unwrap_or_default();
    Some((journal.account_id, Money::new(journal.amount_on(LedgerAccount::Cash) + fee, currency)))
}

/// Where money is moved: locked accounts inside a transaction.
struct Desk<'a> {
    connection: &'a AsyncPgConnection,
    user: UserId,
    locked: LockedBalances,
    at: DateTime<Utc>,
}

impl Desk<'_> {
    async fn carry_out(&self, movement: Movement, key: &str) -> ApiResult<Moved> {
        if let Some(before) = self.known(movement.key_holder(), key).await? {
            return self.answer_again(&before, &movement.effect());
        }
        let journals = match movement {
            Movement::Deposit(account, money) => {
                self.check_room(account, money)?;
                Journal::deposit(account, money.currency, money.amount, key.to_owned(), self.at)
                    .map(|journal| vec![journal])
            }
            Movement::Withdrawal(account, money) => {
                self.check_withdrawable(account, money).await?;
                Journal::withdrawal(account, money, key.to_owned(), self.at).map(|journal| vec![journal])
            }
            Movement::Transfer { from, to, money } => {
                self.check_withdrawable(from, money).await?;
                self.check_room(to, money)?;
                Journal::transfer((from, to), money, key, self.at).map(Vec::from)
            }
            Movement::Exchange { account, given, received } => {
                let fee = exchange::conversion_fee(given, self.at.date_naive());
                let paid = Money::new(given.amount + fee, given.currency);
                self.check_withdrawable(account, paid).await?;
                self.check_room(account, received)?;
                Journal::exchange(account, given, received, fee, key, self.at).map(Vec::from)
            }
        };
        self.write(journals.map_err(ApiError::internal)?).await
    }

    /// What was booked under a key, with what belongs to it.
    async fn known(&self, account: AccountId, key: &str) -> ApiResult<Option<Vec<StoredJournal>>> {
        let Some(journal) = store::journal_by_key(self.connection, account, key).await? else {
            return Ok(None);
        };
        Ok(Some(match journal.link_id {
            Some(link) => store::linked_journals(self.connection, link).await?,
            None => vec![journal],
        }))
    }

    fn check_room(&self, account: AccountId, money: Money) -> ApiResult<()> {
        if self.locked.cash(account, money.currency).total + money.amount > Decimal::from(CASH_MAX) {
            return Err(ApiError::field(
                "amount",
                "too_large",
                format!("would raise the balance above {CASH_MAX}"),
            ));
        }
        Ok(())
    }

    async fn check_withdrawable(&self, account: AccountId, money: Money) -> ApiResult<()> {
        let promises: Vec<Unsettled> = store::unsettled_of(self.connection, &[account])
            .await?
            .into_iter()
            .filter(|promise| promise.currency == money.currency)
            .collect();
        if money.currency == MARGIN_CURRENCY && self.locked.switches(account).short_selling {
            self.check_not_short(account).await?;
        }
        let cash = self.locked.cash(account, money.currency);
        let most = withdrawable(cash.total, cash.held, &promises);
        if money.amount > most {
            let message = format!(
                "{} {} are needed, {} can be taken out",
                money.amount,
                money.currency,
                most.normalize()
            );
            return Err(ApiError::field("amount", "exceeds_withdrawable", message));
        }
        Ok(())
    }

    /// What short sales have brought secures them, so nothing leaves while shares are sold short or ordered to be.
    async fn check_not_short(&self, account: AccountId) -> ApiResult<()> {
        let shares = store::shares_held(self.connection, &[account]).await?;
        match shares.iter().find(|shares| shares.is_short()) {
            None => Ok(()),
            Some(short) => {
                let message = format!("{} is sold short; buy it back first", short.symbol);
                Err(ApiError::field("amount", "secures_short_sales", message))
            }
        }
    }

    /// Answers a request that was answered before, if it was the same.
    fn answer_again(&self, before: &[StoredJournal], asked: &[(AccountId, Money)]) -> ApiResult<Moved> {
        let booked: Vec<_> = before.iter().filter_map(effect_of).collect();
        let [first, ..] = before else { return Err(reused()) };
        if booked != asked {
            return Err(reused());
        }
        Ok(Moved {
            journal_id: first.id,
            fee: before.iter().filter_map(fee_of).sum(),
            received: booked.get(1).map(|(_, money)| *money),
            balances: booked
                .iter()
                .map(|(account, money)| self.locked.cash(*account, money.currency))
                .collect(),
            replayed: true,
        })
    }

    /// Posts journals and tells the balances they move.
    async fn write(&self, journals: Vec<Journal>) -> ApiResult<Moved> {
        store::post(self.connection, &journals).await?;
        let (mut balances, mut told, mut received) = (Vec::new(), Vec::new(), None);
        for (index, journal) in journals.iter().enumerate() {
            let change = journal.amount_on(LedgerAccount::Cash);
            let currency = journal.balance_changes().find_map(|(commodity, _)| match commodity {
                Commodity::Cash(currency) => Some(currency),
                Commodity::Shares(_) => None,
            });
            let currency = currency.ok_or_else(|| ApiError::internal("a movement of money moves none"))?;
            let mut balance = self.locked.cash(journal.account_id(), currency);
            balance.total += change;
            told.push(balance_event(self.user, &balance, self.at).map_err(ApiError::internal)?);
            balances.push(balance);
            if index == 1 {
                received = Some(Money::new(change, currency));
            }
        }
        events::append(self.connection, told).await?;
        let journal_id = journals.first().map(Journal::id).unwrap_or_default();
        let fee = journals.iter().map(|journal| journal.amount_on(LedgerAccount::ExchangeFee)).sum();
        Ok(Moved { journal_id, fee, received, balances, replayed: false })
    }
}
