//! Cookies against a slow model, and the letter of what is set.

use std::time::Duration;

use http::header::COOKIE;
use proptest::collection::vec;
use proptest::prelude::*;

use super::write::TooLarge;
use super::*;

fn lines(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    headers
}

/// What a jar holds, as text: session, refresh, visit, then `tag.x=value` of each state.
fn shown(jar: &Jar<'_>) -> String {
    let states = jar.states.iter().map(|s| format!(" {}.{}={}", s.tag, s.exclusive, s.value));
    let one = |value: Option<&str>| value.unwrap_or("-").to_owned();
    [one(jar.session), " ".into(), one(jar.refresh), " ".into(), one(jar.visit)]
        .into_iter()
        .chain(states)
        .collect()
}

fn check(cookies: &[&str], expect: Result<&str, BadRequest>) {
    let headers = lines(cookies);
    let jar = Jar::read(&headers, &CookieNames::host_prefixed());
    assert_eq!(jar.as_ref().map(shown).map_err(|cause| *cause), expect.map(str::to_owned), "{cookies:?}");
}

const TWO: Result<&str, BadRequest> = Err(BadRequest::TwoCookies);

#[test]
fn our_cookies_are_found_among_others() {
    check(&[], Ok("- - -"));
    check(&["__Host-session=a"], Ok("a - -"));
    check(&["theme=dark; __Host-session=a; __Host-session-refresh=r; __Host-visit=v; x"], Ok("a r v"));
    check(&["__Host-session=a=b=="], Ok("a=b== - -"));
    check(&["theme=\u{fc}; __Host-session=a"], Ok("a - -"));
    check(&["theme=1; theme=2; __Host-session=a"], Ok("a - -"));
}

#[test]
fn all_lines_are_read() {
    check(&["__Host-session=a", "theme=dark", "__Host-session-refresh=r"], Ok("a r -"));
    check(&["__Host-session=a", "__Host-session=a"], TWO);
}

#[test]
fn names_are_compared_byte_by_byte() {
    check(&["__host-session=a; __HOST-session=b; __Host-Session=c"], Ok("- - -"));
    check(&["__Host-session2=a; x__Host-session=b; \"__Host-session\"=c"], Ok("- - -"));
    check(&["__Host-session=a; __host-session=b"], Ok("a - -"));
}

#[test]
fn only_space_and_tab_are_trimmed() {
    check(&[" \t__Host-session \t=\t a \t; "], Ok("a - -"));
    check(&["\u{a0}__Host-session=a"], Ok("- - -"));
    check(&["__Host-session=\u{a0}a"], Ok("\u{a0}a - -"));
}

#[test]
fn two_of_one_name_are_refused() {
    check(&["__Host-session=a; __Host-session=a"], TWO);
    check(&["__Host-session=a; __Host-session="], TWO);
    check(&["__Host-session-refresh=a; x=1; __Host-session-refresh=b"], TWO);
    check(&["__Host-visit=a", "__Host-visit=b"], TWO);
    check(&["__Host-state.abcdef.1=a; __Host-state.abcdef.1=b"], TWO);
    check(&["__Host-state.abcdef.1=a; __Host-state.abcdef.2=b"], Ok("- - - abcdef.1=a abcdef.2=b"));
}

#[test]
fn an_empty_cookie_is_no_cookie() {
    check(&["__Host-session=; __Host-session-refresh=; __Host-visit=; __Host-state.abcdef.0="], Ok("- - -"));
}

#[test]
fn state_cookies_have_one_form() {
    check(&["__Host-state.ab-_ef.0=s"], Ok("- - - ab-_ef.0=s"));
    check(&["__Host-state.abcdef.18446744073709551615=s"], Ok("- - - abcdef.18446744073709551615=s"));
    for malformed in [
        "__Host-state=s",
        "__Host-state.=s",
        "__Host-state.abcdef=s",
        "__Host-state.abcdef.=s",
        "__Host-state.abcdef.01=s",
        "__Host-state.abcdef.00=s",
        "__Host-state.abcdef.+1=s",
        "__Host-state.abcdef.-1=s",
        "__Host-state.abcdef.1.2=s",
        "__Host-state.abcdef.18446744073709551616=s",
        "__Host-state.abcde.1=s",
        "__Host-state.abcdefg.1=s",
        "__Host-state.abc+ef.1=s",
        "__Host-state.\u{fc}bcde.1=s",
        "__Host-stateabcdef.1=s",
    ] {
        check(&[malformed], Ok("- - -"));
        // What is no state cookie is somebody else's, however often it comes.
        check(&[malformed, malformed], Ok("- - -"));
    }
}

