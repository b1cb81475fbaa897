//! A server that answers as docs/CONSOLE.md says, word by word the same each time, so that what the command makes of it
//! can be recorded. (Against the real one it runs in the black-box tests.)

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

const ALICE: &str = r#"{"id":"AQEBAQEBAQEBAQEBAQEBAQ","subject":"alice","tenant":null,"started_at":1000000000,"expires_at":1001209600,"idle_expires_at":1000090000,"access_expires_at":null,"auth_time":1000000000,"amr":["pwd","otp"],"current":false,"last_activity":1000003600,"dangling":true,"device":"\u001b[31mFirefox"}"#;
const ADMIN: &str = r#"{"id":"AgICAgICAgICAgICAgICAg","subject":"admin","tenant":"acme","started_at":1000000000,"expires_at":1001209600,"idle_expires_at":1000090000,"access_expires_at":1000003900,"auth_time":1000000000,"amr":["pwd"],"current":true,"last_activity":1000003600,"dangling":false,"device":null}"#;
const OVERVIEW: &str = r#"{"at":1000000000,"site":"https://shop.example","you":{"subject":"admin","session":"AgICAgICAgICAgICAgICAg"},"counts":{"sessions":12,"seats":9},"limits":{"user":{"seats":3,"on_full":"end-least-recent"},"tenant":null,"site":{"seats":10,"on_full":"refuse"}},"policy":{"access_ttl":300,"idle_timeout":86400,"lifetime":1209600,"dangling_after":1800,"fresh_for":300},"node":{"readiness":"ready","since":1000000000,"live_dropped":0},"refusals":{"limit":4,"forged":0}}"#;
const STORED: &str = r#"{"subject":"alice","tenant":null,"at":1000003600,"sessions":[{"id":"AQEBAQEBAQEBAQEBAQEBAQ","started_at":1000000000,"auth_time":1000000000,"methods":"pwd otp","device":"\u001b[31mFirefox","expires_at":1001209600,"last_activity":1000003600,"holds_seat":false,"gave_seat_up":true,"born":"3-4","refreshes":9,"exclusive_updates":0,"digests":[],"handed_off_from":null}],"entries":[{"what":"handed-over","session":"AQEBAQEBAQEBAQEBAQEBAQ","device":"Safari on iPhone","at":1000003600,"until":1000090000}],"console":{"records":[{"seq":18,"at":1000003600,"part":"person","what":"export-subject","stage":"begins","why":"she asked\u001b[2J"}],"unusual":[]},"audit":18}"#;
const ERASED: &str = r#"{"sessions":1,"remains":[{"what":"subject and tenant, in the feed","until":1000090000,"why":"nodes refuse their tokens by it"},{"what":"the host's logs","until":null,"why":"they are the host's\u001b[2J"}],"audit":20}"#;
const STATISTICS: &str = r#"{"step":3600,"at":1000000000,"points":[{"at":1000000000,"seats":7,"sessions":8,"logins":2,"refreshes":40,"refusals":0,"forged":0,"ends":{"logout":1}},{"at":1000003600,"seats":9,"sessions":12,"logins":5,"refreshes":61,"refusals":4,"forged":1,"ends":{"logout":1,"idle":2,"limit":0}}],"durations":[],"logins_per_day":[]}"#;
const LIVE: &str = "event: login\nid: 7\ndata: {\"seq\":7,\"at\":1000000000,\"kind\":\"login\",\"session\":\"AQEBAQEBAQEBAQEBAQEBAQ\",\"subject\":\"al\\u001bice\"}\n\n: keepalive\n\nevent: login-refused\nid: 8\ndata: {\"seq\":8,\"at\":1000000001,\"kind\":\"login-refused\",\"subject\":\"bob\",\"tenant\":\"acme\",\"scope\":\"site\",\"limit\":10}\n\nevent: dropped\ndata: {\"events\":3}\n\n";

/// Starts it for the rest of the test; answers its origin.
pub(crate) fn serve() -> String {
    serve_behind(|_, answer| answer)
}

/// The same behind something that changes its answers, of which it sees the path and the whole text.
pub(crate) fn serve_behind(change: impl Fn(&str, String) -> String + Send + Sync + 'static) -> String {
    let change = Arc::new(change);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let change = change.clone();
            std::thread::spawn(move || answer(stream, &*change));
        }
    });
    origin
}

/// The instants of the answers are of days ago, at half hours: what is told of their age is the same in each run.
fn at_half_hours(body: String) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (hour, half) = (3600, 1800);
    let started = now - 122 * hour - half;
    [
        ("1000000000", started),
        ("1000003600", now - 26 * hour - half),
        ("1000090000", now + 5 * hour + half),
        ("1001209600", started + 336 * hour),
    ]
    .iter()
    .fold(body, |body, (stands_for, at)| body.replace(stands_for, &at.to_string()))
}

struct Asked {
    line: String,
    head: String,
    body: String,
}

