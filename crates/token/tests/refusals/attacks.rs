//! The attack list as tokens: algorithms and keys, headers, claims, payloads, spellings, kinds. Signatures and seals
//! have files of their own.

use countersign_token::Algorithm;
use serde_json::{Value, json};

use crate::forge::{self, ISSUER, Signer, access_claims};
use crate::signatures::twin;

pub(crate) fn accepted() -> Vec<Value> {
    let mut list = List::default();
    for signer in forge::ALGORITHMS.map(Signer::new) {
        let header = |typ: &str| signer.header(typ);
        let claims = access_claims().to_string();
        let access =
            |list: &mut List, name: &str, token: String| list.add(&signer, name, "access", token, "live");
        access(&mut list, "plain", signer.sign(&header("at+jwt"), &claims));
        access(&mut list, "typ in another case", signer.sign(&header("AT+JWT"), &claims));
        access(&mut list, "typ with application/", signer.sign(&header("application/at+jwt"), &claims));
        access(
            &mut list,
            "white space in JSON",
            signer.sign(&header("at+jwt").replace(',', " ,\n "), &claims.replace("\":", "\" :\t")),
        );
        access(
            &mut list,
            "escapes in names",
            signer.sign(
                &header("at+jwt").replace("alg", "\\u0061lg"),
                &claims.replace("\"exp\"", "\"\\u0065xp\""),
            ),
        );
        for (name, changes) in [
            ("aud an array", json!({ "aud": ["https://api.example", ISSUER] })),
            ("exp fractional", json!({ "exp": 1_800_000_000.5 })),
            ("iat now", json!({ "iat": 1_800_000_000 })),
            ("a claim nobody knows", json!({ "role": { "of": ["buyer", 1, null, 1.5e3] } })),
            ("cnf.jkt", json!({ "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } })),
        ] {
            access(&mut list, name, signer.access_with(&changes));
        }
        let other = |list: &mut List, name, typ: &str, claims: Value| {
            list.add(&signer, name, name, signer.sign(&signer.header(typ), &claims.to_string()), "live");
        };
        other(&mut list, "refresh", "rt+jwt", forge::refresh_claims());
        other(&mut list, "signed state", "st+jwt", forge::state_claims());
    }
    let ed = Signer::new(Algorithm::EdDsa);
    let token = ed.sign(&ed.header("at+jwt").replace("EdDSA", "Ed25519"), &access_claims().to_string());
    list.add(&ed, "alg Ed25519 (RFC 9864)", "access", token, "live");
    let es = Signer::new(Algorithm::Es256);
    list.add(&es, "the twin of a signature", "access", twin(&es.access_with(&json!({}))), "live");
    list.good_seals();
    list.0
}

pub(crate) fn refused() -> Vec<Value> {
    let mut list = List::default();
    for signer in forge::ALGORITHMS.map(Signer::new) {
        list.headers(&signer);
        list.claims(&signer);
        list.payloads(&signer);
        list.spellings(&signer);
        list.signatures(&signer);
        list.kinds(&signer);
    }
    list.confused_keys();
    list.sealed();
    list.codes();
    list.0
}

#[derive(Default)]
pub(crate) struct List(Vec<Value>);

impl List {
    pub(crate) fn add(
        &mut self,
        signer: &Signer,
        name: &str,
        presented_as: &str,
        token: impl Into<String>,
        expect: &str,
    ) {
        let token: String = token.into();
        let algorithm = signer.algorithm.as_str();
        let name = format!("{algorithm}: {name}");
        self.0.push(
            json!({ "name": name, "ring": algorithm, "as": presented_as, "token": token, "expect": expect }),
        );
    }

    pub(crate) fn bad(&mut self, signer: &Signer, name: &str, token: impl Into<String>) {
        self.add(signer, name, "access", token, "invalid");
    }

    /// Correctly signed, with a header that is not ours.
    fn headers(&mut self, signer: &Signer) {
        let kid = &signer.kid;
        let claims = access_claims().to_string();
        let algs = [
            "none",
            "None",
            "NONE",
            "nOnE",
            "none ",
            "",
            "HS384",
            "ES384",
            "PS256",
            "RS256",
            "Ed448",
            "ML-DSA-44",
            "dir",
        ];
        for name in algs {
            let header = json!({ "alg": name, "typ": "at+jwt", "kid": kid }).to_string();
            self.bad(signer, &format!("alg {name:?}, signed"), signer.sign(&header, &claims));
            let bare = format!("{}.{}.", forge::encode(header.as_bytes()), forge::encode(claims.as_bytes()));
            self.bad(signer, &format!("alg {name:?}, no signature"), bare);
        }
        self.shapes(signer);
        self.members(signer);
        self.kids(signer);
    }

    fn shapes(&mut self, signer: &Signer) {
        let alg = signer.algorithm.as_str();
        let kid = &signer.kid;
        let claims = access_claims().to_string();
        for (name, header) in [
            ("alg null", format!(r#"{{"alg":null,"typ":"at+jwt","kid":"{kid}"}}"#)),
            ("alg missing", format!(r#"{{"typ":"at+jwt","kid":"{kid}"}}"#)),
            ("alg a number", format!(r#"{{"alg":1,"typ":"at+jwt","kid":"{kid}"}}"#)),
            ("alg an array", format!(r#"{{"alg":["{alg}"],"typ":"at+jwt","kid":"{kid}"}}"#)),
            ("alg twice", format!(r#"{{"alg":"{alg}","alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}"#)),
            (
                "alg twice, once escaped",
                format!(r#"{{"alg":"{alg}","\u0061lg":"none","typ":"at+jwt","kid":"{kid}"}}"#),
            ),
            ("typ missing", format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#)),
            ("kid missing", format!(r#"{{"alg":"{alg}","typ":"at+jwt"}}"#)),
            ("kid a number", format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":1}}"#)),
            ("kid an object", format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":{{}}}}"#)),
            ("an array", format!(r#"["{alg}"]"#)),
            ("null", "null".to_owned()),
            ("bytes after it", format!("{}{{}}", signer.header("at+jwt"))),
            ("a comment", signer.header("at+jwt").replace(',', "/**/,")),
            ("a byte order mark", format!("\u{feff}{}", signer.header("at+jwt"))),
        ] {
            self.bad(signer, &format!("header: {name}"), signer.sign(&header, &claims));
        }
    }

    fn members(&mut self, signer: &Signer) {
        let claims = access_claims().to_string();
        for member in [
            r#""crit":["exp"]"#,
            r#""crit":[]"#,
            r#""crit":"exp""#,
            r#""crit":["b64"],"b64":false"#,
            r#""b64":false"#,
            r#""b64":true"#,
            r#""jku":"http://169.254.169.254/""#,
            r#""x5u":"file:///etc/passwd""#,
            r#""x5c":["AAAA"]"#,
            r#""x5t":"AAAA""#,
            r#""jwk":{"kty":"oct","k":"AAAA"}"#,
            r#""zip":"DEF""#,
            r#""enc":"A256GCM""#,
            r#""p2c":2147483647"#,
            r#""cty":"JWT""#,
        ] {
            let header = signer.header("at+jwt").replacen('{', &format!("{{{member},"), 1);
            self.bad(signer, &format!("header has {member}"), signer.sign(&header, &claims));
        }
    }

    fn kids(&mut self, signer: &Signer) {
        let alg = signer.algorithm.as_str();
        let claims = access_claims().to_string();
        for kid in
            ["../../dev/null", "/proc/self/environ", "' OR 1=1 --", "*)(uid=*", "{{7*7}}", "\0", "a\r\nb", ""]
        {
            let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid }).to_string();
            self.bad(signer, &format!("kid {kid:?}"), signer.sign(&header, &claims));
        }
        let removed = json!({ "alg": alg, "typ": "at+jwt", "kid": "gone" }).to_string();
        self.add(
            signer,
            "a removed key, whoever signed",
            "access",
            signer.sign(&removed, &claims),
            "key removed",
        );
    }

    /// Correctly signed claims that are not good enough.
    fn claims(&mut self, signer: &Signer) {
        let claims = access_claims();
        for name in claims.as_object().unwrap().keys() {
            self.bad(signer, &format!("{name} missing"), signer.access_with(&json!({ name: null })));
            let text = claims.to_string();
            let value = claims[name].to_string();
            let member = format!("\"{name}\":{value}");
            let text_null = text.replacen(&member, &format!("\"{name}\":null"), 1);
            self.bad(signer, &format!("{name} null"), signer.sign(&signer.header("at+jwt"), &text_null));
            let twice = text.replacen(&member, &format!("{member},{member}"), 1);
            self.bad(signer, &format!("{name} twice"), signer.sign(&signer.header("at+jwt"), &twice));
            self.bad(signer, &format!("{name} an object"), signer.access_with(&json!({ name: { "a": 1 } })));
        }
        let numbers = [
            "-1",
            "-0",
            "\"4000000000\"",
            "[4000000000]",
            "1e400",
            "1e30",
            "9007199254740993",
            "9223372036854775808",
            "18446744073709551616",
            "253402300800",
            "NaN",
            "0x10",
            "04000000000",
            "4000000000.",
            "true",
        ];
        for number in numbers {
            let text = claims.to_string().replacen("4000000000", number, 1);
            self.bad(signer, &format!("exp {number}"), signer.sign(&signer.header("at+jwt"), &text));
        }
        for (name, changes, expect) in [
            ("exp is now", json!({ "exp": 1_800_000_000 }), "expired"),
            ("exp a moment ago", json!({ "exp": 1_799_999_999.9 }), "expired"),
            ("exp 0", json!({ "exp": 0 }), "expired"),
            ("iat in the future", json!({ "iat": 1_800_000_001 }), "foreign"),
            ("nbf", json!({ "nbf": 1 }), "invalid"),
            ("aud another", json!({ "aud": "https://shop.example.org" }), "foreign"),
            ("aud a prefix", json!({ "aud": "https://shop" }), "foreign"),
            ("aud with a slash", json!({ "aud": "https://shop.example/" }), "foreign"),
            ("aud in another case", json!({ "aud": "https://SHOP.example" }), "foreign"),
            ("aud empty", json!({ "aud": [] }), "foreign"),
            ("aud with a number", json!({ "aud": [ISSUER, 1] }), "invalid"),
            ("aud nested", json!({ "aud": [[ISSUER]] }), "invalid"),
            ("iss with a slash", json!({ "iss": "https://shop.example/" }), "foreign"),
            ("iss in another case", json!({ "iss": "HTTPS://shop.example" }), "foreign"),
            ("iss of a homograph", json!({ "iss": "https://shоp.example" }), "foreign"),
            ("sub a number", json!({ "sub": 1 }), "invalid"),
            ("sid in another spelling", json!({ "sid": "AQIDBAUGBwgJCgsMDQ4PEB" }), "invalid"),
            ("cnf of an unknown method", json!({ "cnf": { "x5t#S256": "AAAA" } }), "invalid"),
            ("cnf of two methods", json!({ "cnf": { "jkt": "A", "kid": "B" } }), "invalid"),
            ("seat neither true nor false", json!({ "seat": 0 }), "invalid"),
            ("born of three", json!({ "born": [1, 2, 3] }), "invalid"),
            ("ver negative", json!({ "ver": -1 }), "invalid"),
        ] {
            self.add(signer, name, "access", signer.access_with(&changes), expect);
        }
    }

    /// Correctly signed payloads that are no claims.
    fn payloads(&mut self, signer: &Signer) {
        let claims = access_claims().to_string();
        let with = |member: &str| claims.replacen('{', &format!("{{{member},"), 1);
        for (name, payload) in [
            ("an array", format!("[{claims}]")),
            ("a string", "\"claims\"".to_owned()),
            ("null", "null".to_owned()),
            ("empty", String::new()),
            ("bytes after it", format!("{claims}x")),
            ("two objects", format!("{claims}{claims}")),
            ("a comma too many", claims.replacen('}', ",}", 1)),
            ("a lone surrogate", with(r#""role":"\ud800""#)),
            ("a lone surrogate in a name", with(r#""\udc00":1"#)),
            ("a control character", with("\"role\":\"\u{1}\"")),
            ("a duplicate in a nested object", with(r#""role":{"a":[{"b":1,"b":2}]}"#)),
            ("an escaped duplicate in a nested object", with(r#""role":{"a":1,"\u0061":2}"#)),
            ("an escaped duplicate of exp", with(r#""\u0065xp":4000000001"#)),
            ("a duplicate of an unknown claim", with(r#""role":1,"role":1"#)),
            ("a number out of range", with(r#""role":1e400"#)),
            ("nested 128 deep", with(&format!("\"role\":{}{}", "[".repeat(128), "]".repeat(128)))),
            ("nested 1,000 deep, never closed", with(&format!("\"role\":{}", "[".repeat(1_000)))),
        ] {
            self.bad(signer, &format!("payload: {name}"), signer.sign(&signer.header("at+jwt"), &payload));
        }
        let latin = signer.sign_encoded(
            &forge::encode(signer.header("at+jwt").as_bytes()),
            &forge::encode(b"{\"sub\":\"\xe9\"}"),
        );
        self.bad(signer, "payload: not UTF-8", latin);
        let overlong = signer.sign_encoded(
            &forge::encode(signer.header("at+jwt").as_bytes()),
            &forge::encode(b"{\"sub\":\"\xc0\xaf\"}"),
        );
        self.bad(signer, "payload: overlong UTF-8", overlong);
        let utf16: Vec<u8> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16 =
            signer.sign_encoded(&forge::encode(signer.header("at+jwt").as_bytes()), &forge::encode(&utf16));
        self.bad(signer, "payload: UTF-16", utf16);
    }

    /// Other spellings of a good token.
    fn spellings(&mut self, signer: &Signer) {
        let good = signer.access_with(&json!({}));
        let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { unreachable!() };
        for (name, token) in [
            ("padding", format!("{good}=")),
            ("a space before", format!(" {good}")),
            ("a line break after", format!("{good}\n")),
            ("percent-encoded dots", good.replace('.', "%2E")),
            ("a dot before", format!(".{good}")),
            ("a dot after", format!("{good}.")),
            ("two parts", format!("{header}.{payload}")),
            ("four parts", format!("{good}.{signature}")),
            ("five parts", format!("{header}..{payload}.{payload}.{signature}")),
            ("no header", format!(".{payload}.{signature}")),
            ("no payload", format!("{header}..{signature}")),
            ("no signature", format!("{header}.{payload}.")),
            ("nothing", String::new()),
            ("dots", "..".to_owned()),
            ("a NUL", good.replacen('.', "\0.", 1)),
            (
                "flattened JSON",
                json!({ "protected": header, "payload": payload, "signature": signature }).to_string(),
            ),
            ("in quotes", format!("\"{good}\"")),
            ("the standard alphabet", format!("{header}.{payload}.{}", "+/".repeat(signature.len() / 2))),
        ] {
            self.bad(signer, &format!("spelling: {name}"), token);
        }
        let last = char::from(signature.as_bytes()[signature.len() - 1] + 1);
        let other = format!("{header}.{payload}.{}{last}", &signature[..signature.len() - 1]);
        self.bad(signer, "spelling: unused bits of the signature", other);
        self.0.push(json!({
            "name": format!("{}: a megabyte", signer.algorithm), "ring": signer.algorithm.as_str(), "as": "access",
            "token": "A.", "repeat": 1 << 19, "expect": "too long",
        }));
    }

    /// One kind for another, each correctly signed.
    fn kinds(&mut self, signer: &Signer) {
        let all = [
            ("access", "at+jwt", access_claims()),
            ("refresh", "rt+jwt", forge::refresh_claims()),
            ("signed state", "st+jwt", forge::state_claims()),
        ];
        for (kind, typ, claims) in &all {
            let token = signer.sign(&signer.header(typ), &claims.to_string());
            for presented_as in
                ["access", "refresh", "signed state", "sealed state"].iter().filter(|as_| *as_ != kind)
            {
                self.add(
                    signer,
                    &format!("{kind} as {presented_as}"),
                    presented_as,
                    token.clone(),
                    "invalid",
                );
            }
        }
        for typ in [
            "JWT",
            "jwt",
            "rt+jwt",
            "dpop+jwt",
            "logout+jwt",
            "secevent+jwt",
            "at+jwt; v=1",
            "at+jwt ",
            "text/at+jwt",
            "at",
            "",
        ] {
            let token = signer.sign(&signer.header(typ), &access_claims().to_string());
            self.bad(signer, &format!("typ {typ:?}"), token);
        }
        for (name, changes) in [
            ("of another session", json!({ "sid": "AAAAAAAAAAAAAAAAAAAAAA" })),
            ("of a visit", json!({ "sid": null })),
            ("of another issuer", json!({ "iss": "https://evil.example" })),
            ("for somebody else", json!({ "aud": "https://evil.example" })),
            ("expired", json!({ "exp": 1_800_000_000 })),
            ("without data", json!({ "data": null })),
            ("of an impossible version", json!({ "ver": [0] })),
        ] {
            let claims = forge::changed(forge::state_claims(), &changes).to_string();
            let token = signer.sign(&signer.header("st+jwt"), &claims);
            self.add(signer, &format!("signed state {name}"), "signed state", token, "invalid");
        }
    }
}
