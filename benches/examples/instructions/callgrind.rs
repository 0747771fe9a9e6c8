use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path as File;
use std::process::{self, Command};

use crate::path::{INPUTS, Path};

/// How many instructions one operation takes.
pub(crate) struct Count {
    pub(crate) name: String,
    pub(crate) instructions: u64,
}

/// Counts the group of paths: runs this program under valgrind, which runs [`run_counted`].
pub(crate) fn count(group: &str, left_out: &str) -> Result<Vec<Count>, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    // In the program's folder: the folder for temporary files may be small, or full of files of other programs.
    let folder = program.with_file_name(format!("instructions-{}-{group}", process::id()));
    fs::create_dir_all(&folder)?;
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--collect-atstart=no",
            "--toggle-collect=*count_this*",
            "--dump-before=*write_down*",
        ])
        // The function switches counting off until it returns if counting is on, and on otherwise.
        .arg(format!("--toggle-collect={left_out}"))
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(program)
        .arg(group)
        .output()
        .map_err(|error| {
            format!("valgrind does not run ({error}): install it, on Debian with apt-get install valgrind")
        })?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let names = String::from_utf8(output.stdout)?;
    let counts = names.lines().enumerate().map(|(index, name)| {
        let first = index * (INPUTS + 1) + 2;
        let totals = (first..first + INPUTS).map(|part| total(&folder.join(format!("out.{part}"))));
        let sum: u64 = totals.sum::<Result<u64, _>>()?;
        Ok(Count { name: name.to_owned(), instructions: sum / INPUTS as u64 })
    });
    let counts = counts.collect::<Result<_, Box<dyn Error>>>().map_err(|error| {
        // Valgrind's exit status is the program's, even if valgrind could not write a file.
        format!(
            "{error}; what callgrind wrote is in {}, and it said:\n{}",
            folder.display(),
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    fs::remove_dir_all(&folder)?;
    Ok(counts)
}

/// Runs each path and prints its name. Callgrind writes a file before the first operation and one after each.
pub(crate) fn run_counted(paths: Vec<Path>) {
    for Path { name, prepare, mut operate } in paths {
        // Warms up: the thread's memory grows to its final size, and the tokens enter the cache.
        for _ in 0..4 {
            (0..INPUTS).for_each(&mut operate);
        }
        // Instructions that were counted until here go to a file that is ignored.
        write_down();
        for input in 0..INPUTS {
            prepare();
            count_this(&mut *operate, input);
            write_down();
        }
        println!("{name}");
    }
}

/// Valgrind's command line names this function and the next.
#[inline(never)]
fn count_this(operate: &mut dyn FnMut(usize), input: usize) {
    operate(input);
    black_box(());
}

#[inline(never)]
fn write_down() {
    black_box(());
}

fn total(file: &File) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.ok_or_else(|| format!("no total in the {} bytes of {}", text.len(), file.display()))?;
    Ok(total.trim().parse()?)
}
