//! Several quote servers that are one: a lease decides which of them takes prices in, and Redis carries what it tells to
//! the others, letter by letter as their subscribers get it.
//!
//! Called by `startup`, which starts it, and by `feed`, which asks it who takes prices in and tells it what is wanted.
//! A server without a group is always the one that takes prices in.

mod election;
mod wants;

use crate::cache::Cache;
use crate::hub::Hub;
use crate::mailbox::Mailbox;
use crate::settings::GroupSettings;
use chrono::Utc;
use deadpool_redis::redis;
use domain::Symbol;
use domain::market_data::read_quote;
pub(crate) use election::Role;
use election::{Answer, Election, LEASE_INTERVAL, LEASE_TIME};
use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wants::{Wants, Wish};

/// Longest time to begin listening.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before it is tried again to listen.
const LISTEN_PAUSE: Duration = Duration::from_millis(500);
/// Bytes told in one go.
const TOLD_SIZE_MAX: usize = 256 * 1024;
/// Largest message that is read, in bytes.
const MESSAGE_SIZE_MAX: usize = 64 * 1024;

/// Renews the lease if it is ours, takes it if it is free and we may; tells whose it is.
const TAKE: &str = "local holder = redis.call('GET', KEYS[1]) \
    if holder == ARGV[1] or (not holder and ARGV[3] == '1') then \
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return ARGV[1] end \
    return holder or ''";
/// Gives the lease back if it is ours.
const GIVE_BACK: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// A share that the leading server has found not to exist.
#[derive(Serialize, Deserialize)]
struct Refusal {
    refused: Symbol,
}

/// How a group is doing, for `/status`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupStatus {
    name: String,
    instance: String,
    role: Role,
}

/// See the module.
pub(crate) struct Group {
    settings: GroupSettings,
    instance: String,
    cache: Arc<Cache>,
    hub: Arc<Hub>,
    role: watch::Sender<Role>,
    wants: Mutex<Wants>,
    /// How often we have begun to listen; 0 while we do not.
    listening: AtomicU64,
}

impl Group {
    /// Finds out who takes prices in.
    pub(crate) async fn join(
        settings: GroupSettings,
        cache: &Arc<Cache>,
        hub: &Arc<Hub>,
    ) -> (Arc<Self>, Lease) {
        let now = Utc::now().timestamp_nanos_opt().unwrap_or_default();
        let group = Arc::new(Self {
            settings,
            instance: format!("{}-{now:x}", std::process::id()),
            cache: Arc::clone(cache),
            hub: Arc::clone(hub),
            role: watch::Sender::new(Role::Alone),
            wants: Mutex::default(),
            listening: AtomicU64::new(0),
        });
        let mut lease = Lease { group: Arc::clone(&group), election: Election::new(Instant::now()) };
        lease.look(true).await;
        (group, lease)
    }

    /// What this server is now.
    pub(crate) fn role(&self) -> Role {
        *self.role.borrow()
    }

    pub(crate) fn status(&self) -> GroupStatus {
        let (name, instance) = (self.settings.name.clone(), self.instance.clone());
        GroupStatus { name, instance, role: self.role() }
    }

