//! Deleting many.

use super::delete::Gone;
use super::{Call, Done, Place, answer};
use crate::failure::Outcome;
use serde_json::json;

impl Call<'_> {
    /// Deletes everything the selectors leave over; answers with the list of it.
    pub(super) fn delete_collection(&mut self, at: &Place) -> Outcome<Done> {
        let options = self.delete_options()?;
        let selection = self.selection(at)?;
        let objects: Vec<_> = selection.all(&self.server.store).cloned().collect();
        let mut gone = Vec::with_capacity(objects.len());
        for object in objects {
            let mut one = at.clone();
            one.path.namespace = at.kind.namespaced.then(|| object.key.namespace.to_string());
            one.path.name = Some(object.key.name.to_string());
            match self.delete_object(&one, &object, &options)? {
                Gone::Now(object) | Gone::Later(object) => gone.push(object),
            }
        }
        let metadata = json!({"resourceVersion": self.server.store.revision().to_string()});
        Ok(Done::Body(200, self.list_body(at, &gone, &metadata), answer::JSON))
    }
}
