//! A writer in HDFS: a kernel of the notebook, which writes through the JVM that its Spark sessions would have. So it has the
//! very client and settings of a user, and needs no process for each file.

use super::Hdfs;
use crate::chaos::Scene;
use crate::demo::Stage;
use emberyard_front::kernel::Kernel;
use emberyard_sim::{Part, Strike, Wrote};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// A kernel and its JVM start within this, also on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_mins(3);
/// What a cell of the writer takes at most: a write may wait for as long as Hadoop's client tries.
const CELL: Duration = Duration::from_mins(4);
/// So many of the small files of each fault are kept and compared again after every later one; the others go once they were
/// read back, so that reading does not take longer and longer.
const KEPT: usize = 8;
/// Where they are.
const FOLDER: &str = "/tmp/rehearsal";

/// What was acknowledged in the HDFS's life, and should be there.
#[derive(Debug)]
pub struct Written {
    files: Vec<Part>,
    /// Tells folders of several rehearsals apart.
    mark: u64,
}

impl Default for Written {
    fn default() -> Self {
        Self { files: Vec::new(), mark: crate::machine::random() }
    }
}

impl Written {
    fn folder(&self) -> String {
        format!("{FOLDER}/{:016x}", self.mark)
    }
}

/// What the writer's kernel says at the end of a fault.
#[derive(Debug, Deserialize)]
struct Said {
    files: Vec<Part>,
    stall: u64,
    failed: Vec<String>,
}

/// A kernel that can write.
pub struct Writer(Kernel);

impl Writer {
    /// Starts one.
    pub async fn open(scene: &Scene, hdfs: &Hdfs) -> Result<Self, String> {
        let opened = tokio::time::timeout(STARTS_WITHIN, async {
            let kernel = scene.stage.kernel().await.map_err(|failure| failure.to_string())?;
            let mut writer = Self(kernel);
            let code = format!("{}\njava, fs = open_file_system({:?})", include_str!("writer.py"), hdfs.name.as_str());
            match writer.cell(&code).await {
                Ok(_) => Ok(writer),
                Err(why) => {
                    writer.close().await;
                    Err(why)
                }
            }
        });
        opened.await.unwrap_or_else(|_| Err(format!("no writer after {} s", STARTS_WITHIN.as_secs())))
    }

    /// Begins to write, and comes back when something was acknowledged.
    pub async fn begin(&mut self, written: &Written, strike: &Strike) -> Result<(), String> {
        self.cell(&format!("begin('{}/{}')", written.folder(), strike.number)).await.map(drop)
    }

    /// Ends the writing. Nothing of it is compared yet.
    pub async fn end(&mut self, written: &mut Written) -> Result<Wrote, String> {
        let printed = self.cell("end()").await?;
        let said: Said =
            serde_json::from_str(&printed).map_err(|error| format!("the writer said {printed:?}: {error}"))?;
        let acknowledged = said.files.len();
        written.files.extend(said.files);
        Ok(Wrote { acknowledged, longest_stall_ms: said.stall, failed: said.failed, ..Wrote::default() })
    }

    /// Reads everything back, and forgets most of the small files that this fault brought.
    pub async fn compare(&mut self, written: &mut Written, wrote: &mut Wrote) -> Result<(), String> {
        let printed = self.cell(&format!("compare(json.loads({:?}))", json!(written.files).to_string())).await?;
        let lost: Vec<String> =
            serde_json::from_str(&printed).map_err(|error| format!("the writer said {printed:?}: {error}"))?;
        wrote.lost.extend(lost);
        wrote.compared = written.files.len();
        let new = written.files.split_off(written.files.len() - wrote.acknowledged.min(written.files.len()));
        let (small, streams): (Vec<Part>, Vec<Part>) = new.into_iter().partition(|part| part.path.contains("/small-"));
        let (kept, gone) = small.split_at(small.len().min(KEPT));
        written.files.extend(kept.iter().cloned().chain(streams));
        let paths: Vec<&str> = gone.iter().map(|part| part.path.as_str()).collect();
        self.cell(&format!("remove(json.loads({:?}))", json!(paths).to_string())).await.map(drop)
    }

    /// Removes all that was written, the jobs' table too.
    pub async fn clean(&mut self, written: &Written) -> Result<(), String> {
        self.cell(&format!("remove(['{}', '{FOLDER}-job'])", written.folder())).await.map(drop)
    }

    /// Ends the kernel.
    pub async fn close(self) {
        // It may be gone already.
        drop(self.0.close().await);
    }

    async fn cell(&mut self, code: &str) -> Result<String, String> {
        let ran = tokio::time::timeout(CELL, Stage::printed(&mut self.0, code)).await;
        let ran = ran.map_err(|_| format!("the writer's cell did not end within {} s", CELL.as_secs()))?;
        ran.map_err(|error| format!("the writer: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let said: Said = serde_json::from_str(
            r#"{"files": [{"path": "/a", "length": 4096, "closed": false}], "stall": 830, "failed": []}"#,
        )
        .unwrap();
        assert_eq!((said.files[0].length, said.stall), (4096, 830));
    }
}
