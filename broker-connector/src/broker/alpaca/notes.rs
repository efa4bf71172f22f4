//! What is written behind the answers of orders that Alpaca has taken: their numbers there, and their acknowledgements.
//!
//! An answer need not wait for it. Whatever cannot be written, or is lost with this process, is found in Alpaca's lists under
//! the id that the order bears, as the session is told after each writing.

use super::config::{NOTES_PAUSE, NOTES_WAITING_MAX};
use super::session::Session;
use crate::broker::records::Records;
use crate::journal::{Entry, Journal};
use domain::OrderId;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// What is to be written of one order.
pub(super) struct Note {
    pub(super) session: Arc<Session>,
    pub(super) order_id: OrderId,
    /// Its number at Alpaca.
    pub(super) broker_order_id: String,
    /// What the journal says of it.
    pub(super) entry: Option<Entry>,
}

/// The way to who writes.
pub(super) struct Notes(mpsc::Sender<Note>);

impl Notes {
    /// Starts who writes, until this is dropped.
    pub(super) fn start(records: Records, journal: Journal) -> Self {
        let (sender, receiver) = mpsc::channel(NOTES_WAITING_MAX);
        tokio::spawn(write_all(records, journal, receiver));
        Self(sender)
    }

    /// Hands a note over, as soon as there is room for it.
    pub(super) async fn write(&self, note: Note) {
        if let Err(lost) = self.0.send(note).await {
            lost.0.session.ring();
        }
    }
}

async fn write_all(records: Records, journal: Journal, mut receiver: mpsc::Receiver<Note>) {
    let mut notes = Vec::with_capacity(NOTES_WAITING_MAX);
    while let Some(first) = receiver.recv().await {
        notes.push(first);
        sleep(NOTES_PAUSE).await;
        while let Ok(note) = receiver.try_recv() {
            notes.push(note);
        }
        let numbers: Vec<(OrderId, String)> =
            notes.iter().map(|note| (note.order_id, note.broker_order_id.clone())).collect();
        let entries: Vec<Entry> = notes.iter_mut().filter_map(|note| note.entry.take()).collect();
        // Side by side, for each waits for the disk.
        let written = tokio::join!(records.all_numbered(&numbers), journal.append(super::NAME, &entries));
        if let Err(error) = written.0.and(written.1.map(|_| ())) {
            tracing::warn!(%error, orders = numbers.len(), "what Alpaca took is looked up in its lists later");
        }
        notes.drain(..).for_each(|note| note.session.ring_softly());
    }
}
