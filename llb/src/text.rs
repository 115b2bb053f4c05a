//! placeholder
use buildkit_proto::pb;
/// x
pub fn render(_d: &pb::Definition) -> String {
    String::new()
}
