//! Tokens of devices, kept as hashes.

use domain::Timestamp;
use rusqlite::Row;

use crate::row::{all, execute, text};
use crate::writer::Order;
use crate::{Store, StoreError};

/// The most tokens that are listed, the newest ones.
const LISTED: u32 = 1000;

/// What lets a device in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceToken {
    /// A name that is no secret.
    pub id: String,
    /// The SHA-256 of the secret.
    pub hash: [u8; 32],
    /// What people call the device.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, as far as that was stored.
    pub last_seen_at: Option<Timestamp>,
}

impl Store {
    /// Adds a token.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when its id or hash is there already; else what the disk says.
    pub async fn add_token(&self, token: DeviceToken) -> Result<(), StoreError> {
        let sql = "INSERT INTO tokens (id, hash, label, created_at, last_seen_at)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        self.writer
            .call(Order::DURABLE, move |conn| {
                let DeviceToken { id, hash, label, created_at, last_seen_at } = &token;
                execute(conn, sql, (id, hash, label, created_at, last_seen_at)).map(drop)
            })
            .await
    }

    /// Lists the tokens that were not revoked, newest first.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn tokens(&self) -> Result<Vec<DeviceToken>, StoreError> {
        let sql = "SELECT id, hash, label, created_at, last_seen_at FROM tokens WHERE revoked = 0
            ORDER BY created_at DESC, id LIMIT ?";
        self.readers.call(move |conn| all(conn, sql, [LISTED], token_of)).await
    }

    /// Notes when a token was last used. A loss of power may undo it.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn see_token(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        let id = id.to_owned();
        let sql = "UPDATE tokens SET last_seen_at = ?2 WHERE id = ?1";
        let order = Order { durable: false, ..Order::DURABLE };
        self.writer.call(order, move |conn| execute(conn, sql, (&id, at)).map(drop)).await
    }

    /// Revokes a token for ever; says whether that changed anything.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn revoke_token(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        let sql = "UPDATE tokens SET revoked = 1 WHERE id = ? AND revoked = 0";
        self.writer.call(Order::DURABLE, move |conn| Ok(execute(conn, sql, [&id])? > 0)).await
    }
}

fn token_of(row: &Row<'_>) -> rusqlite::Result<DeviceToken> {
    Ok(DeviceToken {
        id: text(row, "id")?,
        hash: row.get("hash")?,
        label: text(row, "label")?,
        created_at: row.get("created_at")?,
        last_seen_at: row.get("last_seen_at")?,
    })
}
