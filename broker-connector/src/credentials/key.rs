//! The key under which credentials lie in the database, and the lock it turns.
//!
//! XChaCha20-Poly1305: its nonces are long enough to be drawn at random. The account's id is bound in, so a row that is
//! copied to another account cannot be read there.

use super::Credentials;
use anyhow::{Context, anyhow, bail};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::AccountId;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Length of a key.
const KEY_BYTES: usize = 32;
/// Length of a nonce.
const NONCE_BYTES: usize = 24;
/// Rights that nobody but a key file's owner may have.
const RIGHTS_OF_OTHERS: u32 = 0o077;
/// What stands behind the name of the file of a key that is to take the place of the present one.
const NEXT_SUFFIX: &str = "next";

/// A key.
pub(super) type Key = SecretBox<[u8; KEY_BYTES]>;

/// Where the key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// 64 hexadecimal digits, and those of the key that is to take their place while keys are changed.
    Digits {
        /// The present one.
        present: SecretString,
        /// The one that takes its place.
        next: Option<SecretString>,
    },
    /// A file with 64 hexadecimal digits that nobody but its owner may read.
    File(PathBuf),
}

impl KeySource {
    /// All keys that rows may lie under; new ones are sealed with the last, which stays when keys are changed.
    pub(super) fn keys(&self) -> anyhow::Result<Vec<Key>> {
        match self {
            Self::Digits { present, next } => {
                let present = read_digits(present.expose_secret()).context("GAEMI_BROKER_KEY")?;
                let next = next.as_ref().map(|next| read_digits(next.expose_secret()));
                let next = next.transpose().context("GAEMI_BROKER_KEY_NEXT")?;
                Ok(std::iter::once(present).chain(next).collect())
            }
            Self::File(path) => {
                let next = next_of(path);
                let mut keys = vec![read_file(path)?];
                if next.exists() {
                    keys.push(read_file(&next)?);
                }
                Ok(keys)
            }
        }
    }
}

/// Where the key waits that is to take the place of the one in a file.
pub(super) fn next_of(path: &Path) -> PathBuf {
    path.with_added_extension(NEXT_SUFFIX)
}

fn read_digits(text: &str) -> anyhow::Result<Key> {
    let wrong = || anyhow!("must be {} hexadecimal digits", 2 * KEY_BYTES);
    let digits = text.trim().as_bytes();
    if digits.len() != 2 * KEY_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    let mut key = Box::new([0; KEY_BYTES]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(SecretBox::new(key))
}

fn read_file(path: &Path) -> anyhow::Result<Key> {
    let name = path.display();
    let rights =
        std::fs::metadata(path).with_context(|| format!("the key file {name}"))?.permissions().mode();
    if rights & RIGHTS_OF_OTHERS != 0 {
        bail!("others than its owner may read the key file {name}: its mode must be 0600");
    }
    let text =
        SecretString::from(std::fs::read_to_string(path).with_context(|| format!("the key file {name}"))?);
    read_digits(text.expose_secret()).with_context(|| format!("the key file {name}"))
}

/// Makes a key and writes it into a new file that nobody but its owner may read, durably.
pub(super) fn make_file(path: &Path) -> anyhow::Result<Key> {
    use std::io::Write;
    let mut key = Box::new([0; KEY_BYTES]);
    getrandom::fill(key.as_mut_slice()).map_err(|error| anyhow!("no randomness: {error}"))?;
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("the key file {}", path.display()))?;
    file.write_all(digits.as_bytes())?;
    file.sync_all()?;
    Ok(SecretBox::new(key))
}

/// Seals and opens. The source is read again each time, so that keys can be changed under a running process.
#[derive(Debug, Clone)]
pub(crate) struct Vault(Option<KeySource>);

impl Vault {
    /// With the key of a source; without one nothing is taken.
    pub(crate) const fn new(source: Option<KeySource>) -> Self {
        Self(source)
    }

