//! The page's files, compiled in and served with an ETag. They hold nothing of the site.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::answer::{self, Answer, HTML};

/// The files of the page.
pub(crate) struct Page {
    files: Vec<File>,
}

struct File {
    name: &'static str,
    content_type: &'static str,
    content: Bytes,
    etag: HeaderValue,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// The page's scripts by name, so that each is named once.
macro_rules! scripts {
    ($($name:literal),+ $(,)?) => {
        [$(File::new($name, SCRIPT, include_str!(concat!("../page/", $name)))),+]
    };
}

/// What the page has to know before it can ask.
pub(crate) struct Setting<'a> {
    /// Where the console is mounted.
    pub(crate) prefix: &'a str,
    /// Where the sessions' endpoints are.
    pub(crate) sessions: &'a str,
    /// Where a name and a password are posted to.
    pub(crate) login: &'a str,
}

impl Page {
    pub(crate) fn new(setting: &Setting<'_>) -> Self {
        let index = include_str!("../page/index.html")
            .replace("{{prefix}}", &quoted(setting.prefix))
            .replace("{{sessions}}", &quoted(setting.sessions))
            .replace("{{login}}", &quoted(setting.login));
        let mut files = vec![
            File::new("", HTML, index),
            File::new("style.css", STYLE, include_str!("../page/style.css")),
            File::new("parts.css", STYLE, include_str!("../page/parts.css")),
            File::new("icon.svg", PICTURE, include_str!("../page/icon.svg")),
        ];
        files.extend(scripts![
            "app.js",
            "audit.js",
            "chart.js",
            "confirm.js",
            "dom.js",
            "ends.js",
            "keys.js",
            "limits.js",
            "live.js",
            "login.js",
            "overview.js",
            "people.js",
            "seats.js",
            "server.js",
            "sessions.js",
            "start.js",
            "statistics.js",
            "unusual.js",
            "words.js",
        ]);
        Self { files }
    }

    /// The file of a name, or that it has not changed. [`None`]: there is none.
    pub(crate) fn file(&self, name: &str, headers: &HeaderMap) -> Option<Answer> {
        self.files.iter().find(|file| file.name == name).map(|file| file.to_answer(headers))
    }
}

/// What may stand between the quotes of an attribute.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

impl File {
    fn new(name: &'static str, content_type: &'static str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let etag = HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish()));
        Self { name, content_type, content, etag: etag.unwrap_or(HeaderValue::from_static("\"\"")) }
    }

    fn to_answer(&self, headers: &HeaderMap) -> Answer {
        let mut answer = Response::new(answer::full(Bytes::new()));
        if self.is_known_to(headers) {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *answer.body_mut() = answer::full(self.content.clone());
        }
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(ETAG, self.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    /// `If-None-Match` (RFC 9110, section 13.1.2), compared weakly.
    fn is_known_to(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(IF_NONE_MATCH).iter().map(HeaderValue::as_bytes);
        lines
            .flat_map(|line| line.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page::new(&Setting { prefix: "/a\"<&", sessions: "/session", login: "/login" })
    }

    #[test]
    fn every_file_that_the_page_names_is_there() {
        let page = page();
        let has = |name: &str| page.files.iter().any(|file| file.name == name);
        for file in &page.files {
            let text = str::from_utf8(&file.content).unwrap();
            let named = text.split('"').filter_map(|word| word.strip_prefix("page/"));
            let imports = text.split("\"./").skip(1).filter_map(|rest| rest.split('"').next());
            for name in named.chain(imports) {
                assert!(has(name), "{} names {name}", file.name);
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/page");
        for file in std::fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(name == "index.html" || page().file(&name, &HeaderMap::new()).is_some(), "{name}");
        }
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        for file in &page().files {
            let text = str::from_utf8(&file.content).unwrap();
            let not_ours = [
                "<style",
                " style=",
                "onclick=",
                "onload=",
                "javascript:",
                "innerHTML",
                "insertAdjacentHTML",
            ];
            for word in not_ours {
                assert!(!text.contains(word), "{} has {word}", file.name);
            }
            let elsewhere =
                text.match_indices("//").map(|(at, _)| &text[..at]).filter(|before| before.ends_with(':'));
            let allowed = text.matches("http://www.w3.org/2000/svg").count();
            assert_eq!(elsewhere.count(), allowed, "{} names another site", file.name);
        }
    }

    #[test]
    fn what_the_host_says_stays_an_attribute() {
        let index = page().files[0].content.clone();
        let index = str::from_utf8(&index).unwrap();
        assert!(index.contains(r#"data-prefix="/a&quot;&lt;&amp;""#) && !index.contains("{{"), "{index}");
    }
}
