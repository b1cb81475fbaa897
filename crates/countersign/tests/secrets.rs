//! A whole story, with everything that is traced, written down and counted recorded: no secret is in any of it.
//!
//! It is alone in its program, since what traces is the program's.

#![allow(clippy::unwrap_used, reason = "a test wants to know")]

#[allow(dead_code, reason = "other stories use the rest")]
#[path = "sessions/shop.rs"]
mod shop;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use countersign::testing::{Answer, Harness};
use countersign::{JsonLines, Limits, OnFull, Reaction, Thresholds, Transport};
use serde_json::{Value, json};
use tracing_subscriber::fmt::format::FmtSpan;

use shop::*;

/// Bytes that were written anywhere.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<u8>>>);

impl Write for Record {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Record {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Every secret that the story's browsers held.
#[derive(Default)]
struct Secrets(BTreeSet<String>);

impl Secrets {
    fn note(&mut self, tab: &Tab, answer: &Answer) {
        let in_body = ["choice", "code", "access_token", "refresh_token", "state"];
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        // `code` is a problem's name too, which is no secret.
        let in_body = in_body.iter().filter_map(|name| body[*name].as_str()).filter(|text| text.len() > 40);
        self.0.extend(tab.cookies().values().cloned().chain(in_body.map(str::to_owned)));
    }

