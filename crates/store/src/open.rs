//! Opening the file: checks first, then settings, then migrations.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::OpenError;

/// The database's name in the data directory.
const FILE: &str = "baton.db";
/// Marks the file as ours: "Batn" in SQLite's header field for it.
const APPLICATION_ID: i32 = 0x4261_746e;
/// Only ever appended to: entry `n` brings a database from version `n` to `n + 1`.
const MIGRATIONS: [&str; 5] = [
    include_str!("../migrations/0001.sql"),
    include_str!("../migrations/0002.sql"),
    include_str!("../migrations/0003.sql"),
    include_str!("../migrations/0004.sql"),
    include_str!("../migrations/0005.sql"),
];
/// How long to wait for another program (a backup, the `sqlite3` shell) to let go of the file.
const BUSY: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this many bytes after it was written into the database.
const WAL_KEPT_BYTES: u32 = 16 * 1024 * 1024;

/// Opens the writer's connection, making and migrating the database as needed.
pub(crate) fn writer(dir: &Path) -> Result<(Connection, PathBuf), OpenError> {
    fs::create_dir_all(dir).map_err(|e| OpenError::io(dir, &e))?;
    let path = dir.join(FILE);
    create_private(&path)?;
    let mut conn = connect(&path).map_err(|e| OpenError::sqlite(&path, &e))?;
    check(&conn, &path)?;
    migrate(&mut conn).map_err(|e| OpenError::sqlite(&path, &e))?;
    Ok((conn, path))
}

/// Opens a connection that only reads.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = connect(path)?;
    conn.execute_batch("PRAGMA query_only = ON")?;
    Ok(conn)
}

/// Makes the file readable by its owner alone; SQLite gives its side files the same mode.
fn create_private(path: &Path) -> Result<(), OpenError> {
    let mut options = fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|e| OpenError::io(path, &e))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Refuses what is not ours to write, before anything is written.
fn check(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |e: &rusqlite::Error| OpenError::sqlite(path, e);
    // Not even what an earlier run left in the log is moved, until the file is known to be ours.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(|e| failed(&e))?;
    let read = |name: &str| conn.pragma_query_value::<i32, _>(None, name, |row| row.get(0));
    let version = read("user_version").map_err(|e| failed(&e))?;
    let application = read("application_id").map_err(|e| failed(&e))?;
    let objects: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .map_err(|e| failed(&e))?;
    let empty = version == 0 && application == 0 && objects == 0;
    if !empty && application != APPLICATION_ID {
        return Err(OpenError::NotADatabase { path: path.to_owned() });
    }
    let found = u32::try_from(version).unwrap_or(u32::MAX);
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::NewerDatabase { path: path.to_owned(), found, known });
    }
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map_err(|e| failed(&e))?;
    Ok(())
}

fn migrate(conn: &mut Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    let version: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (from, sql) in (0u32..).zip(MIGRATIONS).skip_while(|(from, _)| *from < version) {
        let tx = conn.transaction()?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", from + 1)?;
        tx.commit()?;
    }
    Ok(())
}
