//! A client that holds a key, and proves it (RFC 9449).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::testing::{Answer, ORIGIN};
use countersign::{Clock as _, ManualClock};
use http::Method;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::shop::Tab;

/// A key, and the tokens that were given for it.
pub(crate) struct Prover {
    key: Key,
    clock: ManualClock,
    pub(crate) nonce: String,
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

enum Key {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Prover {
    pub(crate) fn es256(clock: &ManualClock) -> Self {
        let random = SystemRandom::new();
        let scheme = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
        Self::of(Key::Es256(EcdsaKeyPair::from_pkcs8(scheme, key.as_ref(), &random).unwrap()), clock)
    }

    pub(crate) fn ed25519(clock: &ManualClock) -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::of(Key::Ed25519(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap()), clock)
    }

    fn of(key: Key, clock: &ManualClock) -> Self {
        let clock = clock.clone();
        Self { key, clock, nonce: String::new(), access: String::new(), refresh: None }
    }

    /// The public key, as a JWK.
    fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.key {
            Key::Es256(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "crv": "P-256", "kty": "EC", "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
            Key::Ed25519(pair) => {
                json!({ "crv": "Ed25519", "kty": "OKP", "x": text(pair.public_key().as_ref()) })
            }
        }
    }

    /// Its RFC 7638 thumbprint: the members of the key sorted by name, as `serde_json` writes them.
    pub(crate) fn thumbprint(&self) -> String {
        hash(&self.jwk().to_string())
    }

    /// A proof for a request, with an id that no other has.
    pub(crate) fn prove(&self, method: &str, path: &str, token: Option<&str>) -> String {
        let mut id = [0; 16];
        SystemRandom::new().fill(&mut id).unwrap();
        let mut claims = json!({
            "jti": URL_SAFE_NO_PAD.encode(id), "htm": method, "htu": format!("{ORIGIN}{path}"),
            "iat": self.clock.now().as_secs(), "nonce": self.nonce,
        });
        if let Some(token) = token {
            claims["ath"] = hash(token).into();
        }
        self.sign(&claims)
    }

    /// A proof that claims this.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let alg = match &self.key {
            Key::Es256(_) => "ES256",
            Key::Ed25519(_) => "EdDSA",
        };
        let header = json!({ "typ": "dpop+jwt", "alg": alg, "jwk": self.jwk() });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = match &self.key {
            Key::Es256(pair) => pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec(),
            Key::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Takes in what an answer tells: tokens and nonce.
    pub(crate) fn receive(&mut self, answer: &Answer) {
        if let Some(nonce) = answer.headers.get("dpop-nonce") {
            nonce.to_str().unwrap().clone_into(&mut self.nonce);
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if let Some(access) = body["access_token"].as_str() {
            access.clone_into(&mut self.access);
        }
        self.refresh = body["refresh_token"].as_str().map(str::to_owned).or(self.refresh.take());
    }

    /// Sends a request with the access token and a proof.
    pub(crate) async fn send(&mut self, tab: &mut Tab, method: Method, path: &str) -> Answer {
        let proof = self.prove(method.as_str(), path, Some(&self.access));
        let answer = with_token(tab, "DPoP", &self.access, Some(&proof)).send_only(method, path, None).await;
        self.receive(&answer);
        answer
    }

    pub(crate) async fn get(&mut self, tab: &mut Tab, path: &str) -> Answer {
        self.send(tab, Method::GET, path).await
    }

    /// Sends a request with a proof and no access token: a login, a refresh.
    pub(crate) async fn exchange(&mut self, tab: &mut Tab, path: &str, body: Option<&Value>) -> Answer {
        let proof = self.prove("POST", path, None);
        let body = body.map(|body| body.to_string().into());
        let answer = tab.clone().with_header("dpop", &proof).send_only(Method::POST, path, body).await;
        tab.receive(&answer);
        self.receive(&answer);
        answer
    }

    /// Logs in, as a client does that knows no nonce yet.
    pub(crate) async fn log_in(&mut self, tab: &mut Tab, user: &str) -> Answer {
        let path = format!("/login/{user}");
        let answer = self.exchange(tab, &path, None).await;
        if answer.code() == "use-dpop-nonce" { self.exchange(tab, &path, None).await } else { answer }
    }

    /// Refreshes, wherever the refresh token travels.
    pub(crate) async fn refresh(&mut self, tab: &mut Tab) -> Answer {
        let form = self.refresh.as_ref().map(|token| json!({ "refresh_token": token }));
        self.exchange(tab, "/session/refresh", form.as_ref()).await
    }
}

/// A copy of the browser that sends this token.
pub(crate) fn with_token(tab: &Tab, scheme: &str, token: &str, proof: Option<&str>) -> Tab {
    let tab = tab.clone().with_header("authorization", &format!("{scheme} {token}"));
    match proof {
        Some(proof) => tab.with_header("dpop", proof),
        None => tab,
    }
}

/// The claims of a token.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

pub(crate) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}
