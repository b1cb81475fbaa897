//! A WebSocket that ends with its session. Its handshake came from this site: the layer refuses any other.

use std::pin::pin;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use countersign::{Ending, Session};

/// `GET /live`: says again what it is told, for as long as the session lives.
pub(super) async fn live(session: Session, upgrade: WebSocketUpgrade) -> Response {
    let ended = session.ended();
    upgrade.on_upgrade(async move |mut socket| {
        let ending = tokio::select! {
            ending = pin!(ended) => ending,
            () = echo(&mut socket) => return,
        };
        // Whoever has left already does not hear it.
        let _ = socket.send(Message::Close(Some(farewell(ending)))).await;
    })
}

async fn echo(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(text) = message
            && socket.send(Message::Text(text)).await.is_err()
        {
            return;
        }
    }
}

/// Codes from 4000 on are an application's own (RFC 6455, section 7.4.2): 4401 says what the status 401 does.
fn farewell(ending: Ending) -> CloseFrame {
    let (code, reason) = match ending {
        Ending::Ended(reason) => (4401, reason.as_str()),
        Ending::Lapsed => (4401, "token-expired"),
        Ending::Closing => (1001, "closing"),
    };
    CloseFrame { code, reason: reason.into() }
}
