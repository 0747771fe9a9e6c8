use std::path::Path;

/// Creates folder and file, if they are missing, readable only by their owner. SQLite gives its log and its index the file's
/// mode.
#[cfg(unix)]
pub(super) fn create_for_owner_only(folder: &Path, file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Closing any descriptor of a file releases all locks of this process on it, SQLite's too (`fcntl`, POSIX.1). So an
    // existing file is not opened here, and no thread of this process uses SQLite between creating and closing.
    let _one_at_a_time = CREATION.lock();
    if !file.try_exists()? {
        std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn create_for_owner_only(folder: &Path, _file: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(unix)]
static CREATION: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
