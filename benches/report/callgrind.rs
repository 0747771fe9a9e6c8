//! Reads the files that callgrind writes, as far as needed here.

use std::collections::{HashMap, HashSet};

/// How many instructions were executed, and where.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    pub(crate) instructions: u64,
    /// The counts of the program itself, by address.
    addresses: HashMap<u64, u64>,
}

impl Profile {
    /// Reads a file that was written with `--dump-instr=yes` and neither positions nor strings compressed. `program` is
    /// the end of the path of the program itself, whose addresses are kept.
    pub(crate) fn read(text: &str, program: &str) -> Self {
        let mut profile = Profile::default();
        let (mut is_program, mut is_call) = (false, false);
        for line in text.lines() {
            if let Some(object) = line.strip_prefix("ob=") {
                is_program = object.ends_with(program);
            } else if line.starts_with("calls=") {
                // The next line is the called function, which is counted at its own address.
                is_call = true;
            } else if let Some((address, count)) = cost(line)
                && !std::mem::take(&mut is_call)
            {
                profile.instructions += count;
                if is_program {
                    *profile.addresses.entry(address).or_default() += count;
                }
            }
        }
        profile
    }

    /// How many instructions at these addresses were executed.
    pub(crate) fn count_at(&self, addresses: &HashSet<u64>) -> u64 {
        self.addresses.iter().filter(|(address, _)| addresses.contains(address)).map(|(_, count)| count).sum()
    }
}

/// The address and the count of a line such as `0x1234 56 7`.
fn cost(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.strip_prefix("0x")?.split(' ');
    let address = u64::from_str_radix(fields.next()?, 16).ok()?;
    Some((address, fields.next_back()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Profile;

    #[test]
    fn calls_do_not_count_where_they_are_made() {
        let text = "ob=/x/verify\nfl=a.rs\nfn=one\n0x10 5 7\n0x14 5 1\ncfn=two\ncalls=3 0x20 9\n0x14 5 600\n0x18 6 2\n\n\
                    fn=two\n0x20 9 30\nob=/lib/libc.so\nfn=memcpy\n0x10 0 4\n";
        let profile = Profile::read(text, "verify");
        assert_eq!(profile.instructions, 44);
        assert_eq!(profile.count_at(&HashSet::from([0x10, 0x20])), 37, "not what lies at 0x10 in another object");
    }
}
