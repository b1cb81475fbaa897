//! What a login sets in a browser (RFC 6265bis): whether other hosts, scripts and sites are kept away from it.

use super::finding::{Finding, Findings, Verdict};
use crate::http::Answer;

/// Browsers ignore a cookie whose name and value are longer.
const LONGEST: usize = 4096;

/// Checks the answer to a login.
pub(crate) fn check(login: &Answer, https: bool, findings: &mut Findings) {
    let lines = login.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let set: Vec<&str> = lines.filter(|line| !name_of(line).1.is_empty()).collect();
    let mut wrong: Vec<Finding> = set.iter().flat_map(|line| judge(line, https)).collect();
    let body = login.json();
    if !set.is_empty()
        && ["access_token", "refresh_token", "state"]
            .iter()
            .any(|name| body[*name].as_str().is_some_and(|token| set.iter().any(|line| line.contains(token))))
    {
        wrong.push(fault(
            "a token stands in a cookie and in the body too".into(),
            "send each token one way only",
        ));
    }
    if !login.header("cache-control").is_some_and(|value| value.contains("no-store")) {
        wrong.push(fault(
            "the answer to a login may be stored by caches".into(),
            "send `Cache-Control: no-store` with it: see what stands before the server",
        ));
    }
    if wrong.is_empty() {
        let what = if set.is_empty() {
            "sets none, its tokens are in the body".into()
        } else {
            format!("sets {}", set.len())
        };
        findings.ok(
            "server.cookies",
            format!("a login {what}; other hosts, scripts, sites and caches are kept away"),
        );
    }
    for finding in wrong {
        findings.add(finding);
    }
}

fn fault(says: String, change: &str) -> Finding {
    Finding { check: "server.cookies", verdict: Verdict::Fault, says, change: Some(change.to_owned()) }
}

fn name_of(line: &str) -> (&str, &str) {
    let pair = line.split(';').next().unwrap_or_default();
    pair.split_once('=').map_or((pair, ""), |(name, value)| (name.trim(), value.trim()))
}

/// What is wrong with one `Set-Cookie` line. Without TLS, on the own machine, names and `Secure` are a warning.
fn judge(line: &str, https: bool) -> Vec<Finding> {
    let (name, value) = name_of(line);
    let attributes: Vec<String> =
        line.split(';').skip(1).map(|part| part.trim().to_ascii_lowercase()).collect();
    let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
    let mut wrong = Vec::new();
    let mut demand = |met: bool, verdict: Verdict, says: String, change: &str| {
        if !met {
            wrong.push(Finding { verdict, ..fault(says, change) });
        }
    };
    let on_tls = if https { Verdict::Fault } else { Verdict::Warning };
    let development = "leave out --dev-cookies wherever others can reach the server";
    demand(
        name.starts_with("__Host-"),
        on_tls,
        format!("sibling hosts can plant the cookie {name}: it has no prefix __Host-"),
        development,
    );
    demand(
        has("secure"),
        on_tls,
        format!("the cookie {name} travels without TLS too: it is not Secure"),
        development,
    );
    let tampered =
        "something between the server and here changes its cookies: let it pass them on as they are";
    demand(
        has("httponly"),
        Verdict::Fault,
        format!("scripts can read the cookie {name}: it is not HttpOnly"),
        tampered,
    );
    demand(
        has("path=/"),
        Verdict::Fault,
        format!("the cookie {name} is not of the whole host: it has no Path=/"),
        tampered,
    );
    let domain = attributes.iter().any(|attribute| attribute.starts_with("domain="));
    demand(
        !domain,
        Verdict::Fault,
        format!("the cookie {name} goes to sibling hosts: it has a Domain"),
        tampered,
    );
    let same_site = has("samesite=lax") || has("samesite=strict");
    demand(
        same_site,
        Verdict::Fault,
        format!("other sites can send the cookie {name}: it is neither SameSite Lax nor Strict"),
        tampered,
    );
    let strict = !name.ends_with("-refresh") || has("samesite=strict");
    demand(
        strict || !same_site,
        Verdict::Warning,
        format!("the refresh cookie {name} is not SameSite=Strict"),
        "leave out inline renewal unless the server renders pages",
    );
    let size = name.len() + value.len();
    demand(
        size <= LONGEST,
        Verdict::Fault,
        format!("browsers ignore the cookie {name}: it has {size} bytes"),
        "keep less in the session's data",
    );
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "__Host-session-refresh=abc; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Strict";

    #[test]
    fn a_good_cookie_has_nothing_wrong() {
        assert!(judge(GOOD, true).is_empty());
    }

    #[test]
    fn each_attribute_counts() {
        for (part, instead, told, verdict) in [
            ("__Host-", "", "no prefix", Verdict::Fault),
            (" Secure;", "", "not Secure", Verdict::Fault),
            (" HttpOnly;", "", "not HttpOnly", Verdict::Fault),
            (" Path=/;", " Path=/shop;", "no Path=/", Verdict::Fault),
            (" Path=/;", " Path=/; Domain=shop.example;", "has a Domain", Verdict::Fault),
            ("SameSite=Strict", "SameSite=None", "other sites", Verdict::Fault),
            ("SameSite=Strict", "SameSite=Lax", "not SameSite=Strict", Verdict::Warning),
        ] {
            let wrong = judge(&GOOD.replace(part, instead), true);
            assert!(wrong.len() == 1 && wrong[0].says.contains(told), "{instead}: {wrong:?}");
            assert_eq!(wrong[0].verdict, verdict, "{instead}");
        }
        let long = GOOD.replace("abc", &"x".repeat(4096));
        assert!(judge(&long, true)[0].says.contains("bytes"));
    }

    #[test]
    fn on_the_own_machine_development_cookies_are_a_warning() {
        let wrong = judge("session=abc; Path=/; HttpOnly; SameSite=Lax", false);
        assert_eq!(wrong.iter().map(|finding| finding.verdict).collect::<Vec<_>>(), [Verdict::Warning; 2]);
    }
}
