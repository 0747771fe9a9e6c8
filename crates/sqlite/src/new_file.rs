use std::path::Path;

/// Creates folder and file, when they are missing, so that only their owner can read them. SQLite gives its log and its
/// index the file's own mode.
#[cfg(unix)]
pub(super) fn create_for_owner_only(folder: &Path, file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Closing any descriptor of a file ends all locks that this process has on it, SQLite's too (`fcntl`, POSIX.1). So a
    // file that is there is not opened here, and nobody in this process gets to SQLite between creating and closing.
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
