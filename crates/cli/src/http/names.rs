//! Where names lead: `localhost` and what is below it to this machine, whatever a name server says (RFC 6761, section 6.3).

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

/// How names are resolved.
#[derive(Clone, Copy, Debug)]
pub(super) enum Names {
    /// As the system does.
    OfTheNetwork,
    /// All to this machine: what is sent is in the clear.
    OfThisMachine,
}

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let names = *self;
        Box::pin(async move {
            let found: Vec<_> = match names {
                Self::OfTheNetwork => GaiResolver::new().call(name).await?.collect(),
                Self::OfThisMachine => {
                    vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]
                }
            };
            Ok(found.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_of_this_machine_lead_nowhere_else() {
        for name in ["localhost", "shop.localhost"] {
            let found = Names::OfThisMachine.call(name.parse().unwrap()).await.unwrap();
            assert!(
                found.len() == 2 && found.into_iter().all(|address| address.ip().is_loopback()),
                "{name}"
            );
        }
    }
}
