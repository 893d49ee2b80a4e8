//! `demo`: plays a part of the tutorial.
use crate::{cli::Demo, error::Failure, yard::YardDir};
/// x
pub async fn run(_dir: &YardDir, _a: &Demo) -> Result<(), Failure> {
    todo!()
}
