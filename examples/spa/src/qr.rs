//! `POST /api/qr`: a link of this site as a QR picture, for the camera of another device.

use countersign::{BadRequest, BodyLimits, Refusal, Session, read_json};
use http::request::Parts;
use http::{Response, StatusCode};
use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};
use serde::Deserialize;

use crate::answer::{self, Body};
use crate::app::App;
use crate::page::PICTURE;

#[derive(Deserialize)]
struct Asked {
    link: String,
}

/// Draws a link. It is no address that is fetched, since a link may hold a one-time code, and addresses are logged.
pub(crate) async fn picture<B>(app: &App, parts: &Parts, body: B) -> Result<Response<Body>, Refusal>
where
    B: http_body::Body,
{
    Session::<()>::from_parts(parts)?;
    let Asked { link } = read_json(&parts.headers, body, BodyLimits::default()).await?;
    let drawing = draw(&link, app.sessions.issuer()).ok_or(BadRequest::Parameter("link"))?;
    Ok(answer::typed(PICTURE, StatusCode::OK, answer::full(drawing)))
}

/// The longest link that is drawn, in bytes: of more, the modules get too small for a camera.
const LONGEST: usize = 1024;

/// The picture of a link, if it leads to this origin.
fn draw(link: &str, origin: &str) -> Option<String> {
    // The slash ends the origin: without it, `https://shop.example.evil` would begin like `https://shop.example`.
    let path = link.strip_prefix(origin)?;
    if !path.starts_with('/') || link.len() > LONGEST || !link.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    // A screen is neither dirty nor torn: larger modules help more than more correction.
    let code = QrCode::with_error_correction_level(link, EcLevel::L).ok()?;
    Some(code.render::<Color<'_>>().build())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = "https://shop.example";

    #[test]
    fn only_links_of_this_origin_are_drawn() {
        for own in
            ["https://shop.example/", "https://shop.example/#handoff=AAAA", "https://shop.example/a?b#c"]
        {
            let drawing = draw(own, SHOP).unwrap();
            assert!(drawing.contains("<svg ") && !drawing.contains(own), "{own}");
        }
        for other in [
            "",
            "/#handoff=AAAA",
            SHOP,
            "https://shop.example.evil/",
            "https://shop.example@evil.example/",
            "https://shop.example:8443/",
            "http://shop.example/",
            "HTTPS://shop.example/",
            "javascript:alert(1)",
            "https://shop.example/ two",
            "https://shop.example/\u{e9}",
        ] {
            assert_eq!(draw(other, SHOP), None, "{other:?}");
        }
    }

    #[test]
    fn a_long_link_is_refused_before_the_code_is_full() {
        let link = |length: usize| format!("{SHOP}/{}", "a".repeat(length - SHOP.len() - 1));
        assert!(draw(&link(LONGEST), SHOP).is_some());
        assert_eq!(draw(&link(LONGEST + 1), SHOP), None);
    }
}
