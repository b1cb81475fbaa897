//! Encrypted connections: made ready when a registry is opened, so that nothing is missing later.
//!
//! The host chooses the cryptography: it installs a `CryptoProvider` of rustls for its process.

use std::sync::Arc;

#[cfg(feature = "tls")]
pub(crate) use with::Connector;
#[cfg(not(feature = "tls"))]
pub(crate) use without::Connector;

/// What the options say of certificates, in PEM.
#[derive(Clone, Default)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "there is no TLS to use them"))]
pub(crate) struct Credentials {
    pub(crate) roots: Option<Pem>,
    pub(crate) own: Option<Own>,
}

type Pem = Arc<[u8]>;

/// A certificate of our own.
#[derive(Clone)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "there is no TLS to use it"))]
pub(crate) struct Own {
    pub(crate) chain: Pem,
    pub(crate) key: Pem,
}

#[cfg(feature = "tls")]
mod with {
    use std::io;
    use std::sync::Arc;

    use rustls::crypto::CryptoProvider;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use rustls::{ClientConfig, RootCertStore};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    use super::{Credentials, Own};
    use crate::error::OpenError;

    /// Encrypts connections.
    #[derive(Clone)]
    pub(crate) struct Connector(TlsConnector);

    impl Connector {
        pub(crate) fn new(credentials: &Credentials) -> Result<Self, OpenError> {
            let missing = "no CryptoProvider is installed: call \
                           `rustls::crypto::ring::default_provider().install_default()` first";
            let provider = CryptoProvider::get_default().ok_or_else(|| tls(missing))?.clone();
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| tls(format!("the installed CryptoProvider is of no use: {error}")))?
                .with_root_certificates(roots(credentials)?);
            let config = match &credentials.own {
                None => config.with_no_client_auth(),
                Some(Own { chain, key }) => {
                    let chain = certificates(chain, "our own certificate")?;
                    let key = PrivateKeyDer::from_pem_slice(key)
                        .map_err(|_| tls("our own private key is no PEM of a private key"))?;
                    config
                        .with_client_auth_cert(chain, key)
                        .map_err(|error| tls(format!("our own certificate cannot be used: {error}")))?
                }
            };
            Ok(Self(TlsConnector::from(Arc::new(config))))
        }

        pub(crate) async fn connect(
            &self,
            name: &str,
            stream: TcpStream,
        ) -> io::Result<TlsStream<TcpStream>> {
            let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
            self.0.connect(name, stream).await
        }
    }

    fn roots(credentials: &Credentials) -> Result<RootCertStore, OpenError> {
        let mut store = RootCertStore::empty();
        if let Some(pem) = &credentials.roots {
            for certificate in certificates(pem, "a root certificate")? {
                store.add(certificate).map_err(|error| tls(format!("a root certificate: {error}")))?;
            }
        } else {
            // Some of a system's certificates may be of kinds that nobody understands.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if store.is_empty() {
            return Err(tls("the operating system trusts nobody; see `Options::root_certificates`"));
        }
        Ok(store)
    }

    fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, OpenError> {
        let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let read = read.ok().filter(|certificates| !certificates.is_empty());
        read.ok_or_else(|| tls(format!("{what} is no PEM of certificates")))
    }

    fn tls(why: impl Into<String>) -> OpenError {
        OpenError::Tls { why: why.into() }
    }
}

#[cfg(not(feature = "tls"))]
mod without {
    use std::future::Ready;
    use std::io;

    use tokio::net::TcpStream;

    use super::Credentials;
    use crate::error::OpenError;

    /// Addresses that would need it are refused before.
    #[derive(Clone)]
    pub(crate) enum Connector {}

    impl Connector {
        pub(crate) fn new(_: &Credentials) -> Result<Self, OpenError> {
            Err(OpenError::Tls { why: "this build has no TLS".into() })
        }

        pub(crate) fn connect(&self, _: &str, _: TcpStream) -> Ready<io::Result<TcpStream>> {
            match *self {}
        }
    }
}
