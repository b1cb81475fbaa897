//! The one table of routes. The service finds its way by it, and tests make their list from it.

use countersign::Refusal;
use http::Method;

use crate::guard::Access;

/// A route, below the path where the console is mounted.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET` (then `HEAD`, too), `POST` or `PUT`.
    pub method: &'static str,
    /// Its path; `{id}` stands for one segment, whatever it is.
    pub path: &'static str,
    /// What it gives, and so whom it is for.
    pub access: Access,
    pub(crate) action: Action,
}

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    File,
    Overview,
    Sessions,
    Session,
    PreviewEnds,
    End,
    Seats,
    PreviewLimits,
    SetLimits,
    Statistics,
    Peaks,
    PeaksTable,
    Live,
    Unusual,
    Keys,
    RotateKeys,
    RemoveKey,
    ExportPerson,
    ErasePerson,
    Audit,
    ExportAudit,
}

/// Every route that there is.
pub const ROUTES: &[Route] = &[
    anyone("GET", "/", Action::File),
    anyone("GET", "/page/{id}", Action::File),
    look("GET", "/api/overview", Action::Overview),
    look("GET", "/api/sessions", Action::Sessions),
    look("GET", "/api/sessions/{id}", Action::Session),
    look("POST", "/api/ends/preview", Action::PreviewEnds),
    change("POST", "/api/ends", Action::End),
    look("GET", "/api/seats", Action::Seats),
    look("POST", "/api/limits/preview", Action::PreviewLimits),
    change("PUT", "/api/limits", Action::SetLimits),
    look("GET", "/api/statistics", Action::Statistics),
    look("GET", "/api/statistics/peaks", Action::Peaks),
    look("GET", "/api/statistics/peaks.csv", Action::PeaksTable),
    look("GET", "/api/live", Action::Live),
    look("GET", "/api/unusual", Action::Unusual),
    look("GET", "/api/keys", Action::Keys),
    change("POST", "/api/keys/rotate", Action::RotateKeys),
    change("POST", "/api/keys/remove", Action::RemoveKey),
    look("POST", "/api/people/export", Action::ExportPerson),
    change("POST", "/api/people/erase", Action::ErasePerson),
    look("GET", "/api/audit", Action::Audit),
    look("GET", "/api/audit/export", Action::ExportAudit),
];

const fn anyone(method: &'static str, path: &'static str, action: Action) -> Route {
    Route { method, path, access: Access::Anyone, action }
}

const fn look(method: &'static str, path: &'static str, action: Action) -> Route {
    Route { method, path, access: Access::Look, action }
}

const fn change(method: &'static str, path: &'static str, action: Action) -> Route {
    Route { method, path, access: Access::Change, action }
}

/// Finds the route of a request, and what stands for `{id}`.
///
/// # Errors
///
/// No such path, or not with this method.
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Result<(&'static Route, &'a str), Refusal> {
    let mut of_path = ROUTES.iter().filter_map(|route| Some((route, matched(route.path, path)?))).peekable();
    let (first, _) = of_path.peek().ok_or(Refusal::NotFound)?;
    let allow = if first.method == "GET" { "GET, HEAD" } else { first.method };
    let asked = if *method == Method::HEAD { "GET" } else { method.as_str() };
    of_path.find(|(route, _)| route.method == asked).ok_or(Refusal::MethodNotAllowed { allow })
}

/// What stands for `{id}`, or nothing, where the path is of this pattern.
fn matched<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    match pattern.strip_suffix("{id}") {
        None => (pattern == path).then_some(""),
        Some(start) => path.strip_prefix(start).filter(|id| !id.is_empty() && !id.contains('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expect: Result<(Action, &str), &str>) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let found = find(&method, path).map(|(route, id)| (route.action, id));
        assert_eq!(found.as_ref().map_err(Refusal::code).copied(), expect, "{method} {path}");
    }

    #[test]
    fn paths_lead_somewhere() {
        check("GET", "/", Ok((Action::File, "")));
        check("HEAD", "/page/app.js", Ok((Action::File, "app.js")));
        check("GET", "/api/sessions", Ok((Action::Sessions, "")));
        check("GET", "/api/sessions/AAAA", Ok((Action::Session, "AAAA")));
        check("POST", "/api/ends", Ok((Action::End, "")));
        check("GET", "/api/ends", Err("method-not-allowed"));
        check("POST", "/api/limits", Err("method-not-allowed"));
        check("DELETE", "/api/sessions/AAAA", Err("method-not-allowed"));
        check("GET", "/api/sessions/", Err("not-found"));
        check("GET", "/api/sessions/a/b", Err("not-found"));
        check("GET", "/api/", Err("not-found"));
        check("GET", "/page/", Err("not-found"));
    }

    #[test]
    fn each_path_has_one_method() {
        // `find` names the first one alone as allowed.
        let mut paths: Vec<_> = ROUTES.iter().map(|route| route.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), ROUTES.len());
    }

    #[test]
    fn what_changes_something_is_for_who_may_and_never_safe() {
        for route in ROUTES {
            assert!(route.access != Access::Change || route.method != "GET", "{}", route.path);
            assert_eq!(route.access == Access::Anyone, !route.path.starts_with("/api/"), "{}", route.path);
        }
    }
}