fn answer(mut stream: TcpStream, change: &dyn Fn(&str, String) -> String) {
    let Some(asked) = read(&stream) else { return };
    let (status, headers, body) = route(&asked);
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    let body = at_half_hours(body);
    let head = format!("HTTP/1.1 {status}\r\ndate: {date}\r\nconnection: close\r\n{headers}\r\n{body}");
    let path = asked.line.split([' ', '?']).nth(1).unwrap_or_default();
    drop(stream.write_all(change(path, head).as_bytes()));
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut head) = (String::new(), String::new());
    reader.read_line(&mut line).ok()?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        head.push_str(&header.to_ascii_lowercase());
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { line, head, body: String::from_utf8(body).ok()? })
}

type Answer = (&'static str, String, String);

fn json(body: impl Into<String>) -> Answer {
    ("200 OK", "content-type: application/json\r\ncache-control: no-store\r\n".to_owned(), body.into())
}

fn problem(status: &'static str, code: &str, detail: &str) -> Answer {
    let headers = "content-type: application/problem+json\r\ncache-control: no-store\r\nwww-authenticate: Bearer\r\n\
                   session-race-window: 60\r\n";
    (status, headers.to_owned(), format!(r#"{{"code":"{code}","title":"Refused","detail":"{detail}"}}"#))
}

fn route(asked: &Asked) -> Answer {
    let mut words = asked.line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    match (method, path) {
        ("POST", "/login") if asked.body.contains("correct horse") => login(),
        ("POST", "/login") => {
            problem("401 Unauthorized", "login-failed", "the name or the password is wrong")
        }
        ("POST", "/session/logout") => ("204 No Content", String::new(), String::new()),
        ("GET", "/session") => problem("401 Unauthorized", "not-authenticated", "no credential"),
        ("GET", "/readyz") => json("{}"),
        ("GET", "/.well-known/jwks.json") => {
            let headers = "content-type: application/json\r\ncache-control: public, max-age=300\r\n";
            ("200 OK", headers.to_owned(), r#"{"keys":[]}"#.to_owned())
        }
        _ => refused(asked).unwrap_or_else(|| console(method, path, target, &asked.body)),
    }
}

fn login() -> Answer {
    let mut answer = json(r#"{"session":{},"token_type":"Bearer","expires_in":300}"#);
    for (name, site) in [("__Host-session", "Lax"), ("__Host-session-refresh", "Strict")] {
        let cookie = format!("set-cookie: {name}=tok; Path=/; HttpOnly; Secure; SameSite={site}\r\n");
        answer.1 += &cookie;
    }
    answer
}

/// Who may not ask.
fn refused(asked: &Asked) -> Option<Answer> {
    let by_cookie =
        asked.head.contains("__host-session=tok") && asked.head.contains("sec-fetch-site: same-origin");
    let token = asked.head.lines().find_map(|line| line.strip_prefix("authorization: bearer "));
    match token.map(str::trim) {
        _ if by_cookie => None,
        Some("good") => None,
        Some("stale") => Some(problem("401 Unauthorized", "step-up-required", "log in again")),
        Some(_) => Some(problem("404 Not Found", "not-found", "there is nothing here")),
        None => Some(problem("401 Unauthorized", "not-authenticated", "no credential")),
    }
}

fn console(method: &str, path: &str, target: &str, body: &str) -> Answer {
    match (method, path) {
        ("GET", "/console/api/overview") => json(OVERVIEW),
        ("GET", "/console/api/statistics") => json(STATISTICS),
        ("GET", "/console/api/sessions") if target.contains("after=nonsense") => {
            problem("400 Bad Request", "bad-request", "after: not a cursor\\u001b[2J")
        }
        ("GET", "/console/api/sessions") if target.contains("after=") => {
            json(format!(r#"{{"sessions":[{ADMIN}],"next":null,"total":2,"at":1000003600}}"#))
        }
        ("GET", "/console/api/sessions") => {
            json(format!(r#"{{"sessions":[{ALICE}],"next":"Q2/U=","total":2,"at":1000003600}}"#))
        }
        ("GET", "/console/api/sessions/AQEBAQEBAQEBAQEBAQEBAQ") => json(format!(r#"{{"session":{ALICE}}}"#)),
        ("GET", path) if path.starts_with("/console/api/sessions/") => {
            json(r#"{"session":null,"ended":"idle"}"#)
        }
        ("POST", "/console/api/ends/preview") => {
            json(r#"{"sessions":3,"people":2,"seats":1,"includes_you":true}"#)
        }
        ("POST", "/console/api/ends") if body.contains("AQEBAQEBAQEBAQEBAQ399A") => {
            problem("503 Service Unavailable", "registry-unavailable", "try again")
        }
        ("POST", "/console/api/ends") if body.contains(r#""why":"left""#) => {
            json(r#"{"ended":3,"audit":17}"#)
        }
        ("POST", "/console/api/people/export") if body.contains(r#""why":"she asked""#) => json(STORED),
        ("POST", "/console/api/people/erase") if body.contains(r#""tenant":"acme""#) => {
            problem("503 Service Unavailable", "registry-unavailable", "try again")
        }
        ("POST", "/console/api/people/erase") if body.contains(r#""why":"she asked""#) => json(ERASED),
        ("GET", "/console/api/live") => {
            ("200 OK", "content-type: text/event-stream\r\n".to_owned(), LIVE.to_owned())
        }
        _ => problem("404 Not Found", "not-found", "no such path"),
    }
}
