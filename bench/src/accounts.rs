//! Users and accounts for a run, made through the API like anybody's.

use crate::http::{Connection, get, post, text};
use anyhow::{Context, Result};
use rust_decimal::Decimal;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Play money of each account.
const DEPOSIT: &str = "1000000000";
/// What is ordered.
pub(crate) const SYMBOL: &str = "IBM";
/// The limit of orders that are not to be filled, as a part of the price.
const LIMIT_OF_PRICE: Decimal = Decimal::from_parts(75, 0, 0, false, 2);

/// Who orders, from which account.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// A new user with accounts that have money on them.
pub(crate) async fn prepare_user(address: String, accounts_wanted: usize) -> Result<Vec<Account>> {
    let mut connection = Connection::open(&address).await?;
    let password = Uuid::now_v7().to_string();
    let credentials =
        json!({ "email": format!("{}@bench.example", Uuid::now_v7().simple()), "password": password })
            .to_string();
    connection.call(&post("/api/auth/register", "", &credentials), 201).await?;
    let login = connection.call(&post("/api/auth/login", "", &credentials), 200).await?;
    let token = text(&login, "accessToken")?.to_owned();
    let mut accounts = Vec::with_capacity(accounts_wanted);
    for number in 0..accounts_wanted {
        let body = json!({ "name": format!("bench {number}"), "broker": "simulator", "currency": "USD" })
            .to_string();
        let account = connection.call(&post("/api/accounts", &token, &body), 201).await?;
        let id = text(&account, "id")?.to_owned();
        let body = json!({ "amount": DEPOSIT }).to_string();
        connection.call(&post(&format!("/api/accounts/{id}/deposit"), &token, &body), 201).await?;
        accounts.push(Account { id, token: token.clone() });
    }
    Ok(accounts)
}

/// Users with accounts, all together.
pub(crate) async fn prepare(address: &str, users: usize, accounts_of_each: usize) -> Result<Vec<Account>> {
    let mut preparing = JoinSet::new();
    for _ in 0..users {
        preparing.spawn(prepare_user(address.to_owned(), accounts_of_each));
    }
    let mut accounts = Vec::with_capacity(users * accounts_of_each);
    while let Some(user) = preparing.join_next().await {
        accounts.extend(user??);
    }
    Ok(accounts)
}

/// A price far below the market's.
pub(crate) async fn low_price(address: &str, account: &Account) -> Result<Decimal> {
    let path = format!("/api/market/quote/{SYMBOL}");
    let quote = Connection::open(address).await?.call(&get(&path, &account.token), 200).await?;
    let price: Decimal = text(&quote, "price")?.parse()?;
    Ok((price * LIMIT_OF_PRICE).round_dp(2))
}

/// Orders that rest, from accounts in turn.
pub(crate) struct RestingOrders {
    pub(crate) accounts: Vec<Account>,
    pub(crate) limit_price: Decimal,
    turn: AtomicUsize,
}

impl RestingOrders {
    pub(crate) const fn new(accounts: Vec<Account>, limit_price: Decimal) -> Self {
        Self { accounts, limit_price, turn: AtomicUsize::new(0) }
    }

    /// The next request.
    pub(crate) fn next(&self) -> Result<Vec<u8>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.accounts.len();
        let account = self.accounts.get(turn).context("no accounts")?;
        let body = format!(
            r#"{{"accountId":"{}","symbol":"{SYMBOL}","side":"buy","type":"limit","timeInForce":"gtc","quantity":"1","limitPrice":"{}"}}"#,
            account.id, self.limit_price
        );
        Ok(post("/api/orders", &account.token, &body))
    }
}
