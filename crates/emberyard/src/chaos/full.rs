//! A journal without room: the limit of yard.json is set to what the journal has, so that its next writes find a full disk.
//! What was acknowledged must be there afterwards, and of what was refused nothing.

use super::Scene;
use crate::yard::{Settings, YardDir};
use emberyard_model::Quantity;
use emberyard_sim::Strike;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Room that is left at most: the last write fits in part, and what the server tries before it takes changes again does not.
const ROOM: u64 = 8 << 10;
/// The journal may become a snapshot while its limit is set, and has room once more.
const ROUNDS: usize = 5;
/// With room again changes are taken "within a second"; a loaded machine gets more.
const HEALED: Duration = Duration::from_secs(5);

/// The limit, put back when the value is dropped.
struct Limit<'a> {
    dir: &'a YardDir,
    before: Option<Quantity>,
    undone: bool,
}

impl<'a> Limit<'a> {
    fn of(dir: &'a YardDir) -> Result<Self, String> {
        Ok(Self { dir, before: settings(dir)?.journal_limit, undone: false })
    }

    fn set(&self, limit: Option<Quantity>) -> Result<(), String> {
        let mut settings = settings(self.dir)?;
        settings.journal_limit = limit;
        settings.save(self.dir).map_err(|error| error.to_string())
    }

    /// Leaves so many bytes.
    fn leave(&self, room: u64) -> Result<(), String> {
        let size = size(self.dir).map_err(|error| format!("the journal's size is not known: {error}"))?;
        self.set(Some(Quantity::from_units(i64::try_from(size + room).unwrap_or(i64::MAX))))
    }

    fn heal(mut self) -> Result<(), String> {
        self.undone = true;
        self.set(self.before)
    }
}

impl Drop for Limit<'_> {
    fn drop(&mut self) {
        if !self.undone {
            drop(self.set(self.before));
        }
    }
}

fn settings(dir: &YardDir) -> Result<Settings, String> {
    Settings::load(dir).map_err(|error| error.to_string())?.ok_or_else(|| "there is no yard.json".to_owned())
}

/// What the journal's files have together.
fn size(dir: &YardDir) -> std::io::Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(dir.journal())? {
        // A file that was there when it was listed may be gone by now.
        size += entry?.metadata().map_or(0, |meta| meta.len());
    }
    Ok(size)
}

/// Fills the journal, for as long as the strike lasts, and compares.
pub async fn strike(scene: &Scene, strike: &Strike) -> Result<String, String> {
    let mut written = Written { scene, strike, acknowledged: Vec::new(), refused: None };
    let outcome = written.fill_and_heal().await;
    let cleaned = written.remove().await;
    outcome.and_then(|said| cleaned.map(|()| said))
}

struct Written<'a> {
    scene: &'a Scene,
    strike: &'a Strike,
    acknowledged: Vec<String>,
    refused: Option<String>,
}

impl Written<'_> {
    async fn fill_and_heal(&mut self) -> Result<String, String> {
        self.write().await?.map_or(Ok(()), |refusal| Err(format!("refused with room: {refusal}")))?;
        let limit = Limit::of(&self.scene.dir)?;
        let mut refusal = None;
        for _round in 0..ROUNDS {
            limit.leave(self.strike.pick % ROOM)?;
            for _write in 0..2 * ROOM / 1024 {
                if refusal.is_none() {
                    refusal = self.write().await?;
                }
            }
        }
        let refusal = refusal.ok_or("the journal was never full")?;
        if !refusal.contains("journalLimit") {
            return Err(format!("the refusal does not say what to do: {refusal}"));
        }
        tokio::time::sleep(self.strike.lasts()).await;
        self.compare().await?; // reads go on meanwhile
        limit.heal()?;
        let healed = Instant::now();
        while let Some(refusal) = self.write().await? {
            if healed.elapsed() > HEALED {
                return Err(format!("refused {} s after there was room: {refusal}", HEALED.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.compare().await?;
        let number = self.acknowledged.len();
        Ok(format!("the journal for {} ms, {number} changes acknowledged before and after", self.strike.lasts_ms))
    }

    fn collection(&self) -> String {
        format!("/api/v1/namespaces/{}/configmaps", self.scene.stage.notebook().namespace)
    }

    /// One more change; the server's words if it is refused for lack of room.
    async fn write(&mut self) -> Result<Option<String>, String> {
        let name = format!("rehearsal-{}-{}", self.strike.number, self.acknowledged.len());
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"x": "x".repeat(1024)}});
        match self.scene.stage.client().create(&self.collection(), &object).await {
            Ok(_) => {
                self.acknowledged.push(name);
                Ok(None)
            }
            Err(error) if error.status == 507 => {
                self.refused = Some(name);
                Ok(Some(error.message))
            }
            Err(error) => Err(format!("a change failed with {}: {error}", error.status)),
        }
    }

    /// What was acknowledged is there, what was refused is not.
    async fn compare(&self) -> Result<(), String> {
        let (found, _) = self.scene.stage.client().list(&self.collection(), &[]).await.map_err(|e| e.to_string())?;
        let there = |name: &String| found.iter().any(|object: &Value| object["metadata"]["name"] == name.as_str());
        let lost: Vec<_> = self.acknowledged.iter().filter(|name| !there(name)).cloned().collect();
        if !lost.is_empty() {
            return Err(format!("acknowledged and lost: {}", lost.join(", ")));
        }
        let refused = self.refused.iter().find(|name| !self.acknowledged.contains(name) && there(name));
        refused.map_or(Ok(()), |name| Err(format!("refused and there: {name}")))
    }

    async fn remove(&self) -> Result<(), String> {
        for name in self.acknowledged.iter().chain(&self.refused) {
            let path = format!("{}/{name}", self.collection());
            self.scene.stage.client().delete(&path).await.map_err(|error| format!("{name} stays: {error}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_put_back_by_healing_and_by_breaking_off() {
        let folder = tempfile::tempdir().unwrap();
        let dir = YardDir::locate(Some(folder.path())).unwrap();
        dir.create().unwrap();
        std::fs::write(dir.journal().join("a"), [0; 1000]).unwrap();
        let limit = || settings(&dir).unwrap().journal_limit.map(Quantity::units);
        let mut kept = Settings::new("id".to_owned(), 1, 2);
        for before in [None, Some(1 << 20)] {
            kept.journal_limit = before.map(Quantity::from_units);
            kept.save(&dir).unwrap();
            let set = Limit::of(&dir).unwrap();
            set.leave(24).unwrap();
            assert_eq!(limit(), Some(1024));
            set.heal().unwrap();
            assert_eq!(limit(), before);
            Limit::of(&dir).unwrap().leave(0).unwrap();
            assert_eq!(limit(), before);
        }
    }
}
