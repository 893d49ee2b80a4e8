//! `api`.
use crate::{error::Failure, yard::YardDir};
/// x
pub async fn run(_dir: YardDir) -> Result<(), Failure> {
    todo!()
}
