//! An HDFS that is played: blocks, DataNodes that hold them, two NameNodes of one mind that believe the dead alive for a while,
//! nodes that are cordoned and drained at will. Whatever happens in whatever order, each block can be read in as many copies as are
//! wanted.

use super::*;
use proptest::prelude::*;

const NODES: u8 = 4;

struct Store {
    address: IpAddr,
    blocks: BTreeSet<u8>,
    /// Whether its process runs, and whether NameNodes believe so.
    runs: bool,
    alive: bool,
    service: Service,
}

struct Pod {
    uid: String,
    node: u8,
    store: usize,
}

struct Model {
    copies: usize,
    stores: Vec<Store>,
    /// By ordinal; none while it has no node.
    pods: Vec<Option<Pod>>,
    /// Stores that a pod finds again, by ordinal: none where its volume is lost.
    volumes: Vec<Option<usize>>,
    cordoned: BTreeSet<u8>,
    listed: BTreeSet<IpAddr>,
    may_go: BTreeSet<String>,
    safe_since: SafeSince,
    now: i64,
    made: u16,
    blocks: u8,
}

impl Model {
    fn new(copies: usize, count: usize) -> Self {
        let mut model = Self {
            copies,
            stores: Vec::new(),
            pods: (0..count).map(|_| None).collect(),
            volumes: vec![None; count],
            cordoned: BTreeSet::new(),
            listed: BTreeSet::new(),
            may_go: BTreeSet::new(),
            safe_since: SafeSince::new(),
            now: 0,
            made: 0,
            blocks: 0,
        };
        model.schedule(0);
        model
    }

    /// Pods without a node get one.
    fn schedule(&mut self, from: u8) {
        for ordinal in 0..self.pods.len() {
            let places = (0..NODES).map(|number| (number + from % NODES + ordinal as u8) % NODES);
            let place = places.into_iter().find(|node| !self.cordoned.contains(node));
            let (None, Some(node)) = (&self.pods[ordinal], place) else { continue };
            self.made += 1;
            let address = address(self.made);
            let store = self.volumes[ordinal].unwrap_or_else(|| {
                let blocks = BTreeSet::new();
                self.stores.push(Store { address, blocks, runs: true, alive: true, service: Full });
                self.stores.len() - 1
            });
            // One that comes back keeps how far it was in the service, until NameNodes read their list again.
            let found = &mut self.stores[store];
            (found.address, found.runs, found.alive) = (address, true, true);
            self.volumes[ordinal] = Some(store);
            self.pods[ordinal] = Some(Pod { uid: format!("{}", self.made), node, store });
        }
    }

    fn world(&self) -> World {
        let known = self.stores.iter().map(|one| (one.address, Registered { alive: one.alive, service: one.service }));
        let lacking = (0..self.blocks).filter(|block| self.counted(*block).len() < self.copies).count() as u64;
        let view = View { data_nodes: known.collect(), lacking, ..View::default() };
        let pods = self.pods.iter().enumerate().filter_map(|(ordinal, pod)| Some((ordinal, pod.as_ref()?)));
        let data_nodes = pods.map(|(ordinal, pod)| DataNode {
            pod: format!("dn-{ordinal}"),
            uid: pod.uid.clone(),
            address: self.stores[pod.store].address,
            node: format!("{}", pod.node),
            ready: true,
            ends: false,
            asked: self.cordoned.contains(&pod.node),
        });
        World {
            copies: self.copies as u32,
            wanted: self.pods.len() as u32,
            data_nodes: data_nodes.collect(),
            active: Some(view.clone()),
            standby: Some(view),
            excluded: self.listed.clone(),
        }
    }

    /// Stores whose copy of a block counts, as NameNodes believe.
    fn counted(&self, block: u8) -> Vec<usize> {
        let counts = |one: &Store| one.alive && one.service == Full && one.blocks.contains(&block);
        (0..self.stores.len()).filter(|index| counts(&self.stores[*index])).collect()
    }