    /// Starts everything; it ends when `stop` is called.
    pub(crate) fn start(self: &Arc<Self>, mut lease: Lease, tasks: &TaskTracker, stop: &CancellationToken) {
        let stopped = stop.clone();
        tasks.spawn(async move { lease.keep(stopped).await });
        let group = Arc::clone(self);
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move { group.listen().await }));
        let group = Arc::clone(self);
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move { group.tell().await }));
    }

    fn key(&self, what: &str) -> String {
        format!("gaemi:market-data:group:{}:{what}", self.settings.name)
    }

    fn wants(&self) -> std::sync::MutexGuard<'_, Wants> {
        self.wants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn publish(&self, what: &str, messages: &[&str]) {
        let mut commands = redis::pipe();
        let key = self.key(what);
        for message in messages {
            commands.cmd("PUBLISH").arg(&key).arg(*message).ignore();
        }
        let _: Option<()> = self.cache.call_all(&commands).await;
    }

    /// What the others want, when this server takes prices in for them.
    pub(crate) fn others_want(&self) -> BTreeSet<Symbol> {
        if self.role() == Role::Leading { self.wants().all(Instant::now()) } else { BTreeSet::new() }
    }

    /// Tells the leading server what is wanted here.
    pub(crate) async fn want(&self, symbols: BTreeSet<Symbol>) {
        let listening = self.listening.load(Ordering::Acquire);
        if self.role() == Role::Following && listening > 0 {
            let wish = Wish { instance: self.instance.clone(), listening, symbols };
            let text = serde_json::to_string(&wish).unwrap_or_default();
            self.publish("wants", &[&text]).await;
        }
    }

    /// Tells the others that a share does not exist.
    pub(crate) async fn refuse(&self, symbol: Symbol) {
        if self.role() == Role::Leading {
            let text = serde_json::to_string(&Refusal { refused: symbol }).unwrap_or_default();
            self.publish("quotes", &[&text]).await;
        }
    }

    /// While it leads: tells the others every quote. What Redis takes too slowly is replaced by what is newer.
    async fn tell(&self) {
        let mut role = self.role.subscribe();
        loop {
            let ended = role.wait_for(|role| *role == Role::Leading).await.is_err();
            if ended {
                return;
            }
            let mailbox = Arc::new(Mailbox::default());
            self.hub.tap(Some(&mailbox));
            let mut frames = Vec::new();
            loop {
                tokio::select! {
                    ended = async { role.wait_for(|role| *role != Role::Leading).await.is_err() } => {
                        if ended { return }
                        break;
                    }
                    taken = std::future::poll_fn(|task| mailbox.poll_take(task, &mut frames, TOLD_SIZE_MAX)) => {
                        if taken.is_some() {
                            let texts: Vec<_> = frames.iter().map(|frame: &crate::frame::Frame| frame.payload()).collect();
                            self.publish("quotes", &texts).await;
                        }
                        frames.clear();
                    }
                }
            }
            self.hub.tap(None);
        }
    }

    /// Hears the others: what they want while it leads, and what is told while it follows.
    async fn listen(&self) {
        let mut role = self.role.subscribe();
        let mut times = 0;
        loop {
            let now = *role.borrow_and_update();
            let channel = match now {
                Role::Leading => "wants",
                Role::Following => "quotes",
                Role::Alone => {
                    if role.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            times += 1;
            let channel = self.key(channel);
            tokio::select! {
                changed = role.changed() => if changed.is_err() { return },
                () = self.hear(&channel, times) => tokio::time::sleep(LISTEN_PAUSE).await,
            }
            self.listening.store(0, Ordering::Release);
        }
    }

    /// Listens on a channel until the line breaks.
    async fn hear(&self, channel: &str, times: u64) {
        let connecting = async {
            let client = redis::Client::open(self.settings.redis_url.expose_secret())?;
            let mut line = client.get_async_pubsub().await?;
            line.subscribe(channel).await?;
            Ok::<_, redis::RedisError>(line.into_on_message())
        };
        let mut messages = match timeout(LISTEN_TIMEOUT, connecting).await {
            Ok(Ok(messages)) => messages,
            Ok(Err(error)) => return tracing::debug!(%error, "cannot listen to the other servers"),
            Err(_) => return,
        };
        if self.role() == Role::Following {
            self.hub.forget_numbers();
        }
        self.listening.store(times, Ordering::Release);
        self.hub.wanted_changed.notify_one();
        while let Some(message) = messages.next().await {
            let bytes = message.get_payload_bytes();
            match std::str::from_utf8(bytes) {
                Ok(text) if bytes.len() <= MESSAGE_SIZE_MAX => self.heed(text),
                _ => tracing::debug!("an unreadable message in the group"),
            }
        }
    }

    fn heed(&self, text: &str) {
        match self.role() {
            Role::Leading => {
                if let Ok(wish) = serde_json::from_str::<Wish>(text) {
                    let new = self.wants().take(wish, Instant::now());
                    if !new.is_empty() {
                        self.hub.tell_tap(&new);
                        self.hub.wanted_changed.notify_one();
                    }
                }
            }
            Role::Following => match read_quote(text) {
                Ok((quote, Some(place))) => self.hub.accept(quote, place, text),
                _ => {
                    if let Ok(Refusal { refused }) = serde_json::from_str(text) {
                        self.hub.refuse(refused);
                    }
                }
            },
            Role::Alone => {}
        }
    }
}

/// The lease, held or looked for.
pub(crate) struct Lease {
    group: Arc<Group>,
    election: Election,
}

impl Lease {
    async fn look(&mut self, is_first: bool) {
        let group = &self.group;
        let may_take = self.election.may_take(Instant::now(), is_first);
        let mut command = redis::cmd("EVAL");
        command.arg(TAKE).arg(1).arg(group.key("lease")).arg(&group.instance);
        command.arg(u64::try_from(LEASE_TIME.as_millis()).unwrap_or(u64::MAX)).arg(u8::from(may_take));
        let answer = match group.cache.call::<String>(&command).await {
            None => Answer::None,
            Some(holder) if holder == group.instance => Answer::Ours,
            Some(holder) if holder.is_empty() => Answer::Free,
            Some(_) => Answer::Theirs,
        };
        let (before, was_silent) = (group.role(), self.election.is_silent());
        let role = self.election.hear(answer, Instant::now());
        // Others may have given higher numbers meanwhile.
        if role.ingests() && (before != role || (was_silent && answer != Answer::None)) {
            group.hub.begin_numbers(Utc::now());
        }
        if before != role || is_first {
            tracing::info!(group = group.settings.name, ?role, "place in the group");
            group.role.send_replace(role);
            group.hub.wanted_changed.notify_one();
        }
    }

    /// Renews it, or looks for it, until stopped; then gives it back, so that another takes over at once.
    async fn keep(&mut self, stop: CancellationToken) {
        let mut clock = tokio::time::interval(LEASE_INTERVAL);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(clock.tick()).await.is_some() {
            self.look(false).await;
        }
        if self.election.role == Role::Leading {
            let mut command = redis::cmd("EVAL");
            command.arg(GIVE_BACK).arg(1).arg(self.group.key("lease")).arg(&self.group.instance);
            let _: Option<u64> = self.group.cache.call(&command).await;
        }
    }
}
