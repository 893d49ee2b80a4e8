//! Opening a watch.

use super::{Call, Done, Place};
use crate::Revision;
use crate::failure::{Failure, Outcome};
use crate::reply::WatchStart;
use crate::watch::WatchCursor;
use emberyard_object::Gvk;
use emberyard_object::schema::Cause;
use std::time::Duration;

impl Call<'_> {
    pub(super) fn watch(&mut self, at: &Place) -> Outcome<Done> {
        let selection = self.selection(at)?;
        let store = &self.server.store;
        let asked = self.asked_revision()?;
        let bookmarks = self.query.is_on("allowWatchBookmarks");
        let initial = self.query.get("sendInitialEvents");
        self.check_initial(initial.is_some(), at)?;
        if let Some(asked) = asked.filter(|asked| *asked > store.revision().0) {
            return Err(Failure::from_the_future(asked, store.revision().0));
        }
        let marked = initial.is_some_and(|_| self.query.is_on("sendInitialEvents"));
        let resume = match (asked, initial) {
            (_, Some(_)) if marked => None,
            (Some(asked), _) if asked > 0 => Some(Revision(asked)),
            (_, Some(_)) => Some(store.revision()),
            _ => None,
        };
        let cursor = match resume {
            // If this is forgotten already, the stream's first event says so.
            Some(from) => WatchCursor::after(selection, at.form, from, bookmarks, store),
            None => WatchCursor::from_now(selection, at.form, bookmarks, marked && bookmarks, store),
        };
        let seconds = self.query.number("timeoutSeconds")?.and_then(|s| u64::try_from(s).ok()).filter(|s| *s > 0);
        let content_type = "application/json".to_owned();
        Ok(Done::Watch(Box::new(WatchStart { cursor, timeout: seconds.map(Duration::from_secs), content_type })))
    }

    /// The rules of `sendInitialEvents`: it and `resourceVersionMatch=NotOlderThan` go together.
    fn check_initial(&self, asked: bool, at: &Place) -> Outcome<()> {
        let matching = self.query.get("resourceVersionMatch");
        let message = match (asked, matching) {
            (true, Some("NotOlderThan")) | (false, None) => return Ok(()),
            (true, _) => "Forbidden: resourceVersionMatch is required to be NotOlderThan when sendInitialEvents is set",
            (false, _) => "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        };
        let field = if asked { "resourceVersionMatch" } else { "sendInitialEvents" };
        let cause = Cause { reason: "FieldValueForbidden", field: field.to_owned(), message: message.to_owned() };
        let options = Gvk { kind: "ListOptions".to_owned(), group: "meta.k8s.io".to_owned(), ..at.kind.gvk.clone() };
        Err(Failure::invalid(&options, "", &[cause]))
    }
}
