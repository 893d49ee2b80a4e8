//! `pods/eviction`: a delete by whoever drains a node. Disruption budgets are not served yet, so none refuses it.

use crate::body::Body;
use crate::call::{Call, Done, Place};
use crate::failure::Outcome;
use emberyard_object::Gvk;

impl Call<'_> {
    pub(crate) fn evict(&mut self, at: &Place, due: &Gvk) -> Outcome<Done> {
        let eviction = Body::read(self.request, self.server.config.body_limit, Some(due))?.value;
        let mut options = self.delete_options_without_body()?;
        if let Some(given) = eviction.get("deleteOptions") {
            options.read(given)?;
        }
        let live = self.live(at)?;
        self.delete_object(at, &live, &options)?;
        Ok(Done::success(201))
    }
}
