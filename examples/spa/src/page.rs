//! The page's files, compiled into the server and served with an ETag under a strict content security policy.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use countersign::Transport;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::answer::HTML;

/// The files of the page.
pub(crate) struct Page {
    files: Vec<File>,
}

struct File {
    path: &'static str,
    content_type: &'static str,
    content: Bytes,
    etag: HeaderValue,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
pub(crate) const PICTURE: &str = "image/svg+xml";

/// The page's scripts by name, so that each is named once.
macro_rules! scripts {
    ($($name:literal),+ $(,)?) => {
        [$(File::new(concat!("/page/", $name), SCRIPT, include_str!(concat!("../page/", $name)))),+]
    };
}

impl Page {
    /// The page for a transport.
    pub(crate) fn new(transport: Transport) -> Self {
        let index = include_str!("../page/index.html").replace("{{transport}}", transport.as_str());
        let mut files = vec![
            File::new("/", HTML, index),
            File::new("/page/style.css", STYLE, include_str!("../page/style.css")),
            File::new("/page/icon.svg", PICTURE, include_str!("../page/icon.svg")),
        ];
        files.extend(scripts![
            "app.js",
            "ask.js",
            "call.js",
            "cart.js",
            "confirm.js",
            "devices.js",
            "dom.js",
            "expiry.js",
            "facts.js",
            "handoff.js",
            "login.js",
            "password.js",
            "redeem.js",
            "start.js",
            "ticks.js",
            "weather.js",
            "words.js",
        ]);
        Self { files }
    }

    /// Whether the page has a file of this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// The file of a path, or that it has not changed. [`None`]: there is none.
    pub(crate) fn file(&self, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        self.files.iter().find(|file| file.path == path).map(|file| file.to_response(headers))
    }
}

impl File {
    fn new(path: &'static str, content_type: &'static str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let etag = HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish()));
        Self { path, content_type, content, etag: etag.unwrap_or(HeaderValue::from_static("\"\"")) }
    }

    fn to_response(&self, headers: &HeaderMap) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        if self.is_known_to(headers) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = self.content.clone();
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(ETAG, self.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
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
        Page::new(Transport::Bearer)
    }

    #[test]
    fn the_page_knows_its_transport() {
        let index = page().file("/", &HeaderMap::new()).unwrap().into_body();
        let index = str::from_utf8(&index).unwrap();
        assert!(index.contains(r#"data-transport="bearer">"#));
        assert!(!index.contains("{{"));
    }

    #[test]
    fn every_file_that_the_page_names_is_there() {
        let page = page();
        for file in &page.files {
            let text = str::from_utf8(&file.content).unwrap();
            let absolute = text.split('"').filter(|word| word.starts_with("/page/")).map(ToOwned::to_owned);
            let imports = text.split(" from \"./").skip(1).filter_map(|rest| rest.split('"').next());
            for path in absolute.chain(imports.map(|name| format!("/page/{name}"))) {
                assert!(page.has(&path), "{} names {path}", file.path);
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/page");
        for file in std::fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(name == "index.html" || page().has(&format!("/page/{name}")), "{name}");
        }
    }

    #[test]
    fn nothing_is_inline() {
        let index = include_str!("../page/index.html");
        for inline in ["<style", "style=", "onclick=", "onload=", "onsubmit=", "javascript:"] {
            assert!(!index.contains(inline), "{inline}");
        }
        let scripts = index.match_indices("<script").map(|(at, _)| &index[at..]);
        assert!(scripts.into_iter().all(|script| script.starts_with("<script type=\"module\" src=")));
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let page = page();
        let etag = page.file("/page/app.js", &HeaderMap::new()).unwrap().headers()[ETAG].clone();
        let ask = |value: &str| {
            let value = HeaderValue::try_from(value).unwrap();
            page.file("/page/app.js", &HeaderMap::from_iter([(IF_NONE_MATCH, value)])).unwrap().status()
        };
        let etag = etag.to_str().unwrap();
        assert_eq!(ask(etag), StatusCode::NOT_MODIFIED);
        assert_eq!(ask(&format!("\"x\", W/{etag}")), StatusCode::NOT_MODIFIED);
        assert_eq!(ask("*"), StatusCode::NOT_MODIFIED);
        assert_eq!(ask("\"x\""), StatusCode::OK);
    }
}