#[test]
fn many_state_cookies_are_all_read_and_compared() {
    let cookies: Vec<_> = (0..40).map(|x| format!("__Host-state.abcdef.{x}=s{x}")).collect();
    let mut headers = lines(&[&cookies.join("; ")]);
    let names = CookieNames::host_prefixed();
    let jar = Jar::read(&headers, &names).unwrap();
    assert!(jar.states.iter().map(|state| state.exclusive).eq(0..40));
    assert_eq!(jar.states.iter().nth(39).unwrap().name, "__Host-state.abcdef.39");

    headers.append(COOKIE, HeaderValue::from_static("__Host-state.abcdef.17=again"));
    assert_eq!(Jar::read(&headers, &names).err(), Some(BadRequest::TwoCookies));
}

#[test]
fn a_jar_knows_whether_a_browser_may_be_acting_for_someone() {
    let carries = |cookie: &str| {
        let headers = lines(&[cookie]);
        Jar::read(&headers, &CookieNames::host_prefixed()).unwrap().carries_session()
    };
    for ours in ["__Host-session=a", "__Host-session-refresh=a", "__Host-visit=a", "__Host-state.abcdef.0=a"]
    {
        assert!(carries(ours), "{ours}");
    }
    for other in ["", "theme=dark", "__Host-session=", "__Host-state.abcdef=a"] {
        assert!(!carries(other), "{other}");
    }
}

#[test]
fn development_names_have_no_prefix() {
    let names = CookieNames::for_development("shop").unwrap();
    let all = [&names.session, &names.refresh, &names.state_prefix, &names.visit];
    assert_eq!(all, ["shop", "shop-refresh", "shop-state", "shop-visit"]);
    assert!(!names.secure && CookieNames::host_prefixed().secure);
    assert_eq!(names.state("abcdef", 3), "shop-state.abcdef.3");
    for wrong in ["", "a b", "a;b", "a=b", "é", "a\n"] {
        assert_eq!(CookieNames::for_development(wrong), Err(InvalidCookieName), "{wrong:?}");
    }
}

fn check_stripped(cookies: &[&str], expect: &[&str]) {
    let mut headers = lines(cookies);
    headers.insert("x-other", HeaderValue::from_static("stays"));
    strip_refresh(&mut headers, &CookieNames::host_prefixed());
    assert!(headers.get_all(COOKIE).iter().eq(expect), "{cookies:?} became {headers:?}");
    assert_eq!(headers["x-other"], "stays");
}

#[test]
fn the_refresh_cookie_is_stripped() {
    check_stripped(&[], &[]);
    check_stripped(&["a=1; __Host-session=s"], &["a=1; __Host-session=s"]);
    check_stripped(&["__Host-session-refresh=r"], &[]);
    check_stripped(&["__Host-session-refresh=r; "], &[]);
    check_stripped(&["a=1; __Host-session-refresh=r; b=2"], &["a=1; b=2"]);
    check_stripped(&["a=1;b=2;\t__Host-session-refresh\t=r"], &["a=1; b=2"]);
    check_stripped(&["a=1;; __Host-session-refresh=r; "], &["a=1"]);
    check_stripped(&["a=1", "__Host-session-refresh=r", "b=2"], &["a=1", "b=2"]);
    check_stripped(&["__Host-session-refresh=r; __Host-session-refresh=r", "a"], &["a"]);
    check_stripped(&["__Host-session-refresh2=r"], &["__Host-session-refresh2=r"]);
}

#[test]
fn what_is_left_of_a_line_is_sensitive() {
    let mut headers = lines(&["__Host-session=a; __Host-session-refresh=r"]);
    strip_refresh(&mut headers, &CookieNames::host_prefixed());
    assert!(headers[COOKIE].is_sensitive());
}

#[test]
fn cookies_are_written_with_every_attribute() {
    let cookie =
        |max_age, same_site| SetCookie { name: "__Host-session", value: "a.b.c", max_age, same_site };
    let check = |cookie: SetCookie<'_>, secure, expect: &str| {
        let header = cookie.to_header(secure).unwrap();
        assert_eq!(header, expect);
        assert!(header.is_sensitive());
    };
    check(
        cookie(Some(Duration::from_mins(5)), SameSite::Lax),
        true,
        "__Host-session=a.b.c; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Lax",
    );
    check(
        cookie(None, SameSite::Strict),
        true,
        "__Host-session=a.b.c; Path=/; HttpOnly; Secure; SameSite=Strict",
    );
    check(cookie(None, SameSite::Lax), false, "__Host-session=a.b.c; Path=/; HttpOnly; SameSite=Lax");
    check(
        cookie(Some(Duration::MAX), SameSite::Lax),
        true,
        "__Host-session=a.b.c; Max-Age=34560000; Path=/; HttpOnly; Secure; SameSite=Lax",
    );
}

