use bytes::Bytes;
use hashward_engine::core::Identity;
use hashward_engine::desk::DeskError;

use super::{Rules, Ruling};
use crate::{AsyncDesk, AsyncUpload};

/// An upload that the desk took, or why it did not: then the rest of the content is read and dropped, and its client is told in
/// the end.
pub(crate) struct Taken(Result<AsyncUpload, DeskError>);

impl Taken {
    pub(crate) fn open(desk: &AsyncDesk, identity: Identity) -> Self {
        Self(desk.open(identity))
    }

    /// Takes the next bytes, as soon as there is room for them.
    pub(crate) async fn push(&mut self, bytes: Bytes) {
        if let Ok(upload) = &mut self.0
            && let Err(error) = upload.push(bytes).await
        {
            self.0 = Err(error);
        }
    }

    /// Whether nothing that may follow changes what is said in the end.
    pub(crate) fn is_over(&self) -> bool {
        self.0.as_ref().map_or(true, AsyncUpload::is_too_large)
    }

    /// All bytes have come: what to say.
    pub(crate) async fn finish(self, rules: &Rules) -> Ruling {
        match self.0 {
            Ok(upload) => rules.finish(upload).await,
            Err(error) => rules.rule(Err(error)),
        }
    }
}
