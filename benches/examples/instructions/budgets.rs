use std::collections::BTreeMap;
use std::error::Error;
use std::fs;

use crate::callgrind::Count;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.toml");

/// The margin of a budget above its count, in percent, and the least margin in instructions: for other seeds of hash
/// tables, other addresses, another version of libc.
const HEADROOM: (u64, u64) = (3, 20);

/// The most instructions that each path may take.
pub(crate) struct Budgets(BTreeMap<String, u64>);

impl Budgets {
    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        Ok(Budgets(toml::from_str(&fs::read_to_string(FILE)?)?))
    }

    /// Prints every path with its budget, and advice for paths that are over it. Returns whether none is.
    pub(crate) fn hold(&self, paths: &[Count]) -> bool {
        println!("| path | instructions | budget |\n|---|---:|---:|");
        for Count { name, instructions } in paths {
            let budget = self.0.get(name).map_or("none".to_owned(), u64::to_string);
            println!("| {name} | {instructions} | {budget} |");
        }
        println!();
        let over = paths.iter().filter(|path| self.0.get(&path.name).is_none_or(|budget| path.instructions > *budget));
        let over: Vec<&Count> = over.collect();
        for Count { name, instructions } in &over {
            match self.0.get(name) {
                Some(budget) => {
                    let percent = 100.0 * (*instructions as f64 / *budget as f64 - 1.0);
                    println!("{name}: {instructions} instructions, {percent:.1} % over its budget of {budget}");
                }
                None => println!("{name}: {instructions} instructions and no budget"),
            }
        }
        if !over.is_empty() {
            println!(
                "\nWhere the growth is wanted, set the budget in benches/instructions.toml and say in the commit why:\n"
            );
            for Count { name, instructions } in &over {
                println!("{name:?} = {}", instructions + (instructions * HEADROOM.0 / 100).max(HEADROOM.1));
            }
        }
        over.is_empty()
    }
}
