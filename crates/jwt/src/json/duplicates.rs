use simd_json::Node;

use super::error::JsonError;
use super::value::Object;

/// Up to this many members, each name is compared with those before it. Beyond that, the names are sorted, which keeps
/// the time near linear. Headers and claims stay below.
const MAX_COMPARED_MEMBERS: usize = 32;

/// Refuses an object in `nodes` with two members of the same name or with more than `max_members`. Returns the number
/// of members of the widest object. `order` is memory for sorting.
pub(super) fn refuse_duplicates(
    nodes: &[Node<'_>],
    max_members: usize,
    order: &mut Vec<u32>,
) -> Result<usize, JsonError> {
    let mut widest = 0;
    for (index, node) in nodes.iter().enumerate() {
        if let Node::Object { len, .. } = *node {
            if len > max_members {
                return Err(JsonError::TooManyMembers { members: len, max: max_members });
            }
            widest = widest.max(len);
            let object = Object::new(&nodes[index..]);
            if len <= MAX_COMPARED_MEMBERS { compare(&object)? } else { sort(&object, order)? }
        }
    }
    Ok(widest)
}

/// Compares a name with the earlier ones only if its fingerprint was seen before.
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

fn sort(object: &Object<'_, '_>, order: &mut Vec<u32>) -> Result<(), JsonError> {
    order.clear();
    // A token has far fewer nodes than 2^32.
    order.extend(object.positions().map(|(_, position)| position as u32));
    let name = |position: &u32| object.name_at(*position as usize);
    order.sort_unstable_by(|a, b| name(a).cmp(name(b)));
    match order.windows(2).find(|pair| name(&pair[0]) == name(&pair[1])) {
        Some(pair) => Err(duplicate(name(&pair[0]))),
        None => Ok(()),
    }
}

/// A 7-bit hash of a name. Claim names differ mostly in length and at their ends.
#[inline]
pub(crate) fn fingerprint(name: &str) -> usize {
    let bytes = name.as_bytes();
    let (first, last) = (bytes.first().copied().unwrap_or(0), bytes.last().copied().unwrap_or(0));
    (usize::from(first) * 5 + usize::from(last) * 11 + bytes.len()) & 127
}

#[cold]
fn duplicate(name: &str) -> JsonError {
    JsonError::DuplicateMember { name: name.into() }
}
