//! Whether a session speaks of the account that was opened. A key can come to open another one: a paper account that was
//! begun anew at the broker has another number. Nothing of another account is read into ours, and nothing is sent to it.

use super::failure::Failure;
use crate::broker::KeyTrouble;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the broker has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Nothing in this conversation.
    Nothing,
    /// It is the account that was opened.
    Same,
    /// It is another one.
    Other,
}

#[derive(Debug)]
struct Meeting {
    said: Said,
    /// Grows with each conversation: what was said in one says nothing about the next.
    conversation: u64,
    /// How often the broker was asked.
    asked: u64,
}

/// The identity of the account behind a session.
#[derive(Debug)]
pub(in crate::broker) struct Identity {
    /// The broker's number of the account as it was opened.
    number: String,
    meeting: Mutex<Meeting>,
    /// Held while the broker is asked, so that it is asked once.
    asking: tokio::sync::Mutex<()>,
}

impl Identity {
    /// Of the account with this number, which the broker has not named yet.
    pub(in crate::broker) fn of(number: String) -> Self {
        let meeting = Mutex::new(Meeting { said: Said::Nothing, conversation: 0, asked: 0 });
        Self { number, meeting, asking: tokio::sync::Mutex::default() }
    }

    /// The number of the account that was opened.
    pub(in crate::broker) fn number(&self) -> &str {
        &self.number
    }

    fn meeting(&self) -> MutexGuard<'_, Meeting> {
        self.meeting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new conversation with the broker begins.
    pub(in crate::broker) fn meet_again(&self) {
        let mut meeting = self.meeting();
        meeting.said = Said::Nothing;
        meeting.conversation += 1;
    }

    /// The broker has named the account.
    pub(in crate::broker) fn named<R>(&self, number: &str) -> Result<(), Failure<R>> {
        let conversation = self.meeting().conversation;
        self.named_in(conversation, number)
    }

    fn named_in<R>(&self, conversation: u64, number: &str) -> Result<(), Failure<R>> {
        let is_same = number == self.number;
        let mut meeting = self.meeting();
        if meeting.conversation == conversation {
            meeting.said = if is_same { Said::Same } else { Said::Other };
        }
        if is_same { Ok(()) } else { Err(Failure::Locked(KeyTrouble::OtherAccount)) }
    }

    /// Whether it is the account that was opened; the broker is asked once in each conversation.
    ///
    /// # Errors
    /// [`KeyTrouble::OtherAccount`], or why the broker does not say.
    pub(in crate::broker) async fn confirm<R, F>(&self, ask: impl FnOnce() -> F) -> Result<(), Failure<R>>
    where
        F: Future<Output = Result<String, Failure<R>>>,
    {
        if let Some(known) = self.known() {
            return known;
        }
        let asked_before = self.meeting().asked;
        let _turn = self.asking.lock().await;
        if let Some(known) = self.known() {
            return known;
        }
        if self.meeting().asked > asked_before {
            // Who waited behind somebody that got no answer does not wait for another one.
            return Err(Failure::NotSent("the broker does not say whose account it is".into()));
        }
        let conversation = self.meeting().conversation;
        let number = ask().await;
        self.meeting().asked += 1;
        self.named_in(conversation, &number?)?;
        // What is said of the one conversation may not be true of the next.
        self.known().unwrap_or_else(|| Err(Failure::NotSent("the line was made anew meanwhile".into())))
    }

    fn known<R>(&self) -> Option<Result<(), Failure<R>>> {
        match self.meeting().said {
            Said::Nothing => None,
            Said::Same => Some(Ok(())),
            Said::Other => Some(Err(Failure::Locked(KeyTrouble::OtherAccount))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    type Answer = Result<(), Failure<()>>;

    async fn asked(identity: &Identity, number: &str) -> Answer {
        identity.confirm(|| async { Ok(number.to_owned()) }).await
    }

    fn other() -> Answer {
        Err(Failure::Locked(KeyTrouble::OtherAccount))
    }

    #[tokio::test]
    async fn the_broker_is_asked_once_in_each_conversation() {
        let identity = Identity::of("PA1".into());
        assert_eq!(asked(&identity, "PA1").await, Ok(()));
        assert_eq!(asked(&identity, "PA2").await, Ok(()), "nobody is asked again");
        identity.meet_again();
        assert_eq!(asked(&identity, "PA2").await, other());
        assert_eq!(asked(&identity, "PA1").await, other(), "it stays closed until the next conversation");
        identity.meet_again();
        assert_eq!(asked(&identity, "PA1").await, Ok(()));
    }

    #[tokio::test]
    async fn an_answer_that_says_nothing_opens_nothing() {
        let identity = Identity::of("PA1".into());
        let silent: Answer = identity.confirm(|| async { Err(Failure::Unknown("x".into())) }).await;
        assert_eq!(silent, Err(Failure::Unknown("x".into())));
        assert_eq!(asked(&identity, "PA1").await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn many_that_wait_for_a_silent_broker_wait_once() {
        let identity = Identity::of("PA1".into());
        let (began, questions) = (Instant::now(), AtomicU32::new(0));
        let silent = || async {
            questions.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_secs(8)).await;
            Err(Failure::Unknown("x".into()))
        };
        let answers: Vec<Answer> = join_all((0..100).map(|_| identity.confirm(silent))).await;
        assert_eq!((questions.load(Ordering::Relaxed), began.elapsed()), (1, Duration::from_secs(8)));
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(Failure::NotSent(_)))).count(), 99);
        assert_eq!(asked(&identity, "PA1").await, Ok(()), "who comes later asks again");
    }

    #[tokio::test]
    async fn what_was_said_before_a_line_was_made_anew_does_not_count() {
        let identity = Identity::of("PA1".into());
        let before: Answer = identity
            .confirm(|| async {
                identity.meet_again();
                Ok("PA1".to_owned())
            })
            .await;
        assert!(matches!(before, Err(Failure::NotSent(_))), "{before:?}");
        let named: Answer = identity.named("PA2");
        assert_eq!(named, other());
        assert_eq!(asked(&identity, "PA1").await, other());
    }
}
