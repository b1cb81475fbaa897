//! Whether a proof is for the URI of a request: the configured origin and the path, whatever `Host` says.

use std::fmt::Write as _;

use url::Url;

/// The URI of a request without its query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    /// As browsers write it.
    pub(super) origin: &'a str,
    /// As it came.
    pub(super) path: &'a str,
}

impl Target<'_> {
    /// Whether `htu` names this URI, both normalised by syntax and scheme (RFC 3986, sections 6.2.2 and 6.2.3). It
    /// has no query and no fragment (RFC 9449, section 4.2).
    pub(super) fn is(self, htu: &str) -> bool {
        if htu.strip_prefix(self.origin) == Some(self.path) {
            return true;
        }
        // What a URL parser would repair is not worth a guess.
        let plain = htu.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\?#".contains(&byte));
        let theirs = normal(htu).filter(|_| plain);
        theirs.is_some() && theirs == normal(&format!("{}{}", self.origin, self.path))
    }
}

/// An absolute http(s) URL in its normal form.
fn normal(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let bare =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    bare.then(|| format!("{}{}", url.origin().ascii_serialization(), normal_path(url.path())))
}

/// Percent-encodings in upper case, and none of what needs none.
fn normal_path(path: &str) -> String {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let byte = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                normal.push(char::from(byte));
                &after[2..]
            }
            Some(byte) => {
                // Writing to a String does not fail.
                let _ = write!(normal, "%{byte:02X}");
                &after[2..]
            }
            None => {
                normal.push('%');
                after
            }
        };
    }
    normal.push_str(rest);
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, htu: &str, expect: bool) {
        let target = Target { origin: "https://shop.example", path };
        assert_eq!(target.is(htu), expect, "{path:?} {htu:?}");
    }

    #[test]
    fn a_uri_has_many_spellings() {
        check("/session", "https://shop.example/session", true);
        check("/session", "HTTPS://Shop.Example:443/session", true);
        check("/session", "https://shop.example/a/../session", true);
        check("/session", "https://shop.example/./session", true);
        check("/session", "https://shop.example/%73ession", true);
        check("/", "https://shop.example", true);
        check("/", "https://shop.example/", true);
        check("/caf%C3%A9", "https://shop.example/caf%c3%a9", true);
        check("/%7ealice", "https://shop.example/~alice", true);
        check("/a%2Fb", "https://shop.example/a%2fb", true);
    }

    #[test]
    fn another_uri_is_another() {
        for htu in [
            "",
            "/session",
            "session",
            "//shop.example/session",
            "http://shop.example/session",
            "https://shop.example:8443/session",
            "https://shop.example.attacker.test/session",
            "https://attacker.test/session",
            "https://shop.example@attacker.test/session",
            "https://alice@shop.example/session",
            "https://shop.example/session/",
            "https://shop.example/Session",
            "https://shop.example/session?",
            "https://shop.example/session?a=b",
            "https://shop.example/session#a",
            "https://shop.example\\session",
            "https://shop.example/sess ion",
            " https://shop.example/session",
            "https://shop.example/session\n",
            "https://shop.example/se\tssion",
            "wss://shop.example/session",
            "https:shop.example/session/%zz",
        ] {
            check("/session", htu, false);
        }
        check("/a%2Fb", "https://shop.example/a/b", false);
        check("/a%", "https://shop.example/a%25", false);
    }
}