    /// Checks at the start what would fail later.
    ///
    /// # Errors
    /// What is wrong with the key.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.0.as_ref().map_or(Ok(()), |source| source.keys().map(|_| ()))
    }

    fn keys(&self) -> anyhow::Result<Vec<Key>> {
        let source = self.0.as_ref();
        source.context("no key for credentials is set: GAEMI_BROKER_KEY or GAEMI_BROKER_KEY_FILE")?.keys()
    }

    /// Nonce and ciphertext.
    ///
    /// # Errors
    /// Without a key, or without randomness.
    pub(crate) fn seal(&self, credentials: &Credentials, owner: AccountId) -> anyhow::Result<Vec<u8>> {
        let keys = self.keys()?;
        seal(keys.last().context("no key")?, credentials, owner)
    }

    /// Whether sealed credentials lie under the key that stays when keys are changed. Those that were sealed before a change
    /// and written after it do not, and nothing opens them any more.
    pub(crate) fn is_lasting(&self, sealed: &[u8], owner: AccountId) -> bool {
        self.keys().is_ok_and(|keys| {
            keys.last().is_some_and(|last| open(std::slice::from_ref(last), sealed, owner).is_ok())
        })
    }

    /// The credentials again.
    ///
    /// # Errors
    /// When they were sealed with another key or for another account.
    pub(crate) fn open(&self, sealed: &[u8], owner: AccountId) -> anyhow::Result<Credentials> {
        open(&self.keys()?, sealed, owner)
    }
}

pub(super) fn seal(key: &Key, credentials: &Credentials, owner: AccountId) -> anyhow::Result<Vec<u8>> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|error| anyhow!("no randomness: {error}"))?;
    let text = credentials.to_text();
    let payload = Payload { msg: text.expose_secret().as_bytes(), aad: owner.0.as_bytes() };
    let sealed = XChaCha20Poly1305::new(key.expose_secret().into())
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| anyhow!("credentials cannot be sealed"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

pub(super) fn open(keys: &[Key], sealed: &[u8], owner: AccountId) -> anyhow::Result<Credentials> {
    let (nonce, text) =
        sealed.split_first_chunk::<NONCE_BYTES>().context("stored credentials are damaged")?;
    let nonce = XNonce::from(*nonce);
    let opened = keys.iter().find_map(|key| {
        let payload = Payload { msg: text, aad: owner.0.as_bytes() };
        XChaCha20Poly1305::new(key.expose_secret().into()).decrypt(&nonce, payload).ok()
    });
    let opened = opened.context("stored credentials cannot be read with the key that is set")?;
    let text = SecretString::from(String::from_utf8(opened)?);
    Credentials::from_text(text.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::super::Environment;
    use super::*;

    fn credentials() -> Credentials {
        Credentials { environment: Environment::Live, key_id: "AKTEST".into(), secret_key: "hunter2".into() }
    }

    fn vault(digit: &str, next: Option<&str>) -> Vault {
        let digits = |digit: &str| SecretString::from(digit.repeat(64));
        Vault::new(Some(KeySource::Digits { present: digits(digit), next: next.map(digits) }))
    }

    #[test]
    fn what_was_sealed_is_opened_for_its_owner_alone() {
        let (owner, vault) = (AccountId::generate(), vault("a", None));
        let sealed = vault.seal(&credentials(), owner).unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
        assert_eq!(vault.open(&sealed, owner).unwrap().secret_key.expose_secret(), "hunter2");
        assert!(vault.open(&sealed, AccountId::generate()).is_err());
        assert!(vault.open(sealed.get(..10).unwrap(), owner).is_err());
        assert_ne!(sealed, vault.seal(&credentials(), owner).unwrap(), "every sealing has its own nonce");
    }

    #[test]
    fn another_key_opens_nothing_and_the_next_one_opens_while_keys_are_changed() {
        let owner = AccountId::generate();
        let sealed = vault("b", None).seal(&credentials(), owner).unwrap();
        assert!(vault("a", None).open(&sealed, owner).is_err());
        assert!(vault("a", Some("b")).open(&sealed, owner).is_ok());
    }

    #[test]
    fn while_keys_are_changed_the_next_one_seals() {
        let owner = AccountId::generate();
        let sealed = vault("a", Some("b")).seal(&credentials(), owner).unwrap();
        assert!(vault("b", None).open(&sealed, owner).is_ok());
        assert!(vault("a", Some("b")).is_lasting(&sealed, owner));
        let before = vault("a", None).seal(&credentials(), owner).unwrap();
        assert!(vault("a", None).is_lasting(&before, owner));
        assert!(!vault("a", Some("b")).is_lasting(&before, owner), "it is opened, and not for long");
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_without_a_key_nothing_is_taken() {
        assert!(vault("g", None).check().is_err());
        assert!(Vault::new(None).check().is_ok());
        let refused = Vault::new(None).seal(&credentials(), AccountId::generate()).unwrap_err();
        assert!(refused.to_string().contains("GAEMI_BROKER_KEY"), "{refused}");
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let folder = std::env::temp_dir().join(format!("gaemi-key-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("broker.key");
        make_file(&path).unwrap();
        let vault = Vault::new(Some(KeySource::File(path.clone())));
        assert!(vault.check().is_ok());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(vault.check().unwrap_err().to_string().contains("0600"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
