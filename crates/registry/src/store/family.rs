//! Sessions that were handed off, by the one they came from.

use countersign_token::SessionId;

use super::Store;

impl Store {
    pub(super) fn disown(&mut self, parent: SessionId, child: SessionId) {
        let Some(children) = self.children.get_mut(&parent) else { return };
        children.retain(|&other| other != child);
        if children.is_empty() {
            self.children.remove(&parent);
        }
    }

    /// The sessions that were handed off from this one.
    pub(crate) fn children(&self, id: SessionId) -> &[SessionId] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }

    /// A handed-off session has another parent from now on.
    pub(crate) fn adopt(&mut self, child: u32, parent: SessionId) {
        let id = self.slots[child].id;
        let mut extra = self.extra(child).cloned().unwrap_or_default();
        if let Some(before) = extra.handed_off_from.replace(parent) {
            self.disown(before, id);
        }
        self.children.entry(parent).or_default().push(id);
        self.set_extra(child, extra);
    }
}