    /// The parts of tokens that nobody but their holder may know: all but the header.
    fn parts(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .flat_map(|secret| secret.split('.').skip(usize::from(secret.contains('.'))))
            .filter(|part| part.len() > 15)
    }
}

const CANARY: &str = "canary-0123456789-0123456789";

async fn live(t: &Harness) -> Secrets {
    let mut secrets = Secrets::default();
    let mut alice = t.browser(shop()).with_header("idempotency-key", CANARY);
    macro_rules! step {
        ($tab:ident.$method:ident($($argument:expr),*)) => {{
            let answer = $tab.$method($($argument),*).await;
            secrets.note(&$tab, &answer);
            answer
        }};
    }
    step!(alice.post("/cart?coupon"));
    assert_eq!(step!(alice.post("/login/alice")).status, 200);
    step!(alice.post("/redeem?tea"));
    step!(alice.get("/cart"));
    let mut thief = alice.clone();
    let code = step!(alice.post("/session/handoff")).json::<Value>()["code"].clone();
    let mut phone = t.browser(shop());
    step!(phone.post_json("/session/handoff/redeem", &json!({ "code": code })));
    let of_phone =
        step!(phone.post_json("/session/handoff/redeem", &json!({ "code": code, "confirm": "alice" })));
    let of_phone = of_phone.json::<Value>()["session"]["id"].clone();
    let mut third = t.browser(shop());
    let full = step!(third.post("/login/alice"));
    check(&full, 429, "sessions-limit");
    let full: Value = full.json();
    // Two sessions that started at one moment have no order: the phone's is ended by its name.
    let form = json!({ "choice": full["choice"], "end": of_phone });
    assert_eq!(step!(third.post_json("/session/admit", &form)).status, 200);
    for _ in 0..2 {
        t.pass(2 * MINUTE).await;
        assert_eq!(step!(alice.post("/session/refresh")).status, 200);
    }
    check(&step!(thief.post("/session/refresh")), 401, "refresh-reused");
    let mut bob = t.browser(shop());
    step!(bob.post("/login/bob"));
    t.pass(2 * MINUTE).await;
    let mut elsewhere = bob.clone().with_header("user-agent", "curl/8.5.0");
    step!(elsewhere.post("/session/refresh"));
    step!(bob.post("/session/logout"));
    forge(t, &mut secrets).await;
    t.registry().fail_next(1);
    let mut carol = t.browser(shop());
    step!(carol.post("/login/carol"));
    t.sessions().as_administrator(countersign::Owner::new("admin")).end_everyone().await.unwrap();
    secrets
}

/// Canaries in every place where one could be sent.
async fn forge(t: &Harness, secrets: &mut Secrets) {
    for name in ["__Host-session", "__Host-session-refresh", "__Host-visit", "__Host-state.AAAAAA.0"] {
        let mut forger = t.browser(shop());
        forger.cookies_mut().insert(name.into(), CANARY.into());
        for path in ["/cart", "/lenient", "/session"] {
            let _ = forger.get(path).await;
        }
        let _ = forger.post("/session/refresh").await;
        let _ = forger.post("/session/logout").await;
    }
    for header in ["authorization", "session-state", "dpop"] {
        let mut forger = t.browser(shop()).with_header(header, &format!("Bearer {CANARY}"));
        let _ = forger.get(&format!("/session?access_token={CANARY}")).await;
        let _ = forger.post_json("/session/admit", &json!({ "choice": CANARY, "end": CANARY })).await;
        let _ = forger.post_json("/session/handoff/redeem", &json!({ "code": CANARY })).await;
        let _ = forger.delete(&format!("/session/{CANARY}")).await;
    }
    secrets.0.insert(CANARY.to_owned());
}

#[tokio::test]
async fn no_secret_is_traced_written_down_or_counted() {
    let (traced, written) = (Record::default(), Record::default());
    trace_to(traced.clone());
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _counted = metrics::set_default_local_recorder(&recorder);
    let lines = JsonLines::to(written.clone()).unwrap();
    let site = |transport| {
        Harness::with(|b| {
            b.transport(transport)
                .limits(Limits::none().per_user(2, OnFull::Ask))
                .on_event(lines.clone())
                .unusual_from(Thresholds { of_session: 3, of_node: 10, forged: 3 })
                .on_unusual(|_, _| Reaction::StepUp)
        })
    };
    let mut secrets = live(&site(Transport::Cookies)).await;
    for transport in [Transport::Bearer, Transport::Body] {
        let t = site(transport);
        let mut alice = t.browser(shop());
        let answer = alice.post("/login/alice").await;
        secrets.note(&alice, &answer);
        forge(&t, &mut secrets).await;
    }
    lines.flush();
    let (traced, written, counted) = (traced.text(), written.text(), recorder.handle().render());
    assert!(secrets.parts().count() > 30, "there is something to search for");
    for (place, text) in [("traces", &traced), ("lines", &written), ("metrics", &counted)] {
        for part in secrets.parts() {
            assert!(!text.contains(part), "{part} stands in the {place}:\n{text}");
        }
        // The id of a session has 22 letters, and may begin so by chance.
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        let token = words.find(|word| word.starts_with("eyJ") && word.len() != 22);
        assert_eq!(token, None, "a token stands in the {place}:\n{text}");
    }
    assert!(counted.contains("countersign_logins_total") && !counted.contains("alice"), "{counted}");
    has_all(&traced, &written);
}

/// Everything, at every level, from every thread.
fn trace_to(record: Record) {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || record.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
}

/// The story leaves traces and lines of all that it is made of: a search of nothing would find nothing.
fn has_all(traced: &str, written: &str) {
    for operation in ["admit", "rotate", "advance_version", "end", "feed", "once", "get"] {
        let span = format!("registry{{operation=\"{operation}\"");
        assert!(traced.contains(&span), "{span} is not in\n{traced}");
    }
    for endpoint in ["refresh", "logout", "handoff", "redeem", "admit", "session", "end-one"] {
        let span = format!("endpoint{{endpoint=\"{endpoint}\"");
        assert!(traced.contains(&span), "{span} is not in\n{traced}");
    }
    let events = [
        "started",
        "limit-reached",
        "refreshed",
        "refresh-reused",
        "ended",
        "ended-many",
        "handed-over",
        "refused",
        "unusual",
        "registry-failed",
    ];
    for event in events {
        assert!(
            traced.contains(&format!("countersign::event: event=\"{event}\"")),
            "{event} is not in\n{traced}"
        );
        assert!(written.contains(&format!("\"event\":\"{event}\"")), "{event} is not in\n{written}");
    }
}
