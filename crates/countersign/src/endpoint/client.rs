//! `GET /session/client.js` and `GET /session/dpop.js`: the client for browsers, built from `client/` and embedded.
//!
//! They are the same for everyone: no credential is read, so none can be in the way.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::body::OwnBody;
use crate::layer::Answer;

/// A module of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Module {
    /// The client.
    Client,
    /// Its proofs of possession (RFC 9449), which it loads where the site asks for them.
    Dpop,
}

impl Module {
    /// The module of a path below the prefix, where this build has it.
    pub(super) fn of(name: &str) -> Option<Self> {
        let module = match name {
            "client.js" => Self::Client,
            "dpop.js" => Self::Dpop,
            _ => return None,
        };
        cfg!(feature = "client").then_some(module)
    }

    fn text(self) -> &'static [u8] {
        TEXTS[self as usize]
    }

    fn tag(self) -> HeaderValue {
        static TAGS: LazyLock<[HeaderValue; 2]> =
            LazyLock::new(|| [tag(Module::Client.text()), tag(Module::Dpop.text())]);
        TAGS[self as usize].clone()
    }
}

#[cfg(feature = "client")]
const TEXTS: [&[u8]; 2] =
    [include_bytes!("../../client/dist/client.js"), include_bytes!("../../client/dist/dpop.js")];
#[cfg(not(feature = "client"))]
const TEXTS: [&[u8]; 2] = [&[], &[]];

/// What a page may ask for by name and keep for ever: `client.js?v=0.1.0`; a module's tag is such a name too. Any other
/// version is answered too, but kept under no name that is not its own.
const VERSION: &str = concat!("v=", env!("CARGO_PKG_VERSION"));

const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASKED_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

pub(super) fn serve(module: Module, parts: &Parts) -> Answer {
    let tag = module.tag();
    let mut answer = if holds(&parts.headers, &tag) {
        let mut unchanged = Response::new(OwnBody::default());
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        unchanged
    } else {
        let mut file = Response::new(OwnBody::from(Bytes::from_static(module.text())));
        file.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
        file
    };
    let by_name = parts.uri.query().is_some_and(|query| query == VERSION || names(query, &tag));
    answer.headers_mut().insert(CACHE_CONTROL, if by_name { KEPT } else { ASKED_AGAIN });
    answer.headers_mut().insert(ETAG, tag);
    answer
}

/// A strong validator: a hash of the content.
fn tag(text: &[u8]) -> HeaderValue {
    let hash = ring::digest::digest(&ring::digest::SHA256, text);
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
    HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether a query is `v=` and the tag: how one module asks for the other, whose content alone makes its name.
fn names(query: &str, tag: &HeaderValue) -> bool {
    let named = query.strip_prefix("v=").map(str::as_bytes);
    named.is_some() && named == tag.as_bytes().strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\""))
}

/// Whether the browser has this content already (RFC 9110, section 13.1.2: compared weakly).
fn holds(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).iter().map(HeaderValue::as_bytes);
    lines
        .flat_map(|line| line.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn ask(uri: &str, known: Option<&str>) -> Answer {
        let mut request = Request::get(uri);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        serve(Module::Client, &request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let tag = Module::Client.tag().to_str().unwrap().to_owned();
        let check = |known: &str, expect: u16| {
            let answer = ask("/session/client.js", Some(known));
            assert_eq!(
                (answer.status().as_u16(), answer.body().len() == Some(0)),
                (expect, expect == 304),
                "{known}"
            );
            assert_eq!(answer.headers()[ETAG], *tag, "{known}");
        };
        check(&tag, 304);
        check(&format!("W/{tag}"), 304);
        check(&format!("\"other\", {tag}"), 304);
        check("*", 304);
        check("\"other\"", 200);
        check(&tag[1..], 200);
    }

    #[test]
    fn only_this_version_is_kept_for_ever() {
        let check = |uri: String, expect: HeaderValue| {
            assert_eq!(ask(&uri, None).headers()[CACHE_CONTROL], expect, "{uri}");
        };
        check(format!("/session/client.js?{VERSION}"), KEPT);
        let tag = |module: Module| module.tag().to_str().unwrap().replace('"', "");
        check(format!("/session/client.js?v={}", tag(Module::Client)), KEPT);
        check(format!("/session/client.js?v={}", tag(Module::Dpop)), ASKED_AGAIN);
        check("/session/client.js".into(), ASKED_AGAIN);
        check("/session/client.js?v=".into(), ASKED_AGAIN);
        check("/session/client.js?v=999.0.0".into(), ASKED_AGAIN);
        check(format!("/session/client.js?x&{VERSION}"), ASKED_AGAIN);
    }

    #[test]
    fn the_client_asks_for_its_other_module_by_a_name_that_is_kept() {
        let client = str::from_utf8(Module::Client.text()).unwrap();
        let (_, named) = client.split_once("./dpop.js?").unwrap();
        let query = named.split('"').next().unwrap();
        let request = Request::get(format!("/session/dpop.js?{query}")).body(()).unwrap();
        let answer = serve(Module::Dpop, &request.into_parts().0);
        assert_eq!(answer.headers()[CACHE_CONTROL], KEPT, "{query}");
    }

    #[test]
    fn the_two_modules_have_tags_of_their_own_content() {
        for module in [Module::Client, Module::Dpop] {
            assert_eq!(module.tag(), tag(module.text()));
        }
    }
}
