//! A process without a cryptography for TLS is told so. (A process of its own: others here install one.)
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use countersign_valkey::{OpenError, ValkeyRegistry};

#[tokio::test]
async fn a_host_that_installed_no_cryptography_is_told() {
    for url in ["rediss://localhost:1", "rediss+cluster://localhost:1", "rediss+sentinel://localhost:1/shop"]
    {
        let error = ValkeyRegistry::connect(url).await.unwrap_err();
        assert!(matches!(&error, OpenError::Tls { why } if why.contains("CryptoProvider")), "{error:?}");
    }
}
