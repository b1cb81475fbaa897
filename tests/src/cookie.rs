//! Cookies as a browser reads them: what a `Set-Cookie` line says, and the jar that obeys it.

use std::collections::BTreeMap;

/// A `Set-Cookie` line, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// `Max-Age`, in seconds.
    pub max_age: Option<i64>,
    /// All other attributes as they stand, in lower case, sorted.
    pub attributes: Vec<String>,
}

impl SetCookie {
    /// Reads a line.
    pub fn parse(line: &str) -> Self {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("name=value");
        let mut cookie = Self { name: name.into(), value: value.into(), ..Self::default() };
        for attribute in parts {
            match attribute.to_ascii_lowercase().strip_prefix("max-age=") {
                Some(age) => cookie.max_age = Some(age.parse().expect("Max-Age is a number")),
                None => cookie.attributes.push(attribute.to_ascii_lowercase()),
            }
        }
        cookie.attributes.sort();
        cookie
    }

    /// Whether this line deletes.
    pub fn deletes(&self) -> bool {
        self.max_age == Some(0)
    }

    /// Whether the attributes are exactly those of the contract, `Max-Age` aside.
    ///
    /// # Panics
    /// If they are not.
    pub fn assert_attributes(&self, same_site: &str) {
        let expect = ["httponly", "path=/", &format!("samesite={same_site}"), "secure"];
        assert_eq!(self.attributes, expect, "attributes of {}", self.name);
    }
}

/// A browser's cookies for one site. Time does not pass in it: a cookie stays until the server deletes it.
#[derive(Clone, Debug, Default)]
pub struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Obeys a `Set-Cookie` line.
    pub fn take(&mut self, cookie: &SetCookie) {
        if cookie.deletes() {
            self.0.remove(&cookie.name);
        } else {
            self.0.insert(cookie.name.clone(), cookie.value.clone());
        }
    }

    /// Plants a cookie.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Loses a cookie.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// The value of a cookie.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All names.
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The names that begin so.
    pub fn starting(&self, prefix: &str) -> Vec<String> {
        self.0.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }

    /// The `Cookie` line, unless there is nothing to say.
    pub fn line(&self) -> Option<String> {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}
