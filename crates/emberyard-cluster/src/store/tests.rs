use super::*;
use crate::journal::{self, Decoder};
use proptest::prelude::*;
use serde_json::json;

const BOUNDS: Bounds = Bounds { soft: 2000, hard: 4000 };

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8),
    Remove(u8),
    Compact(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..6, any::<u8>()).prop_map(|(name, content)| Step::Put(name, content)),
        2 => (0_u8..6).prop_map(Step::Remove),
        1 => (0_u64..40).prop_map(Step::Compact),
    ]
}

fn run(steps: &[Step]) -> (Store, Vec<Record>) {
    let mut store = Store::new(BOUNDS);
    let mut records = Vec::new();
    for (time, step) in steps.iter().enumerate() {
        let now = Timestamp(i64::try_from(time).unwrap());
        let key = |name: u8| Key::new(if name < 3 { "pods" } else { "secrets" }, "default", &name.to_string());
        let before = store.revision();
        match *step {
            Step::Put(name, content) => {
                records
                    .push(store.put(key(name), json!({"metadata": {"name": name.to_string()}, "c": content}), now).1);
            }
            Step::Remove(name) => {
                let key = key(name);
                let live = store.get(&key.resource, &key.namespace, &key.name).map(|o| o.value.clone());
                if let Some(value) = live {
                    records.push(store.remove(key, value, now).1);
                }
            }
            Step::Compact(limit) => store.compact(Revision(limit)),
        }
        assert!(store.revision() >= before);
    }
    (store, records)
}

/// Everything that can be observed: state, history, floors.
fn observed(store: &Store) -> Vec<String> {
    let mut lines = vec![store.revision().to_string()];
    for (resource, collection) in &store.collections {
        lines.push(format!("{resource} floor {}", collection.floor()));
        lines.extend(collection.list(None).map(|object| format!("{resource} {:?}", object.json)));
        lines.extend(collection.history().map(|event| {
            let before = event.before.as_ref().map(|object| &object.json);
            format!("{:?} {} {:?} {before:?}", event.change, event.time, event.object.json)
        }));
    }
    lines
}

proptest! {
    #[test]
    fn a_snapshot_holds_everything(steps in prop::collection::vec(step(), 0..60)) {
        let (store, _) = run(&steps);
        let restored = Store::from_snapshot(&store.snapshot(), BOUNDS).unwrap();
        prop_assert_eq!(observed(&store), observed(&restored));
    }

    #[test]
    fn the_journal_holds_everything(steps in prop::collection::vec(step(), 0..60), cut in 0_usize..60) {
        let steps: Vec<Step> = steps.into_iter().filter(|step| !matches!(step, Step::Compact(_))).collect();
        let (early, _) = run(&steps[..cut.min(steps.len())]);
        let (store, records) = run(&steps);
        let bytes: Vec<u8> = records.iter().flat_map(|r| journal::encode(std::slice::from_ref(r), Revision(0))).collect();
        let mut restored = Store::from_snapshot(&early.snapshot(), BOUNDS).unwrap();
        for record in Decoder::new(&bytes, Revision(0)) {
            prop_assert!(restored.replay(&record.unwrap()));
        }
        prop_assert_eq!(observed(&store), observed(&restored));
    }

    #[test]
    fn the_past_can_be_read_while_it_is_remembered(steps in prop::collection::vec(step(), 0..40)) {
        for length in 0..steps.len() {
            let (then, _) = run(&steps[..length]);
            let (now, _) = run(&steps);
            for (resource, collection) in &then.collections {
                let kept = now.collection(resource).unwrap();
                let wanted: Vec<_> = collection.list(None).map(|o| o.json.clone()).collect();
                match kept.at(then.revision()) {
                    Some(past) => prop_assert_eq!(past.values().map(|o| o.json.clone()).collect::<Vec<_>>(), wanted),
                    None => prop_assert!(kept.floor() > then.revision()),
                }
            }
        }
    }

    #[test]
    fn damaged_snapshots_are_refused(steps in prop::collection::vec(step(), 1..20), at: usize, bit in 0_u8..8) {
        let (store, _) = run(&steps);
        let mut bytes = store.snapshot();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(Store::from_snapshot(&bytes, BOUNDS).is_err());
        bytes.truncate(at);
        prop_assert!(Store::from_snapshot(&bytes, BOUNDS).is_err() || at == 0);
    }
}

#[test]
fn what_is_salvaged_is_the_newest_of_each_object() {
    let put = |revision: u64, name: &str| Record {
        revision: Revision(revision),
        time: Timestamp(0),
        change: Change::Put,
        key: Key::new("pods", "default", name),
        json: format!("{{\"at\":{revision}}}").into(),
    };
    let gone = Record { change: Change::Delete, ..put(9, "gone") };
    let records = vec![put(7, "kept"), put(3, "kept"), put(4, "gone"), gone, put(5, "old")];
    let store = Store::from_salvage(records, Revision(20), BOUNDS).unwrap();
    let read = |bytes: &[u8]| Store::from_snapshot(bytes, BOUNDS).unwrap();
    let lines = observed(&read(&store.snapshot()));
    assert_eq!(lines, ["20", "pods floor 20", r#"pods b"{\"at\":7}""#, r#"pods b"{\"at\":5}""#]);
    let broken = Record { json: "no".into(), ..put(8, "old") };
    assert_eq!(Store::from_salvage(vec![broken], Revision(20), BOUNDS).unwrap_err(), Revision(8));
}
