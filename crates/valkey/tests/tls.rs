//! Encrypted connections: with the roots that the options name, a client's certificate, and a user of few rights.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::error::Error as _;

use countersign_registry::conformance;
use countersign_valkey::{OpenError, Options, ValkeyRegistry};
use support::{Engine, Server, USER, fresh_at, patient};

const ROOTS: &[u8] = include_bytes!("support/tls/roots.pem");
const CERTIFICATE: &[u8] = include_bytes!("support/tls/node.pem");
const KEY: &[u8] = include_bytes!("support/tls/node.key");

fn install() {
    // Another test of this process may have been quicker.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn known(options: Options) -> Options {
    options.root_certificates(ROOTS).client_certificate(CERTIFICATE, KEY)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_behind_tls_with_few_rights() {
    install();
    let server = Server::start_encrypted(Engine::Redis);
    server.allow_user().await;
    let url = format!("rediss://{USER}@localhost:{}", server.bus);
    conformance::run(async |clock| fresh_at(&url, known(patient()), clock).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_trusted_is_not_talked_to() {
    install();
    let server = Server::start_encrypted(Engine::Redis);
    let open = async |host: &str, options: Options| {
        let url = format!("rediss://{host}:{}", server.bus);
        ValkeyRegistry::connect_with(&url, options).await.map(drop)
    };
    open("127.0.0.1", known(patient())).await.unwrap();

    // By its certificate the server is not called so.
    let error = open("127.0.0.2", known(patient())).await.unwrap_err();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    // The operating system does not trust it.
    let error = open("localhost", patient().client_certificate(CERTIFICATE, KEY)).await.unwrap_err();
    assert!(matches!(error, OpenError::Unreachable { .. } | OpenError::Tls { .. }), "{error:?}");
    // It wants a certificate of ours.
    let error = open("localhost", patient().root_certificates(ROOTS)).await.unwrap_err();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    // It speaks no TLS on its other port.
    let url = format!("rediss://localhost:{}", server.port);
    let error = ValkeyRegistry::connect_with(&url, known(patient())).await.unwrap_err();
    assert!(error.source().is_some(), "{error:?}");
}

#[tokio::test]
async fn what_is_no_certificate_is_told_and_not_shown() {
    install();
    for (options, told) in [
        (Options::default().root_certificates("hunter2"), "a root certificate is no PEM"),
        (Options::default().client_certificate("hunter2", KEY), "our own certificate is no PEM"),
        (Options::default().client_certificate(CERTIFICATE, "hunter2"), "our own private key is no PEM"),
        (Options::default().client_certificate(ROOTS, KEY), "our own certificate cannot be used"),
    ] {
        let options = if told.starts_with("our") { options.root_certificates(ROOTS) } else { options };
        assert!(!format!("{options:?}").contains("hunter2"), "{options:?}");
        let error = ValkeyRegistry::connect_with("rediss://localhost:1", options).await.unwrap_err();
        assert!(matches!(&error, OpenError::Tls { why } if why.contains(told)), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
