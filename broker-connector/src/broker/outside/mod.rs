//! What adapters for brokers outside of this house share: how the way of an account is told, how a request's fate is known,
//! how a stream is called again, and how often a broker may be asked. What a broker's words are, each adapter knows.

pub(super) mod bucket;
pub(super) mod failure;
pub(super) mod http;
pub(super) mod identity;
pub(super) mod look;
pub(super) mod sessions;
pub(super) mod socket;
pub(super) mod way;
