//! What a watch has told so far.

use crate::view::Key;
use emberyard_client::WatchEvent;
use futures::{FutureExt, Stream, StreamExt};
use serde_json::Value;
use std::collections::BTreeMap;

/// The events that have come by now. They come in bursts, a thousand executors that go at once for one: what all of them come
/// to is looked at and told once.
pub fn arrived(watch: &mut (impl Stream<Item = WatchEvent> + Unpin)) -> impl Iterator<Item = WatchEvent> {
    std::iter::from_fn(|| watch.next().now_or_never().flatten())
}

/// The objects of one collection, by namespace and name.
#[derive(Debug, Default)]
pub struct Index {
    objects: BTreeMap<Key, Value>,
    synced: bool,
}

impl Index {
    /// Takes an event in; gives what it touched, with the state before where there was one.
    pub fn apply(&mut self, event: WatchEvent) -> Vec<(Key, Option<Value>)> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                let key = Key::of(&object);
                let before = self.objects.insert(key.clone(), object);
                vec![(key, before)]
            }
            WatchEvent::Deleted(object) => {
                let key = Key::of(&object);
                let before = self.objects.remove(&key);
                vec![(key, before.or(Some(object)))]
            }
            WatchEvent::Bookmark(_) => Vec::new(),
            WatchEvent::Restarted(items) => {
                self.synced = true;
                let mut before = std::mem::take(&mut self.objects);
                self.objects = items.into_iter().map(|object| (Key::of(&object), object)).collect();
                let mut touched: Vec<_> = self.objects.keys().map(|key| (key.clone(), before.remove(key))).collect();
                touched.extend(before.into_iter().map(|(key, object)| (key, Some(object))));
                touched
            }
        }
    }

    /// Whether the first list has arrived.
    pub fn synced(&self) -> bool {
        self.synced
    }

    /// An object.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key)
    }

    /// All objects, in order of namespace and name.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.objects.values()
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.objects.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(name: &str) -> Value {
        json!({"metadata": {"namespace": "d", "name": name}})
    }

    #[test]
    fn a_restart_touches_what_is_and_what_was() {
        let mut index = Index::default();
        assert!(!index.synced());
        index.apply(WatchEvent::Restarted(vec![object("a"), object("b")]));
        let touched = index.apply(WatchEvent::Restarted(vec![object("b"), object("c")]));
        let names: Vec<String> = touched.iter().map(|(key, before)| format!("{key} {}", before.is_some())).collect();
        assert_eq!(names, ["d/b true", "d/c false", "d/a true"]);
        assert_eq!(index.values().count(), 2);
        index.apply(WatchEvent::Deleted(object("b")));
        assert!(index.synced() && index.get(&Key::new("d", "b")).is_none());
    }
}
