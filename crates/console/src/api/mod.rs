//! What the page and programs ask: a module for each matter.

mod act;
mod audit;
mod ends;
mod keys;
mod limits;
mod live;
mod overview;
mod people;
mod sessions;
mod statistics;
mod target;
mod unusual;

use countersign::Refusal;

use crate::answer::Answer;
use crate::console::Call;
use crate::route::Action;

/// Answers a request that was admitted.
pub(crate) async fn answer<B>(action: Action, call: Call<'_>, body: B) -> Result<Answer, Refusal>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
    match action {
        Action::File => Err(Refusal::NotFound),
        Action::Overview => overview::overview(&call).await,
        Action::Sessions => sessions::list(&call).await,
        Action::Session => sessions::one(&call).await,
        Action::PreviewEnds => ends::preview(&call, body).await,
        Action::End => ends::end(call, body).await,
        Action::Seats => limits::seats(&call).await,
        Action::PreviewLimits => limits::preview(&call, body).await,
        Action::SetLimits => limits::set(call, body).await,
        Action::Statistics => statistics::series(&call),
        Action::Peaks => statistics::peaks(&call),
        Action::PeaksTable => statistics::peaks_table(&call),
        Action::Live => live::live(call),
        Action::Unusual => unusual::unusual(&call),
        Action::Keys => Ok(keys::keys(&call.shared().sessions)),
        Action::RotateKeys => keys::rotate(call, body).await,
        Action::RemoveKey => keys::remove(call, body).await,
        Action::ExportPerson => people::export(call, body).await,
        Action::ErasePerson => people::erase(call, body).await,
        Action::Audit => audit::page(&call).await,
        Action::ExportAudit => audit::export(&call).await,
    }
}
