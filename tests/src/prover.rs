//! A key that a client proves to hold (RFC 9449), and its proofs, right or wrong.
//!
//! Written on ring and base64 alone, so that it shares no mistake with the code under test.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::{Answer, Call, Client};

/// A P-256 key of a client's own, and the nonce that the server told it.
pub struct Prover {
    key: EcdsaKeyPair,
    /// What its proofs carry.
    pub nonce: Option<String>,
}

/// A proof that is not signed yet: a test changes what it likes.
pub struct Claimed {
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Prover {
    /// A fresh key.
    pub fn new() -> Self {
        let (random, scheme) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let key = EcdsaKeyPair::generate_pkcs8(scheme, &random).expect("randomness");
        let key = EcdsaKeyPair::from_pkcs8(scheme, key.as_ref(), &random).expect("its own key");
        Self { key, nonce: None }
    }

    /// Its RFC 7638 thumbprint.
    pub fn thumbprint(&self) -> String {
        let (x, y) = self.coordinates();
        hash(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#))
    }

    /// What an honest proof of this key says of a request; `token`: the access token that goes with it.
    pub fn claim(&self, client: &Client, method: &str, path: &str, token: Option<&str>) -> Claimed {
        let (x, y) = self.coordinates();
        let mut id = [0; 16];
        SystemRandom::new().fill(&mut id).expect("randomness");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970").as_secs();
        let path = path.split('?').next().unwrap_or_default();
        let mut claims = json!({
            "jti": URL_SAFE_NO_PAD.encode(id), "htm": method, "htu": format!("{}{path}", client.origin), "iat": now,
        });
        if let Some(nonce) = &self.nonce {
            claims["nonce"] = nonce.as_str().into();
        }
        if let Some(token) = token {
            claims["ath"] = hash(token).into();
        }
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        Claimed { header: json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }), claims }
    }

    /// Signs a proof, whatever it says.
    pub fn sign(&self, claimed: &Claimed) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&claimed.header), part(&claimed.claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The call with an honest proof, and with the client's access token if it has one and the call is no exchange.
    pub fn prove(&self, client: &Client, call: Call) -> Call {
        let exchange = ["/login", "/session/refresh", "/session/admit"].contains(&call.path.as_str());
        let token = client.tokens.access.as_deref().filter(|_| !exchange);
        let proof = self.sign(&self.claim(client, call.method.as_str(), &call.path, token));
        let call = call.header("dpop", proof);
        match token {
            Some(token) => call.header("authorization", format!("DPoP {token}")),
            None => call,
        }
    }

    /// Sends the call with a proof; once more if the server asks for its nonce.
    pub async fn send(&mut self, client: &mut Client, call: Call) -> Answer {
        let answer = client.send(self.prove(client, call.clone())).await;
        self.learn(&answer);
        if answer.code() != "use-dpop-nonce" {
            return answer;
        }
        let answer = client.send(self.prove(client, call)).await;
        self.learn(&answer);
        answer
    }

    /// Logs in with a proof.
    pub async fn login(&mut self, client: &mut Client, user: &str) -> Answer {
        self.send(client, crate::client::login(user)).await
    }

    /// Takes in the nonce that an answer tells.
    pub fn learn(&mut self, answer: &Answer) {
        if let Some(nonce) = answer.header("dpop-nonce") {
            self.nonce = Some(nonce.to_owned());
        }
    }

    fn coordinates(&self) -> (String, String) {
        let point = self.key.public_key().as_ref();
        (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]))
    }
}

impl Default for Prover {
    fn default() -> Self {
        Self::new()
    }
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}