#[test]
fn a_deletion_repeats_the_attributes() {
    assert_eq!(
        delete("__Host-session", SameSite::Strict, true),
        "__Host-session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict"
    );
    assert_eq!(
        delete("session", SameSite::Lax, false),
        "session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    );
}

#[test]
fn a_cookie_that_browsers_would_ignore_is_an_error() {
    let with = |length| {
        let value = "v".repeat(length);
        SetCookie { name: "name", value: &value, max_age: None, same_site: SameSite::Lax }
            .to_header(true)
            .map(|_| ())
    };
    assert_eq!(with(4092), Ok(()));
    assert_eq!(with(4093), Err(TooLarge { size: 4097, limit: 4096 }));
}

#[test]
fn a_value_cannot_add_an_attribute() {
    let value = "a; Domain=attacker.test\r\nSet-Cookie: b";
    let header =
        SetCookie { name: "n", value, max_age: None, same_site: SameSite::Lax }.to_header(true).unwrap();
    assert_eq!(
        header,
        "n=a%3B%20Domain=attacker.test%0D%0ASet-Cookie:%20b; Path=/; HttpOnly; Secure; SameSite=Lax"
    );
}

/// Pieces from which cookie lines are thrown together: ours, nearly ours, and rubbish.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let ours = prop::sample::select(vec![
        &b"__Host-session"[..],
        b"__Host-session-refresh",
        b"__Host-visit",
        b"__Host-state.abcdef.0",
        b"__Host-state.abcdef.1",
        b"__Host-state.",
        b"=",
        b";",
        b"; ",
        b" ",
        b"\t",
        b"a",
    ]);
    prop_oneof![3 => ours.prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..4)]
}

fn any_headers() -> impl Strategy<Value = HeaderMap> {
    vec(vec(piece(), 0..12), 0..4).prop_map(|lines| {
        let values = lines.iter().filter_map(|pieces| HeaderValue::from_bytes(&pieces.concat()).ok());
        values.map(|value| (COOKIE, value)).collect()
    })
}

/// All pairs of all lines, read the slow and obvious way.
fn model(headers: &HeaderMap) -> Vec<(Vec<u8>, Vec<u8>)> {
    let joined: Vec<_> = headers.get_all(COOKIE).iter().map(|line| line.as_bytes().to_vec()).collect();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let trimmed = |bytes: &[u8]| {
        let start = bytes.iter().position(|byte| !is_blank(byte)).unwrap_or(bytes.len());
        let end = bytes.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
        bytes[start..end].to_vec()
    };
    let pairs = joined.join(&b';').split(|byte| *byte == b';').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let with_name = pairs.iter().filter(|pair| pair.contains(&b'='));
    with_name
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            (trimmed(halves.next().unwrap()), trimmed(halves.next().unwrap()))
        })
        .collect()
}

proptest! {
    #[test]
    fn any_bytes_are_read_as_the_model_reads_them(headers in any_headers()) {
        let pairs = model(&headers);
        let of = |name: &str| -> Vec<&[u8]> {
            pairs.iter().filter(|pair| pair.0 == name.as_bytes()).map(|pair| &pair.1[..]).collect()
        };
        let whole = ["__Host-session", "__Host-session-refresh", "__Host-visit"];
        let states = ["__Host-state.abcdef.0", "__Host-state.abcdef.1"];
        // Empty state cookies are nobody's, even twice.
        let filled = |name: &&str| of(name).iter().filter(|value| !value.is_empty()).count();
        let twins = whole.iter().any(|name| of(name).len() > 1) || states.iter().any(|name| filled(name) > 1);

        let jar = Jar::read(&headers, &CookieNames::host_prefixed());
        prop_assert_eq!(jar.is_err(), twins);
        if let Ok(jar) = jar {
            let found = [jar.session, jar.refresh, jar.visit];
            for (name, found) in whole.iter().zip(found) {
                let value = of(name).first().copied().filter(|value| !value.is_empty()).map(text);
                prop_assert_eq!(found, value);
            }
            prop_assert_eq!(jar.states.iter().count(), states.iter().map(filled).sum::<usize>());
        }
    }

    #[test]
    fn after_stripping_only_the_refresh_cookie_is_gone(headers in any_headers()) {
        let mut stripped = headers.clone();
        strip_refresh(&mut stripped, &CookieNames::host_prefixed());
        let mut expect = model(&headers);
        expect.retain(|pair| pair.0 != b"__Host-session-refresh");
        prop_assert_eq!(model(&stripped), expect);
    }
}
