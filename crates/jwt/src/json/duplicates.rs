use simd_json::Node;

use super::error::JsonError;
use super::value::Object;
use crate::limits::MAX_JSON_MEMBERS;

/// Up to this many members each name is compared with those before it; beyond, the names are sorted, so that
/// the time stays near linear. Headers and claims stay below.
const MAX_COMPARED_MEMBERS: usize = 32;

/// Refuses every object in `nodes` that has two members of one name or too many members.
pub(super) fn refuse_duplicates(nodes: &[Node<'_>]) -> Result<(), JsonError> {
    for (index, node) in nodes.iter().enumerate() {
        if let Node::Object { len, .. } = *node {
            if len > MAX_JSON_MEMBERS {
                return Err(JsonError::TooManyMembers);
            }
            let object = Object::new(&nodes[index..]);
            if len <= MAX_COMPARED_MEMBERS { compare(&object)? } else { sort(&object)? }
        }
    }
    Ok(())
}

/// Compares a name with the earlier ones only where its fingerprint was seen before.
fn compare(object: &Object<'_, '_>) -> Result<(), JsonError> {
    let mut seen = [0_u64; 2];
    for (index, name) in object.names().enumerate() {
        let fingerprint = fingerprint(name);
        let (word, bit) = (&mut seen[fingerprint / 64], 1 << (fingerprint % 64));
        if *word & bit != 0 && object.names().take(index).any(|earlier| earlier == name) {
            return Err(duplicate(name));
        }
        *word |= bit;
    }
    Ok(())
}

fn sort(object: &Object<'_, '_>) -> Result<(), JsonError> {
    let mut names = [""; MAX_JSON_MEMBERS];
    let names = &mut names[..object.len()];
    for (slot, name) in names.iter_mut().zip(object.names()) {
        *slot = name;
    }
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(duplicate(pair[0])),
        None => Ok(()),
    }
}

/// 7 bits that equal names share. Claims' names differ mostly in length and at their ends.
fn fingerprint(name: &str) -> usize {
    let bytes = name.as_bytes();
    let (first, last) = (bytes.first().copied().unwrap_or(0), bytes.last().copied().unwrap_or(0));
    (usize::from(first) * 5 + usize::from(last) * 11 + bytes.len()) & 127
}

#[cold]
fn duplicate(name: &str) -> JsonError {
    JsonError::DuplicateMember { name: name.into() }
}