    fn step(&mut self, what: u8, which: u8) {
        let pick = usize::from(which);
        match what {
            // The operator looks.
            0..=3 => {
                self.now += 2;
                let world = self.world();
                let decided = plan(&world, &self.safe_since, at(self.now));
                for uid in &decided.may_go {
                    let pod = self.pods.iter().flatten().find(|pod| pod.uid == *uid).unwrap();
                    assert!(self.stores[pod.store].service == Left && self.safe_since.contains_key(uid));
                }
                (self.listed, self.may_go, self.safe_since) = (decided.excluded, decided.may_go, decided.safe_since);
            }
            // NameNodes read the list.
            4 | 5 => {
                for one in &mut self.stores {
                    match (self.listed.contains(&one.address), one.service) {
                        (true, Full) => one.service = if one.alive { HandsOver } else { Left },
                        (false, _) => one.service = Full,
                        _ => {}
                    }
                }
            }
            // They have blocks copied that lack copies, and see who has handed over all.
            6 | 7 => {
                for block in 0..self.blocks {
                    let readable = self.stores.iter().any(|one| one.runs && one.blocks.contains(&block));
                    let mut lacks = self.copies.saturating_sub(self.counted(block).len());
                    for one in self.stores.iter_mut().filter(|one| readable && one.runs && one.service == Full) {
                        if lacks > 0 && one.blocks.insert(block) {
                            lacks -= 1;
                        }
                    }
                }
                for index in 0..self.stores.len() {
                    let one = &self.stores[index];
                    let enough = one.blocks.iter().all(|block| self.counted(*block).len() >= self.copies);
                    if one.service == HandsOver && enough {
                        self.stores[index].service = Left;
                    }
                }
            }
            // They remove copies that are too many.
            8 => {
                for block in 0..self.blocks {
                    let counted = self.counted(block);
                    let victim = counted[pick % counted.len().max(1)..].first().copied();
                    if let Some(victim) = victim.filter(|_| counted.len() > self.copies) {
                        self.stores[victim].blocks.remove(&block);
                    }
                }
            }
            9 => drop(self.cordoned.insert(which % NODES)),
            10 => drop(self.cordoned.remove(&(which % NODES))),
            // Somebody drains: what may go goes, with its volume or without.
            11 | 12 => {
                for (ordinal, pod) in self.pods.iter_mut().enumerate() {
                    let goes = |pod: &mut Pod| self.may_go.contains(&pod.uid) && self.cordoned.contains(&pod.node);
                    if let Some(pod) = pod.take_if(goes) {
                        self.stores[pod.store].runs = false;
                        if which.is_multiple_of(2) {
                            self.volumes[ordinal] = None;
                        }
                    }
                }
            }
            13 | 14 => self.schedule(which),
            // The dead are noticed.
            15 => self.stores.iter_mut().for_each(|one| one.alive = one.runs),
            // A file is written.
            _ => {
                let takes: Vec<usize> = (0..self.stores.len())
                    .filter(|index| self.stores[*index].runs && self.stores[*index].service == Full)
                    .collect();
                if takes.len() >= self.copies && self.blocks < 20 {
                    for turn in 0..self.copies {
                        self.stores[takes[(pick + turn) % takes.len()]].blocks.insert(self.blocks);
                    }
                    self.blocks += 1;
                }
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for block in 0..self.blocks {
            let readable = self.stores.iter().filter(|one| one.runs && one.blocks.contains(&block)).count();
            prop_assert!(readable >= self.copies, "block {block} has {readable} copies");
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_block_ever_has_fewer_copies_than_wanted(
        copies in 1..4_usize, more in 0..4_usize, steps in prop::collection::vec((0..18_u8, any::<u8>()), 0..150),
    ) {
        let mut model = Model::new(copies, copies + more);
        for (what, which) in steps {
            model.step(what, which);
            model.check()?;
        }
    }

    #[test]
    fn what_is_drained_with_enough_others_is_empty_in_the_end(copies in 1..4_usize, more in 1..4_usize, node in 0..NODES) {
        let mut model = Model::new(copies, copies + more);
        for _ in 0..8 {
            model.step(16, node);
        }
        model.step(9, node);
        for turn in 0..40 {
            for what in [0, 4, 6, 0, 0, 11, 13, 15] {
                model.step(what, turn);
                model.check()?;
            }
        }
        prop_assert!(model.pods.iter().all(|pod| pod.as_ref().is_some_and(|pod| pod.node != node)));
        prop_assert!(model.pods.iter().flatten().all(|pod| model.stores[pod.store].service == Full));
    }
}
