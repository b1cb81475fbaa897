//! Who may log in: four people and their password hashes. A real site asks its user database here.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::thread::available_parallelism;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

/// A person who has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// The name they log in with.
    pub(crate) name: &'static str,
    /// Whether they run the site.
    pub(crate) role: Role,
}

/// What a person is to the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A customer.
    Customer,
    /// Someone who must get in even when the site is full.
    Administrator,
}

/// The people with an account, and nobody else: a fixed number.
pub(crate) struct People {
    hashes: RwLock<HashMap<&'static str, Cow<'static, str>>>,
    /// Hashing is heavy by intent; beyond one a core, logins wait in line.
    hashing: Semaphore,
}

const PEOPLE: [Person; 4] = [
    Person { name: "alice", role: Role::Customer },
    Person { name: "bob", role: Role::Customer },
    Person { name: "carol", role: Role::Customer },
    Person { name: "admin", role: Role::Administrator },
];

/// Whether this is the name of somebody who runs the site.
pub(crate) fn is_administrator(name: &str) -> bool {
    PEOPLE.iter().any(|person| person.name == name && person.role == Role::Administrator)
}

/// What a site's database would hold of them, all of a password that the README publishes: it protects nothing,
/// and so its hashes are cheaper than a real site's should be (OWASP: argon2id with 19 MiB, 2 passes).
const HASHES: [(&str, &str); 4] = [
    (
        "alice",
        "$argon2id$v=19$m=8192,t=1,p=1$jb1zAS39flEaBZKMkaG4Nw$za48iuJeCJ414cOVmDTGpx3xez+eematnxFm1364VzA",
    ),
    (
        "bob",
        "$argon2id$v=19$m=8192,t=1,p=1$g8TUiyfVogCBxjddXEg2/A$LxBQZl6adGLdhmdcJeU3oNAsjgEnoTyTfcSvTevjbpA",
    ),
    (
        "carol",
        "$argon2id$v=19$m=8192,t=1,p=1$n0+eMSPgv2193LzxIGgczQ$hx3xUAYYn7OJCBhayinTR1MWIHLVGx19jpRNqE9YCrk",
    ),
    (
        "admin",
        "$argon2id$v=19$m=8192,t=1,p=1$H/Yk0HkkP+I+rkMPzQUXGQ$12TXgbQAj2hxsg3DNJNrm9Z5eKh8D3sMCYiOc2/uJOo",
    ),
];
/// What a guess at an unknown name is compared with, so that it takes as long as any other.
const DECOY: &str =
    "$argon2id$v=19$m=8192,t=1,p=1$nbKjmKCTztG+EgBZqa5Kyw$i2Acf+DcqDklj3Ih3iqbFEt0mjs8rhlZQZyMjAMogMI";
const MEMORY_KIB: u32 = 8 * 1024;
const PASSES: u32 = 1;

impl People {
    /// Everyone, with the published password.
    pub(crate) fn new() -> Self {
        let hashes = HASHES.into_iter().map(|(name, hash)| (name, hash.into())).collect();
        let cores = available_parallelism().map_or(1, usize::from);
        Self { hashes: RwLock::new(hashes), hashing: Semaphore::new(cores) }
    }

    /// Waits for a turn to hash.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        // Nobody closes the semaphore, so there is always a permit to come.
        Turn { _permit: self.hashing.acquire().await.ok() }
    }

    /// The person of this name, if the password is theirs. Takes the same work whether the name is known or not.
    pub(crate) async fn verify(&self, _turn: Turn<'_>, name: &str, password: String) -> Option<Person> {
        let person = PEOPLE.iter().find(|person| person.name == name).copied();
        let stored = person.and_then(|person| self.hash_of(person)).unwrap_or(DECOY.into());
        let right = spawn_blocking(move || is_right(&password, &stored)).await.ok()?;
        person.filter(|_| right)
    }

    /// Gives a person another password.
    pub(crate) async fn change(&self, person: Person, password: String) -> Result<(), HashingError> {
        let _turn = self.turn().await;
        let new = spawn_blocking(move || hash(&password)).await.map_err(|_| HashingError)??;
        self.hashes.write().unwrap_or_else(PoisonError::into_inner).insert(person.name, new.into());
        Ok(())
    }

    fn hash_of(&self, person: Person) -> Option<Cow<'static, str>> {
        self.hashes.read().unwrap_or_else(PoisonError::into_inner).get(person.name).cloned()
    }
}

/// A turn to hash, which ends when it is dropped.
pub(crate) struct Turn<'a> {
    _permit: Option<SemaphorePermit<'a>>,
}

/// A password could not be hashed: the machine has no randomness or memory left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed")]
pub(crate) struct HashingError;

fn argon2() -> Result<Argon2<'static>, HashingError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|_| HashingError)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, HashingError> {
    let hash = argon2()?.hash_password(password.as_bytes()).map_err(|_| HashingError)?;
    Ok(hash.to_string())
}

fn is_right(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse";

    async fn verify(people: &People, name: &str, password: &str) -> Option<Role> {
        let turn = people.turn().await;
        people.verify(turn, name, password.to_owned()).await.map(|person| person.role)
    }

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let people = People::new();
        for person in PEOPLE {
            assert_eq!(verify(&people, person.name, PASSWORD).await, Some(person.role));
        }
        assert_eq!(verify(&people, "alice", "wrong horse").await, None);
        assert_eq!(verify(&people, "alice", "").await, None);
        assert_eq!(verify(&people, "mallory", PASSWORD).await, None);
        assert_eq!(verify(&people, "mallory", "nobody has this password").await, None);
    }

    #[test]
    fn a_guess_at_an_unknown_name_takes_the_same_work() {
        let new = hash("battery staple").unwrap();
        let work = |hash: &str| hash.rsplitn(3, '$').last().map(str::to_owned);
        for stored in HASHES.iter().map(|(_, hash)| *hash).chain([DECOY]) {
            assert_eq!(work(stored), work(&new));
        }
    }

    #[tokio::test]
    async fn a_changed_password_replaces_the_old_one() {
        let people = People::new();
        let alice = PEOPLE[0];
        people.change(alice, "battery staple".to_owned()).await.unwrap();
        assert_eq!(verify(&people, "alice", PASSWORD).await, None);
        assert_eq!(verify(&people, "alice", "battery staple").await, Some(Role::Customer));
        assert_eq!(verify(&people, "bob", PASSWORD).await, Some(Role::Customer));
    }
}
