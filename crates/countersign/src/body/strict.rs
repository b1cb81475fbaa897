//! JSON in which no object has two members of one name, at any depth: what different readers make of such an object,
//! they do not agree on.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::refusal::BadRequest;

/// Reads a `T`, and says what is wrong if there is none.
pub(super) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BadRequest> {
    match serde_json::from_slice::<NoTwins>(bytes) {
        Ok(NoTwins) => serde_json::from_slice(bytes).map_err(|_| BadRequest::WrongShape),
        Err(error) if error.is_data() => Err(BadRequest::TwoMembers),
        Err(_) => Err(BadRequest::NotJson),
    }
}

/// Any JSON without twins. It takes every type, so its only data error is a twin.
struct NoTwins;

impl<'de> Deserialize<'de> for NoTwins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = NoTwins;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<NoTwins, E> {
        Ok(NoTwins)
    }

    fn visit_bool<E>(self, _: bool) -> Result<NoTwins, E> {
        Ok(NoTwins)
    }

    fn visit_i64<E>(self, _: i64) -> Result<NoTwins, E> {
        Ok(NoTwins)
    }

    fn visit_u64<E>(self, _: u64) -> Result<NoTwins, E> {
        Ok(NoTwins)
    }

    fn visit_f64<E>(self, _: f64) -> Result<NoTwins, E> {
        Ok(NoTwins)
    }

    fn visit_str<E>(self, _: &str) -> Result<NoTwins, E> {
        Ok(NoTwins)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NoTwins, A::Error> {
        while items.next_element::<NoTwins>()?.is_some() {}
        Ok(NoTwins)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<NoTwins, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, NoTwins)) = members.next_entry::<String, NoTwins>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("two members of one name"));
            }
        }
        Ok(NoTwins)
    }
}
