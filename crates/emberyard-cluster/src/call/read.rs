//! Reading one object.

use super::{Call, Done, Place};
use crate::failure::Outcome;

impl Call<'_> {
    pub(super) fn get(&mut self, at: &Place) -> Outcome<Done> {
        let object = self.live(at)?;
        Ok(self.shown(at, 200, &object))
    }
}
